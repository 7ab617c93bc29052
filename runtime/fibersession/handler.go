package fibersession

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/log"
)

// Handler serves with a handler of net/http, such as the SyncHandler of sessions or
// the endpoint of live connections. Its requests have the Context of the [fiber.Ctx],
// and so the session. What it writes goes out once it has returned, unless that context
// is over: then its error is returned instead. The handler can hijack the connection, as
// WebSocket libraries do, if fasthttp serves that itself.
func Handler(h http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		w := newWriter(c)
		go w.run(h, requestWithBody(c))
		left := <-w.left
		if left.panicked {
			panic(left.value)
		}
		if err := w.ctx.Err(); err != nil { // somebody else may be answering
			return err
		}
		if left.hijacked {
			w.handOver(c)
		}
		w.send(c)
		return nil
	}
}

func requestWithBody(c fiber.Ctx) *http.Request {
	r, body := Request(c), c.RequestCtx().PostBody()
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return r
}

// writer is the response of a handler of net/http. That runs in a goroutine of its
// own, which goes on with a connection that it hijacks; until then, the app's waits.
type writer struct {
	ctx      context.Context // of the request
	header   header
	status   int // 0: not written yet
	body     []byte
	hijacked bool
	left     chan leave

	conn    *conn         // nil: it cannot be hijacked
	handed  chan struct{} // closed once the connection is the handler's
	refused chan struct{} // closed if it will not be, and at the end of all
}

// leave is how a handler has left the app's goroutine.
type leave struct {
	hijacked bool
	panicked bool
	value    any // of the panic
}

func newWriter(c fiber.Ctx) *writer {
	w := &writer{ctx: c.Context(), left: make(chan leave, 1)}
	w.header.pull(&c.Response().Header)
	w.header.session.Del("Content-Type") // fasthttp has a default
	if isServed(c) {
		w.conn = &conn{Conn: c.RequestCtx().Conn(), closed: make(chan struct{})}
		w.handed, w.refused = make(chan struct{}), make(chan struct{})
	}
	return w
}

// run runs the handler.
func (w *writer) run(h http.Handler, r *http.Request) {
	left := leave{panicked: true}
	defer func() {
		left.value = recover()
		if w.hijacked {
			w.report(left, r)
			return
		}
		w.left <- left
	}()
	h.ServeHTTP(w, r)
	left.panicked = false
}

// report logs the panic of a handler that has hijacked its connection, as a server
// of net/http does.
func (w *writer) report(left leave, r *http.Request) {
	if !left.panicked {
		return
	}
	_ = w.conn.Close()
	if left.value != http.ErrAbortHandler {
		log.Errorf("panic serving %s: %v\n%s", r.RemoteAddr, left.value, debug.Stack())
	}
}

// Header implements [http.ResponseWriter].
func (w *writer) Header() http.Header { return w.header.session }

// WriteHeader implements [http.ResponseWriter]. fasthttp sends nothing ahead of the
// response.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
}

// Write implements [http.ResponseWriter].
func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b...)
	return len(b), nil
}

// Hijack implements [http.Hijacker]. It waits until the response is out, which may
// be that of a session that could not be stored.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	switch {
	case w.hijacked:
		return nil, nil, http.ErrHijacked
	case w.conn == nil:
		return nil, nil, http.ErrNotSupported
	}
	w.hijacked = true
	w.left <- leave{hijacked: true}
	select {
	case <-w.handed:
		return w.conn, bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn)), nil
	case <-w.refused:
		return nil, nil, net.ErrClosed
	case <-w.ctx.Done():
		_ = w.conn.Close()
		return nil, nil, w.ctx.Err()
	}
}

// handOver has fasthttp send the response and then leave the connection to the handler.
func (w *writer) handOver(c fiber.Ctx) {
	c.Locals(w, closer(func() { close(w.refused) }))
	c.RequestCtx().Hijack(func(net.Conn) {
		close(w.handed)
		<-w.conn.closed
	})
}

// send gives fasthttp the response.
func (w *writer) send(c fiber.Ctx) {
	if len(w.body) > 0 && w.header.session.Get("Content-Type") == "" {
		w.header.session.Set("Content-Type", http.DetectContentType(w.body))
	}
	w.header.push(&c.Response().Header)
	c.Status(cmp.Or(w.status, http.StatusOK)).Response().SetBodyRaw(w.body)
}

// conn is a hijacked connection. It is for fasthttp to close, which lets others use
// it again.
type conn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

// Close implements [net.Conn].
func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}
