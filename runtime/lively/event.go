package lively

import (
	"strings"
	"time"
)

// An Event is what a page tells: something that the visitor has done.
type Event struct {
	// ID is different for each event of each page, and the same if the page sends an
	// event again. One that an earlier process may have run it sends again only with
	// data-live-again. A handler that stores the ID with what it changes can tell.
	// Empty: the client numbers no events.
	ID string
	// Root names the page, as its data-live-root says.
	Root string
	// Component is the key of the element that the event is about.
	Component string
	// Name is what the page calls the event; it chooses the handler.
	Name string
	// Value is what came along: nil, bool, int64, uint64 (beyond int64), float64,
	// string, []byte, []any or map[string]any. A form sends a map of its fields.
	// It is a visitor's input.
	Value any
	// Document says that the event is one of the document rather than of an
	// element.
	Document bool

	number uint64 // by which it is answered; 0: none
	origin uint64 // by which the page sent it for the first time
}

// An Outcome is what has become of an event.
type Outcome uint8

const (
	// OutcomeDone: its handler has succeeded, and what it changed is stored.
	OutcomeDone Outcome = iota

	// OutcomeFailed: its handler has returned an error or panicked, or the changes
	// could not be stored.
	OutcomeFailed

	// OutcomeUnknown: there is no handler of its name.
	OutcomeUnknown

	// OutcomeRefused: it was not run, because the page has to connect again first.
	// The browser client then sends it again.
	OutcomeRefused

	// OutcomeSuperseded: its handler has run, but read defaults, or what it changed is not
	// stored, because another request has signed in meanwhile. The browser client connects again, and
	// with data-live-again sends the event again.
	OutcomeSuperseded
)

// String returns "done", "failed", "unknown", "refused" or "superseded".
func (o Outcome) String() string {
	return [...]string{"done", "failed", "unknown", "refused", "superseded"}[o]
}

// A Report says how an event or a navigation went.
type Report struct {
	Name    string        // of the event; empty: a navigation, or a name without a handler
	ID      string        // as [Event.ID]
	Outcome Outcome       //
	Waited  time.Duration // for the events before it, since its frame was read
	Took    time.Duration // from then until it was stored and the page told
	Waiting int           // how many events of the connection wait behind it
}

// Field returns the text of a form's field, of several the first one. It is empty
// where there is none or it is no text.
func (e Event) Field(name string) string {
	form, _ := e.Value.(map[string]any)
	switch v := form[name].(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			text, _ := v[0].(string)
			return text
		}
	}
	return ""
}

// Page returns the id of the page that has sent the event and the event's number in
// it, which grows; both are parts of its ID. A session that keeps the last number of
// each page recognises every repetition, because the events of a page come in order.
func (e Event) Page() (id string, number uint64) {
	id, _, _ = strings.Cut(e.ID, ".")
	return id, e.origin
}

// A Navigation is a page's wish for another page without loading it.
type Navigation struct {
	Previous string            // root of the page that is shown
	Next     string            // root of the page that is wanted; empty: not known
	Path     string            // with the query; a visitor's input
	Headers  map[string]string // as the page would send them; a visitor's input
}

// A Page answers a [Navigation].
type Page struct {
	Path      string
	Reload    bool    // let the browser load Path instead
	Component string  // root of the page that is shown then
	Patches   []Patch // turn the old page into the new one
	Partial   bool    // more of it follows
}
