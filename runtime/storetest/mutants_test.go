package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A mutant is a store with one defect, and the statements that must notice it.
type mutant struct {
	name   string
	fails  []string
	mutate func(*toy)
}

var mutants = []mutant{
	{"a create overwrites", []string{"an id is created once"}, func(s *toy) {
		s.create = func(_ *runtime.Record, _ runtime.Key, r *runtime.Record) (*runtime.Record, error) {
			return r, nil
		}
	}},
	{"reading and writing are two steps", []string{
		"of concurrent creates one wins", "of concurrent writes under one condition one wins", "of concurrent claims one wins",
		"an update at the same moment does not revive", "of concurrent activities the latest counts",
		"of 64 renewals one wins and all data counts", "of 64 sign-ins of different users one wins", "of concurrent redemptions one wins",
		"disjoint entries written at once survive", "counters are exact", "a size limit holds against concurrent writes",
		"a concurrent history is linearizable",
	}, func(s *toy) { s.torn = true }},
	{"an update inserts", []string{"a missing session is not updated"}, func(s *toy) {
		onApply(s, func(u update) outcome {
			if u.r == nil {
				end := u.key.Now.Add(life)
				u.r = &runtime.Record{Kind: kind, Proof: u.key.Proof, Deadline: end, Expires: end}
			}
			return u.apply()
		})
	}},
	{"an expired session is updated", []string{"an expired session is not updated"}, func(s *toy) {
		onApply(s, func(u update) outcome {
			if u.r != nil {
				u.key.Now = u.r.Created
			}
			return u.apply()
		})
	}},
	{"the proof is ignored", []string{
		"a wrong proof updates nothing", "a wrong proof reaches nothing",
	}, func(s *toy) {
		onKey(s, func(r *runtime.Record, key *runtime.Key) { key.Proof = r.Proof })
	}},
	{"conditions are forgotten", []string{
		"a failed condition changes nothing", "of concurrent writes under one condition one wins", "of concurrent claims one wins",
	}, func(s *toy) {
		onOps(s, func(op *runtime.Op) { op.If = nil })
	}},
	{"a refused update has written already", []string{
		"a failed condition changes nothing", "a size limit holds",
	}, func(s *toy) {
		onApply(s, func(u update) outcome {
			o := u.apply()
			if o.err == nil || u.r == nil {
				return o
			}
			u.d = &runtime.Delta{Ops: withoutConditions(u.d.Ops)}
			return outcome{next: u.apply().next, err: o.err}
		})
	}},
	{"every condition fails", []string{"a condition that holds is no obstacle"}, func(s *toy) {
		onOps(s, func(op *runtime.Op) {
			if op.If != nil {
				op.If = &runtime.Condition{Value: "nobody wrote this"}
			}
		})
	}},
	{"a condition minds the whole record", []string{"a condition minds its own entry only"}, func(s *toy) {
		changed := map[runtime.Proof]bool{}
		onApply(s, func(u update) outcome {
			if changed[u.key.Proof] && len(u.d.Ops) > 0 && u.d.Ops[0].If != nil {
				return outcome{next: u.r, err: runtime.ErrConflict}
			}
			changed[u.key.Proof] = true
			return u.apply()
		})
	}},
	{"a delete of nothing is an error", []string{
		"a session is deleted twice without an error", "a missing session is deleted without an error",
	}, func(s *toy) {
		s.end = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
			if r == nil || !r.Ended.IsZero() {
				return r, runtime.ErrNotFound
			}
			return r.End(key)
		}
	}},
	{"an update revives", []string{"an update does not revive"}, func(s *toy) {
		onApply(s, func(u update) outcome {
			if u.r != nil {
				u.r = copyRecord(u.r)
				u.r.Ended = time.Time{}
			}
			return u.apply()
		})
	}},
	{"a create revives", []string{"a create does not revive"}, func(s *toy) {
		s.create = func(old *runtime.Record, key runtime.Key, r *runtime.Record) (*runtime.Record, error) {
			if old != nil && old.Ended.IsZero() {
				return old, runtime.ErrExists
			}
			return r, nil
		}
	}},
	{"an end leaves no mark", []string{"running requests learn of the end for a minute"}, func(s *toy) {
		s.end = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
			next, err := r.End(key)
			if next != nil && !next.Ended.IsZero() {
				return nil, err
			}
			return next, err
		}
	}},
	{"a session lives too long", []string{"a session lives until it expires and no longer"}, func(s *toy) {
		onKey(s, func(_ *runtime.Record, key *runtime.Key) { key.Now = key.Now.Add(-time.Millisecond) })
	}},
	{"activity is ignored", []string{
		"activity extends a life", "of concurrent activities the latest counts",
	}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) { d.Active = time.Time{} })
	}},
	{"the last use is forgotten", []string{"the last use is recorded with the idle limit and never moves back"}, func(s *toy) {
		onNext(s, func(next *runtime.Record, _ *runtime.Record, d *runtime.Delta) { next.Used = time.Time{} })
	}},
	{"the last use moves back", []string{"the last use is recorded with the idle limit and never moves back"}, func(s *toy) {
		onNext(s, func(next *runtime.Record, _ *runtime.Record, d *runtime.Delta) { next.Used = d.Used })
	}},
	{"an idle limit of its own is ignored", []string{"an idle limit of its own takes the place of the configured one"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) { d.Idle = nil })
	}},
	{"the persistence is ignored", []string{"the persistence of the cookie is kept"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) { d.Persistence = runtime.PersistenceConfigured })
	}},
	{"activity sets the expiry", []string{
		"activity never shortens a life", "activity never passes the deadline",
		"of concurrent activities the latest counts", "a clock set back shortens no life",
	}, func(s *toy) {
		onNext(s, func(next *runtime.Record, _ *runtime.Record, d *runtime.Delta) {
			if !d.Active.IsZero() {
				next.Expires = d.Active
			}
		})
	}},
	{"activity writes an empty session", []string{"activity touches nothing else"}, func(s *toy) {
		onNext(s, func(next *runtime.Record, _ *runtime.Record, d *runtime.Delta) {
			if len(d.Ops) == 0 {
				next.Entries = runtime.Entries{}
			}
		})
	}},
	{"a new deadline is ignored", []string{"a new deadline moves the end"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) { d.Deadline = time.Time{} })
	}},
	{"the loser of a renewal wins", []string{"the old token cannot undo a renewal"}, func(s *toy) {
		onNext(s, func(next *runtime.Record, _ *runtime.Record, d *runtime.Delta) {
			if d.Renewal != nil {
				next.Proof = d.Renewal.Proof
			}
		})
	}},
	{"anybody may sign in", []string{"a sign-in needs the current token, or the same user"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) {
			if d.SignIn != nil {
				d.SignIn = &runtime.SignIn{}
			}
		})
	}},
	{"earlier tokens are forgotten", []string{"a renewed token works for the grace"}, func(s *toy) {
		onNext(s, func(next *runtime.Record, _ *runtime.Record, _ *runtime.Delta) { next.Earlier = nil })
	}},
	{"one earlier token is remembered", []string{"four earlier tokens are remembered"}, func(s *toy) {
		onNext(s, func(next *runtime.Record, _ *runtime.Record, _ *runtime.Delta) {
			next.Earlier = next.Earlier[:min(1, len(next.Earlier))]
		})
	}},
	{"a renewal forgets what is in use", []string{"no renewal forgets a token that may be in use"}, func(s *toy) {
		onApply(s, func(u update) outcome {
			if u.r != nil && len(u.r.Earlier) == runtime.MaxEarlier && u.d.Renewal != nil {
				u.r = copyRecord(u.r)
				u.r.Earlier[runtime.MaxEarlier-1].Presented = u.key.Now.Add(-time.Hour)
			}
			return u.apply()
		})
	}},
	{"a sign-out by an earlier token is a write", []string{"a sign-out by an earlier token ends all others"}, func(s *toy) {
		onApply(s, func(u update) outcome {
			if u.r != nil && u.key.Proof != u.r.Proof && u.d.Renewal != nil && u.d.Renewal.Kind == runtime.RenewSignOut {
				changed := *u.d
				changed.Renewal, u.d = nil, &changed
			}
			return u.apply()
		})
	}},
	{"a request arrives when it ends", []string{
		"a request that arrived in time may end the session", "a token of the family that is forgotten is reuse",
	}, func(s *toy) {
		onKey(s, func(_ *runtime.Record, key *runtime.Key) { key.Age = 0 })
	}},
	{"reuse ends nothing", []string{"a token reused after the grace ends the session"}, func(s *toy) {
		s.read = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
			next, err := r.Read(key)
			if err == runtime.ErrReused {
				return r, err
			}
			return next, err
		}
	}},
	{"a held token is evidence of reuse", []string{
		"a token held by a running request is no reuse",
	}, func(s *toy) {
		onKey(s, func(_ *runtime.Record, key *runtime.Key) { key.Held = false })
	}},
	{"each presentation counts anew", []string{"only the first presentation counts"}, func(s *toy) {
		s.read = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
			next, err := r.Read(key)
			if err == nil && key.Proof == next.Proof && len(next.Earlier) > 0 {
				next = copyRecord(next)
				next.Earlier[0].Presented = key.Now
			}
			return next, err
		}
	}},
	{"a load does not present", []string{"only the first presentation counts"}, func(s *toy) {
		s.read = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
			key.Live = true
			return r.Read(key)
		}
	}},
	{"a live connection presents", []string{"a live connection does not present"}, func(s *toy) {
		onKey(s, func(_ *runtime.Record, key *runtime.Key) { key.Live = false })
	}},
	{"a sign-in is a plain renewal", []string{"a sign-in ends the old token at once"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) {
			if d.Renewal != nil {
				d.SignIn, d.Renewal = nil, &runtime.Renewal{Proof: d.Renewal.Proof, Grace: d.Renewal.Grace}
			}
		})
	}},
	{"the same user does not join", []string{"sign-ins of the same user join"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) {
			if d.SignIn != nil {
				d.SignIn = &runtime.SignIn{Fields: d.SignIn.Fields}
			}
		})
	}},
	{"the end of the grace is forgotten", []string{"a renewal that nobody learnt of can be repeated"}, func(s *toy) {
		onNext(s, func(next, _ *runtime.Record, _ *runtime.Delta) {
			for i := range next.Earlier {
				next.Earlier[i].Ended = next.Earlier[i].Ended.Add(time.Hour)
			}
		})
	}},
	{"a sign-out is a sign-in", []string{"a sign-out bars the sign-ins that arrived before"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) {
			if d.Renewal != nil && d.Renewal.Kind == runtime.RenewSignOut {
				renewal := *d.Renewal
				renewal.Kind = runtime.RenewSignIn
				d.Renewal = &renewal
			}
		})
	}},
	{"the family is not kept", []string{"a token of the family that is forgotten is reuse"}, func(s *toy) {
		onNext(s, func(next, _ *runtime.Record, _ *runtime.Delta) { next.Family = runtime.Family{} })
	}},
	{"a renewal leaves the ticket", []string{"a ticket ends with its token"}, func(s *toy) {
		onNext(s, func(next, before *runtime.Record, d *runtime.Delta) {
			if d.Redeem == nil && d.Ticket == nil {
				next.Ticket = before.Ticket
			}
		})
	}},
	{"a renewal that lost leaves its ticket", []string{"a ticket ends with its token"}, func(s *toy) {
		onNext(s, func(next, _ *runtime.Record, d *runtime.Delta) { next.Ticket = d.Ticket })
	}},
	{"a redemption is a plain renewal", []string{"a redemption keeps the connection's token"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) {
			if d.Redeem != nil && d.Renewal != nil {
				renewal := *d.Renewal
				renewal.Kind = runtime.RenewPlain
				d.Renewal = &renewal
			}
		})
	}},
	{"a ticket goes without a renewal", []string{"a ticket goes with a renewal alone"}, func(s *toy) {
		onNext(s, func(next, _ *runtime.Record, d *runtime.Delta) {
			if d.Renewal == nil && d.Ticket != nil {
				next.Ticket = d.Ticket
			}
		})
	}},
	{"a redeemed ticket stays", []string{
		"a ticket is redeemed once", "of concurrent redemptions one wins",
	}, func(s *toy) {
		onNext(s, func(next, before *runtime.Record, d *runtime.Delta) {
			if d.Redeem != nil {
				next.Ticket = before.Ticket
			}
		})
	}},
	{"a ticket is redeemed for anybody", []string{"a ticket is redeemed for its browser only"}, func(s *toy) {
		onApply(s, func(u update) outcome {
			if u.key.Ticket && u.r != nil && u.r.Ticket != nil {
				changed := *u.d
				changed.Redeem = &runtime.Redemption{Presented: u.r.Ticket.Saw}
				u.d = &changed
			}
			return u.apply()
		})
	}},
	{"a ticket does not bound its session", []string{
		"a ticket that alone delivers a session bounds it",
	}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) {
			if d.Ticket != nil {
				ticket := *d.Ticket
				ticket.Sole = false
				d.Ticket = &ticket
			}
		})
	}},
	{"a ticket that replaces the only one is for another browser", []string{
		"a ticket that alone delivers a session bounds it",
	}, func(s *toy) {
		onNext(s, func(next, _ *runtime.Record, d *runtime.Delta) {
			if next.Ticket != nil && d.Ticket != nil {
				next.Ticket = d.Ticket
			}
		})
	}},
	{"kind and field are not part of the index", []string{"the carriers of a value are found"}, func(s *toy) {
		s.matches = func(r *runtime.Record, v runtime.IndexValue, now time.Time) bool {
			for e := range r.Entries.Indexed() {
				if e.Value == v.Value && now.Before(r.Expires) {
					return true
				}
			}
			return false
		}
	}},
	{"the expired are found", []string{"the index follows the sessions"}, func(s *toy) {
		s.matches = func(r *runtime.Record, v runtime.IndexValue, _ time.Time) bool {
			return carriesLive(r, v, r.Created)
		}
	}},
	{"a search stops when a session ends", []string{
		"a search leaves the store free",
	}, func(s *toy) { s.hasty = true }},
	{"a revocation excepts nobody", []string{
		"a revocation ends the carriers and nobody else", "a revocation bars requests that arrived before",
	}, func(s *toy) { s.noException = true }},
	{"a revocation leaves no mark", []string{
		"a revocation bars requests that arrived before", "a login at the same moment does not escape",
	}, func(s *toy) { s.noMarks = true }},
	{"a revocation leaves its mark late", []string{
		"a login at the same moment does not escape",
	}, func(s *toy) { s.lateMarks = true }},
	{"a sweep takes the marks of revocations", []string{"a revocation bars requests that arrived before"}, func(s *toy) {
		s.sweptMarks = true
	}},
	{"a list has all kinds", []string{
		"all sessions of a kind are listed, and no other", "a session is found by its id",
		"a revocation of all ends every session of the kind and no other",
	}, func(s *toy) {
		s.matches = func(r *runtime.Record, v runtime.IndexValue, now time.Time) bool {
			return v.Field == "" && r.Live(now) || carriesLive(r, v, now)
		}
	}},
	{"a revocation of all leaves no mark", []string{
		"a revocation of all bars what arrived before from beginning a session",
		"a session that begins at the same moment does not escape",
	}, func(s *toy) { s.noMarks = true }},
	{"a trim ends the wrong ones", []string{"the sessions of a value are trimmed to those used last"}, func(s *toy) {
		onNext(s, func(next *runtime.Record, _ *runtime.Record, d *runtime.Delta) { next.Used = time.Time{} })
	}},
	{"a trim looks and ends in two steps", []string{"of 64 sign-ins at once exactly the limit stays"}, func(s *toy) { s.tornTrim = true }},
	{"counters stay at 0", []string{"a counter is removed, replaced and kept as it should"}, func(s *toy) {
		onOps(s, func(op *runtime.Op) { op.DropZero = false })
	}},
	{"a field is cleared by its prefix", []string{
		"clearing a field removes all its entries and no other",
	}, func(s *toy) {
		onApply(s, clearByPrefix)
	}},
	{"the store keeps and gives what is the caller's", []string{
		"changes to a created record are not seen", "changes to a delta are not seen", "changes to a loaded record are not seen",
	}, func(s *toy) { s.copied = func(r *runtime.Record) *runtime.Record { return r } }},
	{"the context is ignored", []string{"a cancelled context changes nothing"}, func(s *toy) {
		s.ready = func(context.Context) error { return nil }
	}},
	{"a cancelled update stops halfway", []string{
		"a context cancelled meanwhile leaves all or nothing",
	}, func(s *toy) {
		onApply(s, func(u update) outcome {
			u.d = &runtime.Delta{Ops: u.d.Ops[:1]}
			return outcome{next: u.apply().next, err: context.Canceled}
		})
	}},
	{"values are texts", []string{"values and keys are binary-safe"}, func(s *toy) {
		onOps(s, func(op *runtime.Op) { op.Entry.Value = strings.ToValidUTF8(op.Entry.Value, "?") })
	}},
	{"values end after 64 KiB", []string{"a value of 1 MiB is kept"}, func(s *toy) {
		onOps(s, func(op *runtime.Op) { op.Entry.Value = op.Entry.Value[:min(len(op.Entry.Value), 64<<10)] })
	}},
	{"what overflows is dropped", []string{"a counter has the range of int64"}, func(s *toy) {
		onApply(s, func(u update) outcome {
			if o := u.apply(); !errors.Is(o.err, runtime.ErrOverflow) {
				return o
			}
			u.d = &runtime.Delta{Ops: u.d.Ops[:1]}
			return u.apply()
		})
	}},
	{"limits are forgotten", []string{
		"a size limit holds", "a size limit holds against concurrent writes",
	}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) { d.Limits, d.MaxBytes = nil, 0 })
	}},
	{"the order of operations is forgotten", []string{"of several fields that are too large the first is named"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) {
			slices.SortFunc(d.Ops, func(a, b runtime.Op) int { return cmp.Compare(a.Entry.Key, b.Entry.Key) })
		})
	}},
	{"limits bind what shrinks", []string{"a size limit holds"}, func(s *toy) {
		onApply(s, func(u update) outcome {
			o := u.apply()
			if o.err == nil && u.d.MaxBytes > 0 && o.next.Entries.Size() > u.d.MaxBytes {
				return outcome{next: u.r, err: runtime.ErrTooLarge}
			}
			return o
		})
	}},
	{"a sweep takes marks and what is about to expire", []string{
		"only what has expired is swept",
	}, func(s *toy) {
		s.expired = func(r *runtime.Record, now time.Time) bool {
			return now.Add(time.Millisecond).After(r.Expires) || !r.Ended.IsZero()
		}
	}},
	{"a sweep leaves what it counts", []string{"only what has expired is swept"}, func(s *toy) {
		s.expired = func(*runtime.Record, time.Time) bool { return false }
	}},
	{"a sweep puts back what it saw", []string{
		"others work during a sweep",
	}, func(s *toy) { s.tornSweep = true }},
	{"what a load finds expired is removed", []string{
		"a clock that jumps ahead takes no session",
	}, func(s *toy) {
		s.read = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
			if r != nil && !key.Now.Before(r.Expires) {
				return nil, runtime.ErrNotFound
			}
			return r.Read(key)
		}
	}},
	{"an end lies in the future", []string{"a clock set back revives nothing"}, func(s *toy) {
		s.read = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
			if r != nil && key.Now.Before(r.Ended) {
				return r, nil
			}
			return r.Read(key)
		}
	}},
	{"an outage is not found", []string{"an outage is reported as such"}, func(s *toy) {
		s.outage = func() error { return runtime.ErrNotFound }
	}},
	{"loads are stale", []string{"a concurrent history is linearizable"}, func(s *toy) {
		previous := map[runtime.Proof]*runtime.Record{}
		s.read = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
			next, err := r.Read(key)
			seen := previous[key.Proof]
			previous[key.Proof] = next
			if err == nil && seen != nil && seen.Ended.IsZero() {
				next = copyRecord(next)
				next.Entries = seen.Entries
			}
			return next, err
		}
	}},
	{"a short way forgets a first presentation", []string{
		"random histories are what the methods of a record make of them", "a short way leads where the full one does",
	}, func(s *toy) {
		onNext(s, func(next, before *runtime.Record, d *runtime.Delta) {
			if isOrdinary(d) {
				next.Earlier = before.Earlier
			}
		})
	}},
	{"a short way adds without looking", []string{"a short way leads where the full one does"}, func(s *toy) {
		onDelta(s, func(d *runtime.Delta) {
			if isOrdinary(d) {
				d.Ops = slices.DeleteFunc(slices.Clone(d.Ops), func(op runtime.Op) bool { return op.Entry.Count == 0 && op.DropZero })
			}
		})
	}},
	{"a watcher stays deaf", []string{
		"a watcher that has lost its connection says so and hears again",
		"a watcher begins after another has lost its connection",
	}, func(s *toy) { s.deaf = true }},
	{"a watcher does not say what it has missed", []string{
		"a watcher that has lost its connection says so and hears again",
	}, func(s *toy) { s.silent = true }},
	{"the clock of the program counts", []string{
		"a revocation by a process with another clock bars what arrived before",
		"a token renewed by a process with another clock works for the grace",
		"a session lives as long by every clock",
		"an end by a process with another clock is known by who arrived before",
		"a process reads times by its own clock",
	}, func(s *toy) { s.clientClock = true }},
	{"a sign-in spares the requests of other processes", []string{
		"a sign-in by a process with another clock ends the old token",
	}, func(s *toy) {
		onKey(s, func(r *runtime.Record, key *runtime.Key) {
			if key.Age > 0 && len(r.Earlier) > 0 && r.Earlier[0].Proof == key.Proof {
				key.Proof = r.Proof
			}
		})
	}},
	{"a goroutine is left", []string{"closing leaves no goroutine"}, func(s *toy) {
		go time.Sleep(leak)
	}},
}

