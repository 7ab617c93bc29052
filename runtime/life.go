package runtime

import "time"

// life is what is pending of a session besides its fields.
type life struct {
	renew  bool       // a new token
	expiry *time.Time // another deadline, zero: the configured age
	ending *identity  // the stored session that Destroy ends
}

// changes reports whether anything is pending. A session that is not stored yet is
// not created for that.
func (l *life) changes(stored bool) bool {
	return l.ending != nil || stored && (l.renew || l.expiry != nil)
}

// keepEnding drops what is pending but for a destruction. It reports whether there
// was anything else.
func (l *life) keepEnding(stored bool) (dropped bool) {
	dropped = stored && (l.renew || l.expiry != nil)
	l.renew, l.expiry = false, nil
	return dropped
}

// deadline returns that of a session created then.
func (l *life) deadline(created time.Time, age time.Duration) time.Time {
	if l.expiry == nil || l.expiry.IsZero() {
		return created.Add(age)
	}
	return *l.expiry
}

// see withdraws a deadline that the record has already.
func (l *life) see(r *Record, age time.Duration) {
	if l.expiry != nil && l.deadline(r.Created, age).Equal(r.Deadline) {
		l.expiry = nil
	}
}
