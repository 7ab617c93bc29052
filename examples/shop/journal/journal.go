// Package journal notes what each request and each live event did to its session:
// the fields that it wrote and the calls that its store got. The shop shows it on
// a page.
package journal

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/duckgen/duckgen/examples/shop/session"
)

// An Entry is what one request or event did. Of a live connection's handshake it
// comes once the connection has ended.
type Entry struct {
	At     time.Time
	Method string   // EVENT for an event
	Path   string   // or the event's name
	Wrote  []string // keys of the fields that had changed when the response began
	Calls  []string // of the store, in order
}

// A Journal keeps the last requests. It is safe for concurrent use.
type Journal struct {
	// Noted, if set, is told the session of each new entry.
	Noted func(handle string)

	mu      sync.Mutex
	entries []kept
}

type kept struct {
	handle string // of the session; empty where the request had none
	Entry
}

// size is how many requests are kept, of all visitors together.
const size = 500

// Of returns the last requests of a session, those that began last first.
func (j *Journal) Of(handle string) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []Entry
	for _, k := range slices.Backward(j.entries) {
		if k.handle == handle {
			list = append(list, k.Entry)
		}
	}
	slices.SortStableFunc(list, func(a, b Entry) int { return b.At.Compare(a.At) })
	return list
}

func (j *Journal) add(k kept) {
	j.keep(k)
	if j.Noted != nil {
		j.Noted(k.handle)
	}
}

func (j *Journal) keep(k kept) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == size {
		j.entries = slices.Delete(j.entries, 0, 1)
	}
	j.entries = append(j.entries, k)
}

// Middleware gives each request its session, and notes what next does to it.
func (j *Journal) Middleware(sessions *session.VisitorSessions, next http.Handler) http.Handler {
	noted := sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := noteOf(r.Context())
		n.session = session.VisitorFrom(r.Context())
		next.ServeHTTP(&writer{ResponseWriter: w, note: n}, r)
		n.begin()
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &note{at: time.Now()}
		noted.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), noteKey{}, n)))
		// Only now, after the commit, are the calls complete.
		j.add(kept{n.session.Handle(), Entry{
			At:     n.at,
			Method: r.Method,
			Path:   r.URL.Path,
			Wrote:  n.wrote,
			Calls:  n.made(),
		}})
	})
}

// A note is what is known of a request so far.
type note struct {
	at      time.Time
	session *session.VisitorSession
	event   string // its name, of an event
	begun   bool
	wrote   []string

	mu    sync.Mutex
	calls []string
}

type noteKey struct{}

// noteOf returns the note in the context, nil where no request is noted.
func noteOf(ctx context.Context) *note {
	n, _ := ctx.Value(noteKey{}).(*note)
	return n
}

// begin notes which fields have changed: the session is about to be committed.
func (n *note) begin() {
	if !n.begun {
		n.begun = true
		n.wrote = n.session.DirtyFields()
	}
}

func (n *note) call(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls = append(n.calls, name)
}

func (n *note) made() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.calls)
}

// A writer tells the note before the first byte of the response, which is when
// the session's own writer commits.
type writer struct {
	http.ResponseWriter
	note *note
}

// Unwrap serves [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) WriteHeader(status int) {
	w.note.begin()
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	w.note.begin()
	return w.ResponseWriter.Write(b)
}
