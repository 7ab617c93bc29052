package runtime

import (
	"errors"
	"time"
)

// appendBound appends what an update says of the device. A record that was not
// loaded has to be as it would be opened: bound by the cookie that the request
// brings, or not bound at all. If it is not, the store refuses, and a load judges.
func (c commit) appendBound(list []Op, now time.Time) []Op {
	if c.found {
		return list
	}
	if c.sight == seen {
		b := readBinding(c.engine.format, c.draft.stored.Entries)
		if b.demanded.IsZero() && c.invites(false) {
			return append(list, c.invite(now), Op{Kind: OpRemove, Entry: Entry{Key: boundEntry}})
		}
		return list
	}
	if c.confirmed && !c.live.isUnproved(now) {
		return list
	}
	if t, brought := c.engine.broughtBound(c.brought, c.engine.byStore(c.arrivedAt(now))); brought {
		hash := t.hash(c.engine.kind)
		bound := Entry{Key: boundEntry, Value: bytesForm(c.engine.format, hash[:])}
		return append(list, Op{Kind: OpSet, Entry: bound, If: &Condition{Value: bound.Value}})
	}
	if c.invites(false) {
		list = append(list, c.invite(now))
	}
	return append(list, Op{Kind: OpRemove, Entry: Entry{Key: boundEntry}, If: &Condition{Absent: true}})
}

// arrivedAt returns when the request arrived, by the program's clock. On a live
// connection that is long ago, and counts no more.
func (c commit) arrivedAt(now time.Time) time.Time {
	if c.isLive() {
		return now
	}
	return now.Add(c.arrived - now.Sub(epoch))
}

// invites reports whether the response of this commit asks the browser to register
// a key. An event of a live connection has no response that could.
func (c commit) invites(creates bool) bool {
	due := c.draft.signsIn() || creates && c.engine.config.Bound == BoundAlways
	return due && c.engine.config.Bound != BoundNever && c.request != nil && c.live == nil
}

// invite makes the challenge of an invitation, and returns what stores it.
func (c commit) invite(now time.Time) Op {
	made := newChallenge()
	c.room.invitation = &made
	b := binding{challenge: made, challenged: c.engine.byStore(now)}
	return Op{Kind: OpSet, Entry: Entry{Key: deviceEntry, Value: b.form(c.engine.format)}}
}

// leaveDevice begins a session of its own for a sign-in on a device that the session
// is not bound to. It reports whether it has.
func (c commit) leaveDevice() bool {
	if !c.draft.signsIn() || !errors.Is(c.refusal, ErrUnbound) {
		return false
	}
	c.beginAfresh()
	c.unbinds = true
	return true
}
