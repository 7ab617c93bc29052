package runtime

import (
	"context"
	"sync"
	"time"
)

// connection is what a session knows of the live connection that it belongs to.
type connection struct {
	events sync.Mutex      // one event at a time
	ctx    context.Context // of the handshake
	saw    Proof           // what the browser presented at the handshake; zero: no live session

	// undelivered says that only a ticket can bring the session's token to the
	// browser.
	undelivered bool
	ticket      secret // to be sent, with cookieSet

	// proved is until when the connection needs no further proof that its page is on
	// the device that the session is bound to; zero: for ever.
	proved time.Time

	destroyed bool // by the running event

	socket *socket // nil: the connection cannot be closed by the session
}

// ticketLife is how long a ticket can be redeemed.
const ticketLife = 30 * time.Second

// newTicket makes the ticket of a delta or a new record.
func (c *connection) newTicket(kind string, now time.Time, sole bool) (*Ticket, secret) {
	t := newSecret()
	return &Ticket{
		Proof: t.ticketProof(kind),
		Ends:  now.Add(ticketLife).Truncate(time.Millisecond),
		Saw:   c.saw,
		Sole:  sole,
	}, t
}