// leak is longer than a check waits for a goroutine to end.
const leak = 2 * leakTimeout

// An update is one application of a delta, on its way to be spoilt.
type update struct {
	definition func(*runtime.Record, runtime.Key, *runtime.Delta) (*runtime.Record, *runtime.Result, error)
	r          *runtime.Record
	key        runtime.Key
	d          *runtime.Delta
}

type outcome struct {
	next   *runtime.Record
	result *runtime.Result
	err    error
}

func (u update) apply() (o outcome) {
	o.next, o.result, o.err = u.definition(u.r, u.key, u.d)
	return o
}

// onApply puts a defect around the application of deltas.
func onApply(s *toy, defect func(update) outcome) {
	apply := s.apply
	s.apply = func(r *runtime.Record, key runtime.Key, d *runtime.Delta) (*runtime.Record, *runtime.Result, error) {
		o := defect(update{apply, r, key, d})
		return o.next, o.result, o.err
	}
}

// onDelta changes each delta before it is applied.
func onDelta(s *toy, defect func(*runtime.Delta)) {
	onApply(s, func(u update) outcome {
		changed := *u.d
		defect(&changed)
		u.d = &changed
		return u.apply()
	})
}

// onOps changes each operation of a delta before it is applied.
func onOps(s *toy, defect func(*runtime.Op)) {
	onDelta(s, func(d *runtime.Delta) {
		d.Ops = slices.Clone(d.Ops)
		for i := range d.Ops {
			defect(&d.Ops[i])
		}
	})
}

