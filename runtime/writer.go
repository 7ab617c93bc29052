package runtime

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// errNotSaved is what a handler gets for the body that nobody will see.
var errNotSaved = errors.New("the session could not be saved, the response says so")

// writer commits the session before the first byte of the response.
type writer struct {
	session  *Session
	encoding []string // Content-Encoding of a writer around this one
	begun    bool     // the session was committed
	failed   bool     // and the answer says that it could not be
	counted  bool     // the request was counted as activity
}

// What the server's writer can do besides writing.
const flushes, hijacks, reads = 1, 2, 4

// face returns the writer with those optional methods that the server's writer
// has, directly or behind Unwrap.
func (w *writer) face() http.ResponseWriter {
	switch abilities(w.under()) {
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
	begin := w.begin
	switch {
	case status == http.StatusSwitchingProtocols:
		begin = w.upgrade
	case status >= 100 && status < 200:
		w.under().WriteHeader(status)
		return
	}
	if begin() {
		w.under().WriteHeader(status)
	}
}

func (w *writer) Write(b []byte) (int, error) {
	if !w.begin() {
		return 0, errNotSaved
	}
	return w.under().Write(b)
}

func (w *writer) WriteString(text string) (int, error) {
	if !w.begin() {
		return 0, errNotSaved
	}
	return io.WriteString(w.under(), text)
}

func (w *writer) flush() error {
	if !w.begin() {
		return errNotSaved
	}
	return http.NewResponseController(w.under()).Flush()
}

func (w *writer) readFrom(r io.Reader) (int64, error) {
	if !w.begin() {
		return 0, errNotSaved
	}
	return w.under().(io.ReaderFrom).ReadFrom(r)
}

// hijack hands the connection over to a live connection. From here on events
// commit the session.
func (w *writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !w.upgrade() {
		return nil, nil, errNotSaved
	}
	conn, rw, err := http.NewResponseController(w.under()).Hijack()
	if err == nil {
		s := w.session
		s.lock()
		s.goLive()
		s.between()
		s.unlock()
	}
	return conn, rw, err
}

// upgrade loads the session of a handshake, so that it counts as seen alive, and
// commits it. It reports whether the handshake may go on.
func (w *writer) upgrade() bool {
	s := w.session
	s.lock()
	s.load(s.ctx)
	down, err := s.sight == outage, s.refusal
	s.unlock()
	if down && !w.begun {
		w.begun = true
		w.tell(err)
	}
	return w.begin()
}

// begin commits at the first call. It reports whether the handler's response
// may go out.
func (w *writer) begin() bool {
	if w.begun {
		return !w.failed
	}
	w.begun = true
	s := w.session
	if s.pass(phaseOpen) {
		return true
	}
	s.lock()
	err := s.respond(w.under().Header())
	w.counted = s.draft.stored != nil
	s.unlock()
	if err != nil {
		w.tell(err)
	}
	return !w.failed
}

// ofContent are the header fields that a handler sets for its own content.
var ofContent = []string{
	"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length",
	"Content-Location", "Content-Range", "Etag", "Expires", "Last-Modified", "Location", "Refresh", "Trailer",
}

// tell answers the visitor that the session could not be saved, with nothing of
// the handler's own response. What a writer around this one encodes stays
// encoded.
func (w *writer) tell(err error) {
	w.failed = true
	h := w.under().Header()
	for _, field := range ofContent {
		delete(h, field)
	}
	if len(w.encoding) > 0 {
		h["Content-Encoding"] = w.encoding
	}
	keepOutOfCaches(h, new([1]string))
	status := StatusOf(err)
	http.Error(w.under(), http.StatusText(status), status)
}

// finish is the end of the request: the commit of a handler that wrote nothing,
// or a second one of what it changed after it began to. What a live connection
// changes is committed by its events.
func (w *writer) finish() {
	s := w.session
	late := w.begun
	if s.pass(phaseClosed) {
		w.begun = true
		return
	}
	w.begin()
	s.lock()
	defer s.unlock()
	if s.live != nil {
		return
	}
	if late && !w.failed && (s.dirty() || !w.counted) {
		_ = s.hookCommit() // reported to OnError
		s.sendCookie(w.under().Header())
	}
	s.phase = phaseClosed
}
