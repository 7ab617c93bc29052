package runtime

import "context"

// A Watcher is a store that tells what happens to sessions, whichever process
// did it, so that live connections learn of it at once.
type Watcher interface {
	// Watch returns once it watches, and calls tell for every change from then
	// on until ctx is done. Calls come one at a time, after the change took
	// place, and must not wait for the store. Where the store loses sight for a
	// while it tells ChangesMissed once it watches again.
	Watch(ctx context.Context, tell func(Change)) error
}

// A Change is what a [Watcher] tells.
type Change struct {
	Kind  ChangeKind
	ID    ID    // not of ChangesMissed
	Proof Proof // the new one, of SessionRenewed
}

// ChangeKind says what happened.
type ChangeKind uint8

const (
	SessionEnded   ChangeKind = iota // destroyed, revoked or reused; expiry is not told
	SessionRenewed                   // has a new token

	// SessionRescheduled: it expires earlier than it did. Of a store that does not
	// tell this, connections of other processes learn it within 15 minutes.
	SessionRescheduled

	ChangesMissed // any session may have changed
)

// ChangeOf returns what a [Watcher] has to tell once next has replaced the
// record old, nil where there was none. It reports false for what nobody needs
// to hear.
func ChangeOf(id ID, old, next *Record) (c Change, told bool) {
	switch {
	case old == nil || !old.Ended.IsZero():
		return Change{}, false
	case !next.Ended.IsZero():
		return Change{Kind: SessionEnded, ID: id}, true
	case next.Proof != old.Proof:
		return Change{Kind: SessionRenewed, ID: id, Proof: next.Proof}, true
	case next.Expires.Before(old.Expires):
		return Change{Kind: SessionRescheduled, ID: id}, true
	default:
		return Change{}, false
	}
}
