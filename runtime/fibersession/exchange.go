package fibersession

import (
	"bufio"
	"cmp"
	"net"
	"net/http"

	"github.com/gofiber/fiber/v3"

	"github.com/duckgen/duckgen/runtime"
)

var _ runtime.Outliving = (*exchange)(nil)

// exchange is the response of an app as the Middleware of net/http sees it. Whatever
// that writes itself is an answer instead of the app's.
type exchange struct {
	c      fiber.Ctx // until the handler has returned
	header header
	status int
	body   []byte
	passed bool  // the response is the app's
	late   error // what the handler returned after somebody else has answered
}

// Header implements [http.ResponseWriter].
func (x *exchange) Header() http.Header {
	if x.header.session == nil {
		x.header.pull(&x.c.Response().Header)
	}
	return x.header.session
}

// WriteHeader implements [http.ResponseWriter].
func (x *exchange) WriteHeader(status int) { x.status = status }

// Write implements [http.ResponseWriter].
func (x *exchange) Write(b []byte) (int, error) {
	x.body = append(x.body, b...)
	return len(b), nil
}

// Hijack implements [http.Hijacker]: the session goes on with the connection, which
// fasthttp hands to whoever has asked for it.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }

// serve runs the app's handlers, and commits. If they panic, what Save has put into
// the header is for whoever recovers.
func (x *exchange) serve(w http.ResponseWriter) {
	committed := false
	defer func() {
		if !committed {
			x.keep()
		}
	}()
	x.header.push(&x.c.Response().Header)
	err := x.c.Next()
	if x.isAnswered() {
		x.late = err
		w.WriteHeader(http.StatusServiceUnavailable)
	} else {
		x.fail(err)
		x.header.pull(&x.c.Response().Header)
		x.passed = commit(w, x.c) == nil
	}
	committed = true
}

func (x *exchange) keep() {
	x.header.pull(&x.c.Response().Header)
	x.header.push(&x.c.Response().Header)
}

// isAnswered reports whether the handler has been given up and answered for.
// Nothing of the response counts any more, and the handler may still write it.
func (x *exchange) isAnswered() bool { return x.c.RequestCtx().LastTimeoutErrorResponse() != nil }

// fail answers for a handler that has returned an error.
func (x *exchange) fail(err error) {
	if err != nil && x.c.App().ErrorHandler(x.c, err) != nil {
		_ = x.c.SendStatus(fiber.StatusInternalServerError) // always nil
	}
}

// commit begins the response, which commits the session. The error is that of a
// commit that has answered itself.
func commit(w http.ResponseWriter, c fiber.Ctx) error {
	if c.RequestCtx().Hijacked() {
		_, _, err := http.NewResponseController(w).Hijack()
		return err
	}
	w.WriteHeader(c.Response().StatusCode())
	_, err := w.Write(nil)
	return err
}

// Outlives implements [runtime.Outliving]. What fasthttp streams goes on after the
// handler; once the response is over, it closes the values of the request.
func (x *exchange) Outlives(end func()) bool {
	if !isServed(x.c) || !x.passed || x.c.RequestCtx().Hijacked() || !x.c.Response().IsBodyStream() {
		return false
	}
	x.c.Locals(x, closer(end))
	return true
}

// isServed reports whether fasthttp serves the connection itself. An app behind net/http
// has what merely looks like one.
func isServed(c fiber.Ctx) bool { return c.RequestCtx().ConnRequestNum() > 0 }

// closer is closed by calling it.
type closer func()

// Close implements [io.Closer].
func (c closer) Close() error {
	c()
	return nil
}

// send gives fasthttp the response, unless that has gone out.
func (x *exchange) send() error {
	if x.isAnswered() {
		return x.late
	}
	if !x.passed {
		x.answer()
	}
	x.header.push(&x.c.Response().Header)
	return nil
}

// answer puts the answer in the place of the app's.
func (x *exchange) answer() {
	x.c.RequestCtx().Hijack(nil)
	x.c.Response().ResetBody()
	x.c.Status(cmp.Or(x.status, http.StatusOK)).Response().SetBodyRaw(x.body)
}
