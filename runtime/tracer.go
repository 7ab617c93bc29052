package runtime

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// A Tracer is notified of what requests, and events of live connections, do with their
// sessions: see [Config].Tracer. It is for development tools, and is used by many
// goroutines at once.
type Tracer interface {
	// Begin is called when a request or an event gets its session. Whatever happens to
	// that has the context which Begin returns, or one that comes of it.
	Begin(ctx context.Context, b TraceBegin) context.Context

	// Read is called when a field is read, also by TakeX, ClaimX and EnsureX.
	Read(ctx context.Context, field string)

	// Event and Error are called before OnEvent and OnError. Not all of these are of a
	// request.
	Event(ctx context.Context, e Event)
	Error(ctx context.Context, err error)

	// End is called with the context of Begin, once all is committed.
	End(ctx context.Context, e TraceEnd)
}

// A TraceBegin is the beginning of a request, or of an event of a live connection.
type TraceBegin struct {
	Request *http.Request // nil: an event
	Session string        // the type, "session.Visitor"

	// View shows the session while the request runs, and makes that no use of the
	// session. Nil of an event.
	View func(context.Context) (View, error)
}

// A TraceEnd is the end of a request, or of an event of a live connection.
type TraceEnd struct {
	Handle string // of the session; empty if there is none
	Status int    // of the response; 0 if nothing was answered, or it is not known
	Err    error  // of an event, or [ErrPanicked]
}

// ErrPanicked is the error of a request or event whose handler has panicked.
var ErrPanicked = errors.New("the handler has panicked")

// A View is a stored session as those see it who have its token. It holds no token.
type View struct {
	Handle   string // empty: nothing is stored, and there is nothing else to see
	Created  time.Time
	Renewed  time.Time
	SignedIn time.Time // zero: nobody has
	LastUsed time.Time
	Expires  time.Time
	Bound    bool // to the device of the browser
	Fields   []FieldView
}

// A FieldView is a field of a [View].
type FieldView struct {
	Key    string
	Value  any  // as the getter returns it; nil if it is secret
	Secret bool // sealed: the value is not shown
	Index  bool // sessions are found by it
	Renew  bool // setting it is a sign-in
}
