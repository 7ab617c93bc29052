package storetest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C12, C13 and C15: what callers and sweepers may do at any time.

func createCopies(k *kit) {
	s, old := newSession(), newProof()
	r := k.record(s, k.entry("theme", "dark"))
	r.Earlier = []runtime.EarlierProof{{Proof: old, Ended: k.now, Grace: grace}}
	r.Ticket = &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace)}
	ticket := *r.Ticket
	if err := k.store.Create(k.Context(), k.key(s), r); err != nil {
		k.Fatalf("Create: %v", err)
	}
	r.Earlier[0] = runtime.EarlierProof{Proof: newProof()}
	*r.Ticket = runtime.Ticket{}
	*r = runtime.Record{Entries: runtime.NewEntries(k.entry("theme", "light"))}
	k.holds("the caller changed the record after Create", s.with(old), k.entry("theme", "dark"))
	k.update(k.ticketKey(s, &ticket), redeem(s.with(newProof())))
}

func updateCopies(k *kit) {
	s, next := k.create(), newProof()
	ticket := runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace)}
	given := ticket
	d := set(k.entry("theme", "dark"))
	d.Renewal = &runtime.Renewal{Proof: next, Grace: grace}
	d.Ticket = &given
	k.update(k.key(s), d)
	d.Ops[0].Entry = k.entry("theme", "light")
	*d.Renewal = runtime.Renewal{}
	given = runtime.Ticket{}
	s = s.with(next)
	k.holds("the caller changed the delta after Update", s, k.entry("theme", "dark"))
	k.update(k.ticketKey(s, &ticket), redeem(s.with(newProof())))
}

func loadCopies(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	*k.load(s) = runtime.Record{}
	k.holds("the caller changed the record after Load", s, k.entry("theme", "dark"))
	result := k.update(k.key(s), add("views", 1))
	*result = runtime.Result{}
	k.at("the expiry after the caller changed the result", k.load(s).Expires, k.now.Add(idle))
}

func cancelledBefore(k *kit) {
	s := k.create(k.login(7))
	before := k.load(s)
	ctx, cancel := context.WithCancel(k.Context())
	cancel()
	_, err := k.store.Load(ctx, k.key(s))
	k.want("Load with a cancelled context", err, context.Canceled)
	_, err = k.store.Update(ctx, k.key(s), set(k.entry("theme", "light")))
	k.want("Update with a cancelled context", err, context.Canceled)
	k.want("Delete with a cancelled context", k.store.Delete(ctx, k.key(s)), context.Canceled)
	fresh := newSession()
	k.want("Create with a cancelled context", k.store.Create(ctx, k.key(fresh), k.record(fresh)), context.Canceled)
	k.gone("a cancelled Create", fresh)
	k.same("after cancelled operations", k.load(s), before)
	k.cancelledIndex(ctx, s)
}

// cancelledMeanwhile cancels a little later each time, so that it meets every
// part of an update, be it fast or slow.
func cancelledMeanwhile(k *kit) {
	s := k.create(k.entry("a", "start"), k.entry("b", "start"))
	for n := range k.rounds(100) {
		payload := strconv.Itoa(n)
		ctx, cancel := context.WithCancel(k.Context())
		timer := time.AfterFunc(time.Duration(n)*10*time.Microsecond, cancel)
		_, err := k.store.Update(ctx, k.key(s), set(k.entry("a", payload), k.entry("b", payload)))
		timer.Stop()
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			k.Errorf("Update while its context is cancelled: %v", err)
		}
		entries := k.load(s).Entries
		a, _ := entries.Get("a")
		b, _ := entries.Get("b")
		if a.Value != b.Value {
			k.Fatalf("a cancelled Update left half of it: %s", list(entries))
		}
	}
}

// sweeper returns the store's sweeper, or skips the check.
func (k *kit) sweeper() runtime.Sweeper {
	k.Helper()
	sweeper, ok := runtime.Ability[runtime.Sweeper](k.store)
	if !ok {
		k.Skipf("the store is no runtime.Sweeper")
	}
	return sweeper
}

// createUntil stores a session that expires at some time.
func (k *kit) createUntil(expires time.Time, entries ...runtime.Entry) session {
	k.Helper()
	s := newSession()
	r := k.record(s, entries...)
	r.Expires = expires
	if err := k.store.Create(k.Context(), k.key(s), r); err != nil {
		k.Fatalf("Create: %v", err)
	}
	return s
}

func sweepExpired(k *kit) {
	sweeper := k.sweeper()
	var expiring, living []session
	for range 300 {
		expiring = append(expiring, k.createUntil(k.now.Add(time.Hour)))
		living = append(living, k.createUntil(k.now.Add(time.Hour+time.Millisecond)))
	}
	ended := k.create()
	k.later(time.Hour)
	k.end(ended)
	if n, err := sweeper.Sweep(k.Context(), k.now); n != len(expiring) || err != nil {
		k.Errorf("Sweep with 300 expired records = %d, %v; want 300", n, err)
	}
	if n, err := sweeper.Sweep(k.Context(), k.now); n != 0 || err != nil {
		k.Errorf("a second Sweep = %d, %v; want 0", n, err)
	}
	for _, s := range living {
		k.holds("a sweep", s)
	}
	k.gone("a sweep", expiring[0])
	k.later(time.Second)
	k.want("Load by a request that arrived before the end", k.loadErr(k.running(ended, time.Minute)), runtime.ErrEnded)

	// A swept record is not there any more, whatever the clock says.
	k.later(-time.Hour)
	k.gone("a sweep, with the clock set back", expiring[0])
}

func sweepMeanwhile(k *kit) {
	sweeper := k.sweeper()
	const workers, each, sweeps = 4, 100, 50
	var living [workers]session
	for i := range living {
		living[i] = k.create()
	}
	for range 500 {
		k.createUntil(k.now.Add(time.Hour))
	}
	k.later(2 * time.Hour)
	errs := make([]error, workers+1)
	removed := 0
	together(workers+1, func(i int) {
		if i < workers {
			for range each {
				errs[i] = errors.Join(errs[i], k.updateErr(k.key(living[i]), add("views", 1)))
			}
			return
		}
		for range sweeps {
			n, err := sweeper.Sweep(k.Context(), k.now)
			removed += n
			errs[i] = errors.Join(errs[i], err)
		}
	})
	if err := errors.Join(errs...); err != nil {
		k.Fatalf("updates during sweeps: %v", err)
	}
	if removed != 500 {
		k.Errorf("sweeps with 500 expired records removed %d", removed)
	}
	for _, s := range living {
		k.holds("updates during sweeps", s, counter("views", each))
	}
}
