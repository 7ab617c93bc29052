package runtime

import "time"

// life is what is pending of a session besides its fields.
type life struct {
	begin         bool           // a session, even if nothing is in it
	renew         bool           // a new token
	endsContested bool           // the sessions of several cookies
	persistence   Persistence    // another one of its cookie; zero: it stays
	expiry        *time.Time     // another deadline, zero: the configured age
	idle          *time.Duration // another idle limit of its own, 0: the configured one
	ending        *ending        // what Destroy ends
}

// An ending is that of a stored session. One that the store has not found may still
// end: by a request that arrived while its token worked, and has waited since.
type ending struct {
	identity
	notFound bool
}

// changes reports whether anything is pending. A session that is not stored yet is
// not created for a renewal or another deadline.
func (l *life) changes(stored bool) bool {
	if !stored {
		return l.ending != nil || l.endsContested || l.begin
	}
	pending := *l
	pending.begin = false
	return pending != life{}
}

// keepEnding drops what is pending but for a destruction. It reports whether there
// was anything else.
func (l *life) keepEnding(stored bool) (dropped bool) {
	others := *l
	others.ending, others.endsContested = nil, false
	*l = life{ending: l.ending, endsContested: l.endsContested}
	return others.changes(stored)
}

// deadline returns that of a session created then.
func (l *life) deadline(created time.Time, age time.Duration) time.Time {
	if l.expiry == nil || l.expiry.IsZero() {
		return created.Add(age)
	}
	return *l.expiry
}

// ownIdle returns the idle limit of its own that a session has, which may be another
// one than is stored.
func (l *life) ownIdle(stored time.Duration) time.Duration {
	if l.idle != nil {
		return *l.idle
	}
	return stored
}
