package runtime

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// errNotSaved is what a handler gets for the body that nobody will see.
var errNotSaved = errors.New("the session could not be saved, the response says so")

// writer commits the session before the first byte of the response.
type writer struct {
	session  Session
	given    http.Header // what was in the header when the middleware began; nil: nothing
	begun    bool        // the session was committed
	failed   bool        // and the answer says that it could not be
	counted  bool        // the request was counted as activity
	broken   bool        // the handler has answered that it failed
	hijacked bool        // the connection is no longer the server's
}

// Format names the session's type. Without it a writer that is printed would show
// the cookie.
func (w *writer) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "response with "+w.session.engine.name)
}

// Unwrap serves [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.under() }

// under returns the server's writer.
func (w *writer) under() http.ResponseWriter { return w.session.response }

func (w *writer) Header() http.Header { return w.under().Header() }

// WriteHeader commits, but not for an informational response: that is followed
// by another. 101 is not.
func (w *writer) WriteHeader(status int) {
	var begins bool
	switch {
	case status == http.StatusSwitchingProtocols:
		begins = w.upgrade()
	case status >= 100 && status < 200:
		begins = true
	default:
		begins = w.begin(status)
	}
	if begins {
		w.under().WriteHeader(status)
	}
}

func (w *writer) Write(b []byte) (int, error) {
	if !w.begin(http.StatusOK) {
		return 0, errNotSaved
	}
	return w.under().Write(b)
}

func (w *writer) WriteString(text string) (int, error) {
	if !w.begin(http.StatusOK) {
		return 0, errNotSaved
	}
	return io.WriteString(w.under(), text)
}

func (w *writer) flush() error {
	if !w.begin(http.StatusOK) {
		return errNotSaved
	}
	return http.NewResponseController(w.under()).Flush()
}

func (w *writer) readFrom(r io.Reader) (int64, error) {
	if !w.begin(http.StatusOK) {
		return 0, errNotSaved
	}
	return w.under().(io.ReaderFrom).ReadFrom(r)
}

// CloseNotify returns a channel on which the end of the request is sent: some
// frameworks ask for one without asking whether there is one.
func (w *writer) CloseNotify() <-chan bool {
	for u := range unwrapped(w.under()) {
		//lint:ignore SA1019 what frameworks still use has to be offered
		if n, ok := u.(http.CloseNotifier); ok {
			return n.CloseNotify()
		}
	}
	gone := make(chan bool, 1)
	context.AfterFunc(w.session.request.Context(), func() { gone <- true })
	return gone
}

// Push begins an HTTP/2 server push, if the server can.
func (w *writer) Push(target string, options *http.PushOptions) error {
	for u := range unwrapped(w.under()) {
		if p, ok := u.(http.Pusher); ok {
			return p.Push(target, options)
		}
	}
	return http.ErrNotSupported
}

// hijack hands the connection over to the handler. From here on the session is
// committed by the events of a live connection, if it is one.
func (w *writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !w.upgrade() {
		return nil, nil, errNotSaved
	}
	conn, rw, err := http.NewResponseController(w.under()).Hijack()
	if err == nil {
		w.hijacked = true
		liveSession{&w.session}.handOver()
	}
	return conn, rw, err
}

// upgrade commits the session of a handshake. It reports whether the handshake
// may go on.
func (w *writer) upgrade() bool {
	err := liveSession{&w.session}.loadUsed()
	if err != nil && !w.begun {
		w.begun = true
		w.fail()
		w.tell(err)
	}
	return w.begin(http.StatusSwitchingProtocols)
}

// begin commits at the first call. It reports whether the handler's response
// may go out.
func (w *writer) begin(status int) bool {
	w.broken = w.broken || status >= http.StatusInternalServerError
	if !w.begun {
		w.commit(status != http.StatusSwitchingProtocols)
	}
	return !w.failed
}

// commit is the commit before the first byte of the response. More says that the
// handler goes on, and may read its session later.
func (w *writer) commit(more bool) {
	w.begun = true
	s, h := &w.session, w.under().Header()
	if (response{s}).pass(phaseOpen, h, more) {
		return
	}
	s.lock()
	err := response{s}.commit(w.broken)
	again := response{s}.comesAgain()
	if err != nil || again {
		w.fail()
	}
	responseHeader{s, h}.send(more)
	w.counted = s.draft.stored != nil
	s.unlock()
	switch {
	case again:
		reload(h)
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w.under(), "<!DOCTYPE html><title>One moment</title>\n")
	case err != nil:
		w.tell(err)
	}
}

// fail makes the header of the response what it was when the middleware began,
// with what the handler said to pages of other origins and to caches about what
// the response depends on.
func (w *writer) fail() {
	w.failed = true
	h := w.under().Header()
	for field := range h {
		if !outlivesFailure(field) {
			delete(h, field)
		}
	}
	for field, lines := range w.given {
		if _, ok := h[field]; !ok {
			h[field] = lines
		}
	}
}

func outlivesFailure(field string) bool {
	field = http.CanonicalHeaderKey(field)
	return field == "Vary" || strings.HasPrefix(field, "Access-Control-")
}

// tell answers the visitor that the session could not be saved.
func (w *writer) tell(err error) {
	s := &w.session
	keepOutOfCaches(w.under().Header(), new([1]string))
	a := &answer{ResponseWriter: w.under(), status: StatusOf(err)}
	s.engine.config.ErrorHandler(a, s.request, err)
	a.begin()
}

// answer writes the response of an ErrorHandler. Its status is not 200 if the
// handler says nothing of one.
type answer struct {
	http.ResponseWriter
	status int
	begun  bool
}

// begin sends the status if the handler has sent none.
func (a *answer) begin() {
	if !a.begun {
		a.WriteHeader(a.status)
	}
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if !a.begun && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		a.begun, a.status = true, status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(b []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(b)
}

// FlushError is what [http.ResponseController] calls.
func (a *answer) FlushError() error {
	a.begin()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Unwrap leads [http.ResponseController] to the server's writer.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// pass lets the response begin if nobody has touched the session and its cookie
// is in order: there is nothing to commit. What still reads the session may come
// later if there is more to come. It reports whether that was so.
func (r response) pass(next phase, h http.Header, more bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != nil {
		return false
	}
	if _, what := tokenIn(r.engine.carrier, r.brought); !r.begun && what == malformedCookie {
		return false
	}
	if more {
		responseHeader{r.Session, h}.expectRead()
	}
	r.begun, r.phase = true, next
	return true
}

// Browsers do not refresh a bound cookie for what another site has begun, be it a
// link that somebody follows. The page that such a link opens loads itself once more:
// that is the site's own request.

// comesAgain reports whether the browser is to send the request once more, because it
// has not brought the bound cookie that it can have.
func (r response) comesAgain() bool {
	return errors.Is(r.refusal, ErrUnbound) && isForeignNavigation(r.request)
}

// reload has the page of a response load itself again.
func reload(h http.Header) {
	h.Set("Refresh", "0")
	keepOutOfCaches(h, new([1]string))
}
