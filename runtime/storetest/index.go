package storetest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C10: sessions found and revoked by an indexed value.

// indexer returns the store's index, or skips the check.
func (k *kit) indexer() runtime.Indexer {
	k.Helper()
	indexer, ok := runtime.Ability[runtime.Indexer](k.store)
	if !ok {
		k.Skipf("the store is no runtime.Indexer")
	}
	return indexer
}

// user names the sessions of one user.
func (k *kit) user(n int) runtime.IndexValue {
	return runtime.IndexValue{Kind: kind, Field: "user_id", Value: k.value(strconv.Itoa(n))}
}

// login returns the entry that makes a session one of the user's.
func (k *kit) login(n int) runtime.Entry { return k.indexedEntry("user_id", strconv.Itoa(n)) }

// found demands that exactly these sessions carry the value.
func (k *kit) found(what string, v runtime.IndexValue, want ...session) {
	k.Helper()
	missing := make(map[runtime.ID]session, len(want))
	for _, s := range want {
		missing[s.id] = s
	}
	for found, err := range k.indexer().Find(k.Context(), v, k.now) {
		if err != nil {
			k.Errorf("%s, then Find: %v", what, err)
			return
		}
		s, ok := missing[found.ID]
		switch {
		case !ok:
			k.Errorf("%s: Find yields a session twice, or one that does not carry the value", what)
		case found.Record == nil || found.Record.Proof != s.proof:
			k.Errorf("%s: Find yields a session without its record", what)
		}
		delete(missing, found.ID)
	}
	if len(missing) > 0 {
		k.Errorf("%s: Find misses %d of %d sessions", what, len(missing), len(want))
	}
}

func findCarriers(k *kit) {
	k.found("an empty store", k.user(7))
	var sessions []session
	for range 300 {
		sessions = append(sessions, k.create(k.login(7), k.entry("theme", "dark")))
	}
	other := k.create(k.login(8))
	k.create(k.entry("user_id", "7")) // not indexed
	elsewhere := newSession()
	r := k.record(elsewhere, k.login(7))
	r.Kind = "storetest.Other"
	if err := k.store.Create(k.Context(), k.key(elsewhere), r); err != nil {
		k.Fatalf("Create of another kind: %v", err)
	}
	k.create(k.indexedEntry("team_id", "7"))
	k.found("a user with 300 sessions", k.user(7), sessions...)
	k.found("another user", k.user(8), other)
	k.found("a user without sessions", k.user(9))
}

func findFollows(k *kit) {
	s := k.create()
	k.found("before a login", k.user(7))
	k.update(k.key(s), set(k.login(7)))
	k.found("after a login", k.user(7), s)
	k.update(k.key(s), set(k.login(8), k.entry("theme", "dark")))
	k.found("after a login as somebody else", k.user(7))
	k.found("after a login as somebody else", k.user(8), s)
	k.update(k.key(s), &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpClear, Entry: runtime.Entry{Key: "user_id"}}}})
	k.found("after a logout", k.user(8))
	fields := []string{"user_id", "team_id", "org_id"}
	k.update(k.key(s), set(k.login(7), k.indexedEntry(fields[1], "7"), k.entry("lang", "eo"), k.indexedEntry(fields[2], "7")))
	for n := range fields {
		for i, field := range fields {
			v := k.user(7)
			if v.Field = field; i < n {
				k.found("after the removal of "+field, v)
			} else {
				k.found("after a login of three values", v, s)
			}
		}
		k.update(k.key(s), &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: fields[n]}}}})
	}
	k.update(k.key(s), set(k.login(7)))
	renewed := s.with(newProof())
	k.update(k.key(s), renewal(renewed))
	k.found("after a renewal", k.user(7), renewed)
	k.end(renewed)
	k.found("after the end", k.user(7))
	expiring := k.create(k.login(7))
	k.later(idle - time.Millisecond)
	k.found("before the expiry", k.user(7), expiring)
	k.later(time.Millisecond)
	k.found("after the expiry", k.user(7))
}

func findLeavesFree(k *kit) {
	for range 100 {
		k.create(k.login(7))
	}
	seen := 0
	for found, err := range k.indexer().Find(k.Context(), k.user(7), k.now) {
		if err != nil {
			k.Fatalf("Find: %v", err)
		}
		if seen++; seen == 50 {
			break
		}
		k.end(session{found.ID, found.Record.Proof})
	}
	if seen != 50 {
		k.Fatalf("Find yields %d sessions before the loop ends, want 50", seen)
	}
	left := 0
	for _, err := range k.indexer().Find(k.Context(), k.user(7), k.now) {
		if err != nil {
			k.Fatalf("Find: %v", err)
		}
		left++
	}
	if left != 51 {
		k.Errorf("of 100 sessions, 49 deleted in the loop, Find yields %d, want 51", left)
	}
}

func revokeEndsCarriers(k *kit) {
	indexer := k.indexer()
	var sessions []session
	for range 150 {
		sessions = append(sessions, k.create(k.login(7)))
	}
	kept, other, anonymous := sessions[40], k.create(k.login(8)), k.create()
	expired := newSession()
	r := k.record(expired, k.login(7))
	r.Expires = k.now.Add(time.Second)
	if err := k.store.Create(k.Context(), k.key(expired), r); err != nil {
		k.Fatalf("Create: %v", err)
	}
	k.later(time.Minute)
	n, err := indexer.Revoke(k.Context(), k.user(7), k.now, kept.id)
	if n != len(sessions)-1 || err != nil {
		k.Errorf("Revoke of 150 sessions but one = %d, %v; want %d", n, err, len(sessions)-1)
	}
	k.later(time.Second)
	for _, s := range sessions {
		if s != kept {
			k.gone("a revocation", s)
		}
	}
	k.want("Load by a request that arrived before the revocation",
		k.loadErr(k.running(sessions[0], time.Minute)), runtime.ErrEnded)
	k.holds("a revocation that excepts the session", kept, k.login(7))
	k.holds("a revocation of another value", other, k.login(8))
	k.holds("a revocation", anonymous)
	k.found("a revocation", k.user(7), kept)
	if n, err := indexer.Revoke(k.Context(), k.user(7), k.now, kept.id); n != 0 || err != nil {
		k.Errorf("a second Revoke = %d, %v; want 0", n, err)
	}
}

