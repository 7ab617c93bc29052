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

// open makes this the writer of a response. Most of them begin with an empty
// header, which costs nothing to keep.
func (w *writer) open(under http.ResponseWriter) {
	w.session.response = under
	if h := under.Header(); len(h) > 0 {
		w.given = h.Clone()
	}
}

// What the server's writer can do besides writing.
const flushes, hijacks, reads = 1, 2, 4

// face returns the writer with those optional methods that the server's writer
// has, directly or behind Unwrap.
func (w *writer) face() http.ResponseWriter {
	switch abilities(w.session.response) {
	case flushes:
		return flusher{w}
	case hijacks:
		return hijacker{w}
	case reads:
		return reader{w}
	case flushes | hijacks:
		return flushHijacker{flusher{w}}
	case flushes | reads:
		return flushReader{flusher{w}}
	case hijacks | reads:
		return hijackReader{hijacker{w}}
	case flushes | hijacks | reads:
		return flushHijackReader{flushHijacker{flusher{w}}}
	default:
		return w
	}
}

// abilities returns what w can do by itself, or with a writer that it wraps. It
// follows Unwrap as [http.ResponseController] does, which has no ReadFrom.
func abilities(w http.ResponseWriter) (able int) {
	if _, ok := w.(io.ReaderFrom); ok {
		able = reads
	}
	for {
		if _, ok := w.(http.Flusher); ok {
			able |= flushes
		}
		if _, ok := w.(interface{ FlushError() error }); ok {
			able |= flushes
		}
		if _, ok := w.(http.Hijacker); ok {
			able |= hijacks
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return able
		}
		w = u.Unwrap()
	}
}

// The faces are one pointer each, so that choosing one allocates nothing.
type (
	flusher           struct{ *writer }
	hijacker          struct{ *writer }
	reader            struct{ *writer }
	flushHijacker     struct{ flusher }
	flushReader       struct{ flusher }
	hijackReader      struct{ hijacker }
	flushHijackReader struct{ flushHijacker }
)

func (w flusher) Flush()                                             { _ = w.flush() }
func (w flusher) FlushError() error                                  { return w.flush() }
func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error)      { return w.hijack() }
func (w flushHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }
func (w reader) ReadFrom(r io.Reader) (int64, error)                 { return w.readFrom(r) }
func (w flushReader) ReadFrom(r io.Reader) (int64, error)            { return w.readFrom(r) }
func (w hijackReader) ReadFrom(r io.Reader) (int64, error)           { return w.readFrom(r) }
func (w flushHijackReader) ReadFrom(r io.Reader) (int64, error)      { return w.readFrom(r) }

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
	//lint:ignore SA1019 what frameworks still use has to be offered
	if n, ok := offered[http.CloseNotifier](w.under()); ok {
		return n.CloseNotify()
	}
	gone := make(chan bool, 1)
	context.AfterFunc(w.session.request.Context(), func() { gone <- true })
	return gone
}

// Push begins an HTTP/2 server push, if the server can.
func (w *writer) Push(target string, options *http.PushOptions) error {
	if p, ok := offered[http.Pusher](w.under()); ok {
		return p.Push(target, options)
	}
	return http.ErrNotSupported
}

// offered returns the first writer in the chain of Unwrap methods that implements
// T.
func offered[T any](w http.ResponseWriter) (T, bool) {
	for {
		if t, ok := w.(T); ok {
			return t, true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			var none T
			return none, false
		}
		w = u.Unwrap()
	}
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

// abandon is the end of a request whose handler has panicked: nothing more of it is
// committed.
func (w *writer) abandon() {
	s := &w.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if !w.hijacked {
		s.phase = phaseClosed
	}
}

// finish is the end of the request: the commit of a handler that wrote nothing,
// or a second one of what it changed after it began to. What a live connection
// changes is committed by its events.
func (w *writer) finish() {
	s := &w.session
	if w.hijacked || (response{s}).pass(phaseClosed, nil, false) {
		return
	}
	late := w.begun
	if !late {
		w.commit(false)
	}
	s.lock()
	defer s.unlock()
	if s.live != nil {
		return
	}
	if late && !w.failed && (s.dirty() || !w.counted) {
		_ = response{s}.commit(w.broken) // reported to OnError
		responseHeader{s, w.under().Header()}.sendCookie()
	}
	s.phase = phaseClosed
}
