package runtime

import (
	"context"
	"sync"
	"time"
)

// connection is what a session knows of the live connection that it belongs to.
type connection struct {
	events     sync.Mutex      // one event at a time
	ctx        context.Context // between events
	saw        Proof           // of the session that the browser knows, as far as the connection does; zero: none
	ticket     secret          // to be sent, with cookieSet
	nextTicket secret          // of the one that a commit is to store

	// proved is until when the connection needs no further proof that its page is on
	// the device that the session is bound to; zero: for ever.
	proved time.Time

	superseded bool // by a sign-in before the handshake
	destroyed  bool // by the running event

	socket *socket // nil: the connection cannot be closed by the session
}

// ticketLife is how long a ticket can be redeemed.
const ticketLife = 30 * time.Second

// newTicket makes the ticket of a delta or a new record.
func newTicket(kind string, now time.Time, saw Proof, sole bool) (*Ticket, secret) {
	t := newSecret()
	return &Ticket{
		Proof: t.ticketProof(kind),
		Ends:  now.Add(ticketLife).Truncate(time.Millisecond),
		Saw:   saw,
		Sole:  sole,
	}, t
}