// revokeBars checks S2.
func revokeBars(k *kit) {
	indexer := k.indexer()
	s, excepted := k.create(), k.create()
	k.later(time.Minute)
	if _, err := indexer.Revoke(k.Context(), k.user(7), k.now, excepted.id); err != nil {
		k.Fatalf("Revoke: %v", err)
	}
	k.later(time.Second)
	early := k.running(s, 2*time.Second)
	d := set(k.login(7), k.entry("theme", "dark"))
	k.want("an Update that sets the value, by a request that arrived before", k.updateErr(early, d), runtime.ErrEnded)
	k.holds("a barred Update", s)
	fresh := newSession()
	err := k.store.Create(k.Context(), k.running(fresh, 2*time.Second), k.record(fresh, k.login(7)))
	k.want("a Create that sets the value, by a request that arrived before", err, runtime.ErrEnded)
	k.gone("a barred Create", fresh)
	k.found("barred logins", k.user(7))

	k.update(early, set(k.login(8)))
	k.update(k.running(excepted, 2*time.Second), set(k.login(7)))
	k.update(k.running(s, time.Second), set(k.login(7)))
	k.found("logins that are not barred", k.user(7), s, excepted)
	k.update(k.key(s), &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "user_id"}}}})

	k.later(runtime.RevocationLife - 2*time.Second)
	if sweeper, ok := runtime.Ability[runtime.Sweeper](k.store); ok {
		if _, err := sweeper.Sweep(k.Context(), k.now); err != nil {
			k.Fatalf("Sweep: %v", err)
		}
	}
	late, anonymous := newSession(), k.create()
	login := func() error {
		return k.store.Create(k.Context(), k.running(late, runtime.RevocationLife), k.record(late, k.login(7)))
	}
	update := func() error { return k.updateErr(k.running(anonymous, runtime.RevocationLife), set(k.login(7))) }
	k.want("a Create that sets the value, a moment before the mark is forgotten", login(), runtime.ErrEnded)
	k.want("an Update that sets the value, a moment before the mark is forgotten", update(), runtime.ErrEnded)
	k.later(time.Second)
	k.want("a Create that sets the value, once the mark is forgotten", login(), nil)
	k.want("an Update that sets the value, once the mark is forgotten", update(), nil)
	k.later(-2 * runtime.RevocationLife)
	if _, err := indexer.Revoke(k.Context(), k.user(9), k.now.Add(time.Hour)); err != nil {
		k.Fatalf("Revoke: %v", err)
	}
	early = k.running(newSession(), time.Minute)
	err = k.store.Create(k.Context(), early, k.record(session{early.ID, early.Proof}, k.login(9)))
	k.want("a Create that sets a value which was revoked before the clock was set back", err, nil)
}

// revokeRace lets logins by earlier requests and a revocation meet.
func revokeRace(k *kit) {
	indexer := k.indexer()
	for n := range k.rounds(200) {
		var sessions []session
		for range 4 {
			sessions = append(sessions, k.create())
		}
		fresh := []session{newSession(), newSession()}
		errs := make([]error, 7)
		together(len(errs), func(i int) {
			switch {
			case i < 4:
				errs[i] = k.updateErr(k.running(sessions[i], time.Second), set(k.login(n)))
			case i < 6:
				s := fresh[i-4]
				errs[i] = k.store.Create(k.Context(), k.running(s, time.Second), k.record(s, k.login(n)))
			default:
				_, errs[i] = indexer.Revoke(k.Context(), k.user(n), k.now)
			}
		})
		for _, err := range errs {
			if err != nil && !errors.Is(err, runtime.ErrEnded) {
				k.Fatalf("logins and a revocation at once: %v", err)
			}
		}
		for found, err := range indexer.Find(k.Context(), k.user(n), k.now) {
			k.Fatalf("after a revocation and logins at the same moment, Find yields %v, %v", found.ID, err)
		}
		k.survivors(sessions, errs)
	}
}

// survivors demands that a session that was barred from logging in is as it was,
// and that one that did log in is gone.
func (k *kit) survivors(sessions []session, errs []error) {
	k.Helper()
	for i, s := range sessions {
		if errs[i] != nil {
			k.holds("a barred login", s)
			continue
		}
		k.gone("a login that was revoked", s)
	}
}

// cancelledIndex demands that a cancelled context ends Find and Revoke.
func (k *kit) cancelledIndex(ctx context.Context, s session) {
	indexer, ok := runtime.Ability[runtime.Indexer](k.store)
	if !ok {
		return
	}
	if _, err := indexer.Revoke(ctx, k.user(7), k.now); !errors.Is(err, context.Canceled) {
		k.Errorf("Revoke with a cancelled context: got error %v", err)
	}
	for _, err := range indexer.Find(ctx, k.user(7), k.now) {
		k.want("Find with a cancelled context", err, context.Canceled)
	}
	k.found("cancelled operations", k.user(7), s)
}