// onNext changes each record that an update makes.
func onNext(s *toy, defect func(next, before *runtime.Record, d *runtime.Delta)) {
	onApply(s, func(u update) outcome {
		o := u.apply()
		if o.err == nil {
			defect(o.next, u.r, u.d)
			o.result.Expires, o.result.Deadline = o.next.Expires, o.next.Deadline
		}
		return o
	})
}

// onKey changes each key that meets a record.
func onKey(s *toy, defect func(*runtime.Record, *runtime.Key)) {
	onApply(s, func(u update) outcome {
		if u.r != nil {
			defect(u.r, &u.key)
		}
		return u.apply()
	})
	s.read = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
		if r != nil {
			defect(r, &key)
		}
		return r.Read(key)
	}
	s.end = func(r *runtime.Record, key runtime.Key) (*runtime.Record, error) {
		if r != nil {
			defect(r, &key)
		}
		return r.End(key)
	}
}

// isOrdinary reports whether a store might take a short way.
func isOrdinary(d *runtime.Delta) bool {
	return d.Renewal == nil && d.Ticket == nil && d.Redeem == nil && len(d.Limits) == 0
}

func withoutConditions(ops []runtime.Op) []runtime.Op {
	ops = slices.Clone(ops)
	for i := range ops {
		ops[i].If = nil
	}
	return ops
}

func clearByPrefix(u update) outcome {
	if u.r == nil {
		return u.apply()
	}
	changed := *u.d
	changed.Ops = nil
	for _, op := range u.d.Ops {
		for e := range u.r.Entries.All() {
			if op.Kind == runtime.OpClear && strings.HasPrefix(e.Key, op.Entry.Key) {
				changed.Ops = append(changed.Ops, runtime.Op{Kind: runtime.OpRemove, Entry: e})
			}
		}
	}
	changed.Ops = append(changed.Ops, u.d.Ops...)
	u.d = &changed
	return u.apply()
}
