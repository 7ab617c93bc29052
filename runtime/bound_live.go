package runtime

import "time"

// A live connection sends no further request that could bring the next bound cookie,
// and a thief would keep one open. It goes on until the cookie ends that its handshake
// has brought. Then the page is to connect again, with a handshake that waits for a
// refresh. A connection that has brought none, because the session was not bound then,
// asks every BoundAge whether it is by now.

// provedBy returns until when a connection needs no further proof whose handshake has
// brought the cookies and was admitted to the record, nil for none; the zero time if
// it never does.
func (e *engine) provedBy(cookies string, r *Record, now time.Time) time.Time {
	if e.config.Bound == BoundNever {
		return time.Time{}
	}
	if t, brought := e.broughtBound(cookies, e.byStore(now)); brought && r != nil {
		if b := readBinding(e.format, r.Entries); b.registered() && b.knows(t.hash(e.kind)) {
			return t.end().Add(-e.server.Ahead())
		}
	}
	return now.Add(e.config.BoundAge)
}

// proveAgain judges a connection that needs a further proof. It returns until when it
// may go on: not at all, with ErrUnbound, if the session demands a bound cookie.
func (e *engine) proveAgain(r *Record, now time.Time) (until time.Time, err error) {
	if b := readBinding(e.format, r.Entries); b.demands(e.byStore(now)) {
		return now, ErrUnbound
	}
	return now.Add(e.config.BoundAge), nil
}

// isUnproved reports whether the connection, nil for none, needs a further proof.
func (c *connection) isUnproved(now time.Time) bool {
	return c != nil && !c.proved.IsZero() && !now.Before(c.proved)
}
