package lively

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// PipeWriter hands its connection over.
type PipeWriter struct {
	*httptest.ResponseRecorder
	Conn net.Conn
}

func (w PipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.Conn, bufio.NewReadWriter(bufio.NewReader(w.Conn), bufio.NewWriter(w.Conn)), nil
}

// Handshake is the request of a page.
func Handshake() *http.Request {
	r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
	r.Header = http.Header{"Origin": {"https://shop.example"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}
	return r
}

// A ping that the end interrupts has failed, and sets no timer for another one.
func TestAnEndDuringAPingIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, page) }() // and answers no ping
		ws, err := websocket.Accept(PipeWriter{httptest.NewRecorder(), server}, Handshake(), nil)
		if err != nil {
			t.Fatal(err)
		}
		config := defaultConfig()
		c := newConn(t.Context(), ws, &config, nil)
		time.Sleep(config.PingEvery)
		synctest.Wait()
		c.end()
		synctest.Wait()
		if c.pinging.Stop() {
			t.Error("after the end another ping is to come")
		}
	})
}

func TestAPageIsIdleOnceItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, server := net.Pipe()
		ws, err := websocket.Accept(PipeWriter{httptest.NewRecorder(), server}, Handshake(), nil)
		if err != nil {
			t.Fatal(err)
		}
		config := defaultConfig()
		config.Idle = config.PingEvery
		c := newConn(t.Context(), ws, &config, nil)
		defer c.end()
		var frame [1]byte
		if _, err := io.ReadFull(page, frame[:]); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, page) }()
		if opcode := frame[0] & 0xf; opcode != 8 {
			t.Errorf("the page gets a frame of opcode %d, want 8: close", opcode)
		}
	})
}
