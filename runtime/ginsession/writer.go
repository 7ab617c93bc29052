package ginsession

import (
	"bufio"
	"io"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

// A writer leads what a handler writes by the session. Status, size and what else gin
// asks for are those of gin's own writer, which the session writes to.
type writer struct {
	gin.ResponseWriter
	session http.ResponseWriter
}

// WriteHeader keeps the status for the first byte, as gin does. After that only the
// session hears of it: that a handler has failed after all.
func (w writer) WriteHeader(status int) {
	if w.Written() {
		w.session.WriteHeader(status)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// WriteHeaderNow stores the session and begins the response.
func (w writer) WriteHeaderNow() {
	w.begin()
	w.ResponseWriter.WriteHeaderNow()
}

// begin stores the session, which sees with which status the response begins.
func (w writer) begin() {
	if !w.Written() {
		w.session.WriteHeader(w.Status())
	}
}

// end is for a handler that has written nothing: the response begins when gin's other
// middleware has returned, but the session has to know of a failure now.
func (w writer) end() {
	if w.Status() >= http.StatusInternalServerError {
		w.begin()
	}
}

func (w writer) Write(b []byte) (int, error) {
	w.begin()
	return w.session.Write(b)
}

func (w writer) WriteString(text string) (int, error) {
	w.begin()
	return io.WriteString(w.session, text)
}

func (w writer) Flush() { _ = w.FlushError() }

// FlushError is what [http.ResponseController] calls.
func (w writer) FlushError() error {
	w.begin()
	return http.NewResponseController(w.session).Flush()
}

func (w writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.session).Hijack()
}

// Unwrap leads [http.ResponseController] to the server's writer.
func (w writer) Unwrap() http.ResponseWriter { return w.session }
