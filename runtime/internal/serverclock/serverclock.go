// Package serverclock moves the times of records between the clock of a program
// and that of a server. It is shared by the stores on servers.
package serverclock

import (
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// Move returns the record with all its times moved, or itself if that changes
// nothing.
func Move(r *runtime.Record, by time.Duration) *runtime.Record {
	if r == nil || by == 0 {
		return r
	}
	next := *r
	for _, t := range []*time.Time{&next.Created, &next.Renewed, &next.SignedIn, &next.Used, &next.Deadline, &next.Expires, &next.Ended} {
		*t = MoveTime(*t, by)
	}
	next.Earlier = slices.Clone(r.Earlier)
	for i := range next.Earlier {
		e := &next.Earlier[i]
		e.Ended, e.Presented = MoveTime(e.Ended, by), MoveTime(e.Presented, by)
	}
	next.Ticket = moveTicket(r.Ticket, by)
	return &next
}

// MoveTime leaves zero as it is, which means none.
func MoveTime(t time.Time, by time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(by)
}

// MoveResult moves all times of a result.
func MoveResult(r *runtime.Result, by time.Duration) {
	for _, t := range []*time.Time{&r.Created, &r.Renewed, &r.SignedIn, &r.Used, &r.Deadline, &r.Expires} {
		*t = MoveTime(*t, by)
	}
}

// MoveDelta returns the delta with all its times moved, or itself if that changes
// nothing.
func MoveDelta(d *runtime.Delta, by time.Duration) *runtime.Delta {
	if by == 0 {
		return d
	}
	next := *d
	for _, t := range []*time.Time{&next.Deadline, &next.Used, &next.Active} {
		*t = MoveTime(*t, by)
	}
	next.Ticket = moveTicket(d.Ticket, by)
	return &next
}

func moveTicket(t *runtime.Ticket, by time.Duration) *runtime.Ticket {
	if t == nil {
		return nil
	}
	next := *t
	next.Ends = MoveTime(t.Ends, by)
	return &next
}
