package lively

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A wrapped writer does not hijack by itself, and waits to be told to send its header.
type wrapped struct {
	http.ResponseWriter
	sent *bool
}

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }
func (w wrapped) WriteHeaderNow()             { *w.sent = true }

func TestAHijackedConnectionHasSmallBuffers(t *testing.T) {
	page, server := net.Pipe()
	sent := false
	w := slim(wrapped{PipeWriter{httptest.NewRecorder(), server}, &sent})
	if w.(interface{ WriteHeaderNow() }).WriteHeaderNow(); !sent {
		t.Error("the writer was not told to send its header")
	}
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil || conn != server || rw.Reader.Size() != bufferSize || rw.Writer.Size() != bufferSize {
		t.Errorf("Hijack: %v with buffers of %d and %d bytes, want %d", err, rw.Reader.Size(), rw.Writer.Size(), bufferSize)
	}
	go func() { _, _ = io.WriteString(page, "read") }()
	if b, err := rw.Peek(4); string(b) != "read" {
		t.Errorf("the reader reads %q, %v", b, err)
	}
	go func() { _, _ = rw.WriteString("written"); _ = rw.Flush() }()
	b := make([]byte, len("written"))
	if _, err := io.ReadFull(page, b); string(b) != "written" {
		t.Errorf("the page reads %q, %v", b, err)
	}
}

// An early page has sent something before it was answered.
type early struct{ http.ResponseWriter }

func (w early) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	page, server := net.Pipe()
	go func() { _, _ = io.WriteString(page, "early") }()
	rw := bufio.NewReadWriter(bufio.NewReader(server), bufio.NewWriter(server))
	_, err := rw.Peek(1)
	return server, rw, err
}

func TestWhatAPageSendsBeforeItIsAnsweredIsKept(t *testing.T) {
	_, rw, err := slim(early{httptest.NewRecorder()}).(http.Hijacker).Hijack()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := rw.Peek(5); string(b) != "early" {
		t.Errorf("the reader reads %q, %v", b, err)
	}
}

func TestAWriterThatCannotBeHijackedStaysSo(t *testing.T) {
	if _, ok := slim(httptest.NewRecorder()).(http.Hijacker); ok {
		t.Error("it says that it can")
	}
}
