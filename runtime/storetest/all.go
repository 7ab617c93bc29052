package storetest

import (
	"errors"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C24: all sessions of a kind, and one by its id. C25: the most that a value may have.

// lister returns the store's list, or skips the check.
func (k *kit) lister() runtime.Lister {
	k.Helper()
	lister, ok := runtime.Ability[runtime.Lister](k.store)
	if !ok {
		k.Skipf("the store is no runtime.Lister")
	}
	return lister
}

// listed demands that exactly these sessions of the kind are there.
func (k *kit) listed(what, kind string, want ...session) {
	k.Helper()
	missing := map[runtime.ID]session{}
	for _, s := range want {
		missing[s.id] = s
	}
	for found, err := range k.lister().All(k.Context(), kind, k.now) {
		if err != nil {
			k.Errorf("%s, then All: %v", what, err)
			return
		}
		s, ok := missing[found.ID]
		if !ok || found.Record == nil || found.Record.Proof != s.proof || found.Record.Kind != kind {
			k.Errorf("%s: All yields a session twice, without its record, or one that is not to be there", what)
		}
		delete(missing, found.ID)
	}
	if len(missing) > 0 {
		k.Errorf("%s: All misses %d of %d sessions", what, len(missing), len(want))
	}
}

const otherKind = "storetest.Other"

// createOther stores a session of another kind.
func (k *kit) createOther(entries ...runtime.Entry) session {
	k.Helper()
	s := newSession()
	r := k.record(s, entries...)
	r.Kind = otherKind
	if err := k.store.Create(k.Context(), k.key(s), r); err != nil {
		k.Fatalf("Create of another kind: %v", err)
	}
	return s
}

func listsAll(k *kit) {
	k.listed("an empty store", kind)
	var sessions []session
	for i := range 300 {
		sessions = append(sessions, k.create(k.login(i%2), k.entry("theme", "dark")))
	}
	other := k.createOther(k.login(7))
	k.end(k.create())
	k.listed("300 sessions", kind, sessions...)
	k.listed("300 sessions of another kind", otherKind, other)
	k.listed("300 sessions of other kinds", "storetest.None")
	for range k.lister().All(k.Context(), kind, k.now) {
		break
	}
	k.later(idle)
	k.listed("all expired", kind)
}

func findsByID(k *kit) {
	s, other := k.create(k.entry("theme", "dark")), k.createOther()
	r, err := k.lister().ByID(k.Context(), kind, s.id, k.now)
	if err != nil {
		k.Fatalf("ByID of a live session: %v", err)
	}
	k.same("ByID", r, k.load(s))
	byID := func(kind string, id runtime.ID) error {
		_, err := k.lister().ByID(k.Context(), kind, id, k.now)
		return err
	}
	k.want("ByID of another kind", byID(kind, other.id), runtime.ErrNotFound)
	k.want("ByID of its own kind", byID(otherKind, other.id), nil)
	k.want("ByID of a missing session", byID(kind, newID()), runtime.ErrNotFound)
	k.end(s)
	k.want("ByID of an ended session", byID(kind, s.id), runtime.ErrNotFound)
	k.later(idle)
	k.want("ByID of an expired session", byID(otherKind, other.id), runtime.ErrNotFound)
}

func revokesAll(k *kit) {
	var sessions []session
	for i := range 150 {
		sessions = append(sessions, k.create(k.login(i)))
	}
	other := k.createOther(k.login(1))
	k.later(time.Minute)
	n, err := k.lister().RevokeAll(k.Context(), kind, k.now)
	if n != len(sessions) || err != nil {
		k.Errorf("RevokeAll of %d sessions = %d, %v", len(sessions), n, err)
	}
	k.later(time.Second)
	for _, s := range sessions {
		k.gone("a revocation of all", s)
	}
	k.want("Load by a request that arrived before the revocation", k.loadErr(k.running(sessions[0], time.Minute)), runtime.ErrEnded)
	k.holds("a revocation of another kind", other, k.login(1))
	k.found("a revocation of all", k.user(1))
	k.listed("a revocation of all", kind)
	k.create(k.login(1))
	if n, err := k.lister().RevokeAll(k.Context(), kind, k.now); n != 1 || err != nil {
		k.Errorf("RevokeAll of a session that came afterwards = %d, %v; want 1", n, err)
	}
}

// revokeAllBars checks that a request under way begins nothing.
func revokeAllBars(k *kit) {
	k.later(time.Minute)
	if _, err := k.lister().RevokeAll(k.Context(), kind, k.now); err != nil {
		k.Fatalf("RevokeAll: %v", err)
	}
	k.later(time.Second)
	create := func(kind string, age time.Duration, entries ...runtime.Entry) error {
		s := newSession()
		r := k.record(s, entries...)
		r.Kind = kind
		return k.store.Create(k.Context(), k.running(s, age), r)
	}
	k.want("a Create by a request that arrived before", create(kind, 2*time.Second), runtime.ErrEnded)
	k.want("a sign-in by a request that arrived before", create(kind, 2*time.Second, k.login(7)), runtime.ErrEnded)
	k.listed("barred Creates", kind)
	k.found("barred Creates", k.user(7))
	k.want("a Create of another kind", create(otherKind, 2*time.Second), nil)
	k.want("a Create by a request that arrived afterwards", create(kind, time.Second), nil)
	k.later(runtime.RevocationLife - 2*time.Second)
	k.want("a Create a moment before the mark is forgotten", create(kind, runtime.RevocationLife), runtime.ErrEnded)
	k.later(time.Second)
	k.want("a Create once the mark is forgotten", create(kind, 2*runtime.RevocationLife), nil)
}

// revokeAllRace lets creations by earlier requests and a revocation of all meet.
func revokeAllRace(k *kit) {
	k.lister()
	for range k.rounds(100) {
		fresh := make([]session, 8)
		for i := range fresh {
			fresh[i] = newSession()
		}
		errs := make([]error, len(fresh)+1)
		together(len(errs), func(i int) {
			switch {
			case i == len(fresh):
				_, errs[i] = k.lister().RevokeAll(k.Context(), kind, k.now)
			case i%2 == 0:
				errs[i] = k.store.Create(k.Context(), k.running(fresh[i], time.Second), k.record(fresh[i]))
			default:
				errs[i] = k.store.Create(k.Context(), k.running(fresh[i], time.Second), k.record(fresh[i], k.login(i)))
			}
		})
		for _, err := range errs {
			if err != nil && !errors.Is(err, runtime.ErrEnded) {
				k.Fatalf("creations and a revocation of all at once: %v", err)
			}
		}
		for found, err := range k.lister().All(k.Context(), kind, k.now) {
			k.Fatalf("after a revocation of all and creations at the same moment, All yields %v, %v", found.ID, err)
		}
		k.later(2 * time.Second)
	}
}

// limiter returns the store's limits, or skips the check.
func (k *kit) limiter() runtime.Limiter {
	k.Helper()
	limiter, ok := runtime.Ability[runtime.Limiter](k.store)
	if !ok {
		k.Skipf("the store is no runtime.Limiter")
	}
	return limiter
}

// trim demands how many sessions of the user end.
func (k *kit) trim(most int, keep session, user, want int) {
	k.Helper()
	n, err := k.limiter().Trim(k.Context(), []runtime.IndexValue{k.user(user)}, most, keep.id, k.now)
	if n != want || err != nil {
		k.Errorf("Trim to %d sessions = %d, %v; want %d", most, n, err, want)
	}
}

func trims(k *kit) {
	k.limiter()
	var sessions []session
	for range 5 {
		sessions = append(sessions, k.create(k.login(7)))
		k.later(time.Minute)
	}
	other, expired := k.create(k.login(8)), newSession()
	r := k.record(expired, k.login(7))
	r.Expires = k.now.Add(time.Millisecond)
	if err := k.store.Create(k.Context(), k.key(expired), r); err != nil {
		k.Fatalf("Create: %v", err)
	}
	k.later(time.Minute)
	k.update(k.key(sessions[1]), &runtime.Delta{Used: k.now, Active: k.now.Add(idle)})
	k.later(time.Second)
	for _, most := range []int{5, 9} {
		k.trim(most, sessions[0], 7, 0)
	}
	k.found("a Trim that ends nobody", k.user(7), sessions...)
	k.trim(3, sessions[0], 7, 2)
	k.found("a Trim", k.user(7), sessions[0], sessions[1], sessions[4])
	k.later(time.Second)
	k.gone("a Trim", sessions[2])
	k.want("Load by a request that arrived before the Trim", k.loadErr(k.running(sessions[3], time.Minute)), runtime.ErrEnded)
	k.trim(1, sessions[4], 7, 2)
	k.found("a Trim to one session", k.user(7), sessions[4])
	k.holds("a Trim of another value", other, k.login(8))

	several := []runtime.IndexValue{k.user(7), k.user(8)}
	n, err := k.limiter().Trim(k.Context(), several, 1, other.id, k.now)
	if n != 1 || err != nil {
		k.Errorf("Trim of two values to one session = %d, %v; want 1", n, err)
	}
	k.found("a Trim of two values", k.user(7))
	k.found("a Trim of two values", k.user(8), other)
}

// trimRace lets many sign-ins at once each end what is beyond the limit.
func trimRace(k *kit) {
	const most = 3
	k.limiter()
	for n := range k.rounds(20) {
		sessions := make([]session, 64)
		errs := make([]error, len(sessions))
		kept := make([]bool, len(sessions))
		together(len(sessions), func(i int) {
			s := newSession()
			sessions[i] = s
			if errs[i] = k.store.Create(k.Context(), k.key(s), k.record(s, k.login(n))); errs[i] != nil {
				return
			}
			_, errs[i] = k.limiter().Trim(k.Context(), []runtime.IndexValue{k.user(n)}, most, s.id, k.now)
		})
		if err := errors.Join(errs...); err != nil {
			k.Fatalf("sign-ins at once: %v", err)
		}
		left := 0
		for found, err := range k.indexer().Find(k.Context(), k.user(n), k.now) {
			if err != nil {
				k.Fatalf("Find: %v", err)
			}
			i := slices.IndexFunc(sessions, func(s session) bool { return s.id == found.ID })
			kept[i] = true
			left++
		}
		if left != most {
			k.Fatalf("after 64 sign-ins at once with a limit of %d there are %d sessions", most, left)
		}
		for i, s := range sessions {
			if !kept[i] {
				k.gone("a sign-in beyond the limit", s)
			}
		}
		k.later(time.Second)
	}
}
