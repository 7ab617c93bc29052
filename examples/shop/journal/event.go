package journal

import (
	"context"
	"time"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
)

// Sessions are the sessions of live connections, with each event noted.
type Sessions struct {
	*session.VisitorSessions
	Journal *Journal
}

// LivelyEvent runs the event of a live connection and notes it. The handler tells
// its name.
func (s Sessions) LivelyEvent(
	ctx context.Context, conn runtime.LivelyConn, v *session.VisitorSession, handle func(context.Context) error,
) error {
	n := &note{at: time.Now(), session: v}
	err := s.VisitorSessions.LivelyEvent(context.WithValue(ctx, noteKey{}, n), conn, v, func(ctx context.Context) error {
		err := handle(ctx)
		n.begin()
		return err
	})
	s.Journal.add(kept{v.Handle(), Entry{At: n.at, Method: "EVENT", Path: n.event, Wrote: n.wrote, Calls: n.made()}})
	return err
}

// NameEvent tells the journal which event the context is of.
func NameEvent(ctx context.Context, name string) {
	if n := noteOf(ctx); n != nil {
		n.event = name
	}
}
