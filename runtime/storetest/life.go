package storetest

import (
	"errors"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C6, C7 and C17: how long sessions live, and by which clock.

func livesUntilExpiry(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	k.later(idle - time.Millisecond)
	k.holds("a millisecond before it expires", s, k.entry("theme", "dark"))
	k.update(k.key(s), set(k.entry("theme", "light")))
	k.later(time.Millisecond)
	k.want("Update when now is the expiry", k.updateErr(k.key(s), set(k.entry("theme", "dark"))), runtime.ErrNotFound)
	k.gone("now is the expiry", s)
	k.later(time.Hour)
	k.gone("long after the expiry", s)
}

func activityExtends(k *kit) {
	s := k.create()
	k.later(time.Hour)
	result := k.update(k.key(s), &runtime.Delta{Active: k.now.Add(idle)})
	k.at("the result's expiry", result.Expires, k.now.Add(idle))
	k.at("the loaded expiry", k.load(s).Expires, k.now.Add(idle))
}

func activityNeverShortens(k *kit) {
	s := k.create()
	before := k.load(s)
	result := k.update(k.key(s), &runtime.Delta{Active: k.now.Add(time.Minute)})
	k.at("the result's expiry after earlier activity", result.Expires, before.Expires)
	k.at("the expiry after earlier activity", k.load(s).Expires, before.Expires)
	result = k.update(k.key(s), set(k.entry("theme", "dark")))
	k.at("the expiry after a write without activity", result.Expires, before.Expires)
	d := &runtime.Delta{Active: k.now.Add(time.Minute), Deadline: k.now.Add(2 * life)}
	result = k.update(k.key(s), d)
	k.at("the expiry after earlier activity with a later deadline", result.Expires, before.Expires)
}

func activityWithinDeadline(k *kit) {
	s := k.create()
	deadline := k.load(s).Deadline
	result := k.update(k.key(s), &runtime.Delta{Active: deadline.Add(time.Hour)})
	k.at("the result's expiry", result.Expires, deadline)
	k.at("the deadline", result.Deadline, deadline)
	k.at("the loaded expiry", k.load(s).Expires, deadline)
	k.later(life)
	k.gone("the deadline", s)
}

func activityTouchesNothing(k *kit) {
	s := k.create(k.entry("theme", "dark"), counter("views", 3), k.entry("cart:a", "1"))
	want := k.load(s)
	k.update(k.key(s), &runtime.Delta{Active: k.now.Add(idle + time.Hour)})
	got := k.load(s)
	k.at("the expiry", got.Expires, k.now.Add(idle+time.Hour))
	want.Expires = got.Expires
	k.same("after activity", got, want)
}

func latestActivityCounts(k *kit) {
	for range k.rounds(20) {
		s := k.create()
		errs := make([]error, 16)
		together(len(errs), func(i int) {
			d := &runtime.Delta{Active: k.now.Add(idle + time.Duration(i+1)*time.Minute)}
			errs[i] = k.updateErr(k.key(s), d)
		})
		if err := errors.Join(errs...); err != nil {
			k.Fatalf("concurrent activity: %v", err)
		}
		k.at("the expiry after concurrent activity", k.load(s).Expires, k.now.Add(idle+16*time.Minute))
	}
}

func newDeadline(k *kit) {
	s := k.create()
	earlier := k.now.Add(time.Hour)
	result := k.update(k.key(s), &runtime.Delta{Deadline: earlier})
	k.at("the result's deadline", result.Deadline, earlier)
	k.at("the expiry under an earlier deadline", k.load(s).Expires, earlier)
	later := k.now.Add(10 * life)
	k.update(k.key(s), &runtime.Delta{Deadline: later, Active: k.now.Add(idle)})
	r := k.load(s)
	k.at("the later deadline", r.Deadline, later)
	k.at("the expiry under a later deadline", r.Expires, k.now.Add(idle))
}

func lastUse(k *kit) {
	s := k.create()
	created := k.load(s)
	k.at("the last use of a session that is not used", created.LastUsed(), created.Created)
	k.later(time.Hour)
	k.update(k.key(s), &runtime.Delta{Used: k.now})
	k.at("the last use without any idle limit", k.load(s).LastUsed(), created.Created)
	result := k.update(k.key(s), &runtime.Delta{Used: k.now, Active: k.now.Add(idle)})
	k.at("the last use that the result tells", result.Used, k.now)
	k.at("the last use", k.load(s).LastUsed(), k.now)
	d := set(k.entry("theme", "dark"))
	d.Used, d.Active = k.now.Add(-time.Minute), k.now.Add(idle)
	k.update(k.key(s), d)
	k.at("the last use after one that was earlier", k.load(s).Used, k.now)
	k.later(time.Hour)
	k.update(k.key(s), set(k.entry("theme", "light")))
	k.at("the last use after a write that is none", k.load(s).Used, k.now.Add(-time.Hour))
}

// ownIdleLimit checks T11.
func ownIdleLimit(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	limit, configured := 30*time.Minute, time.Duration(0)
	use := func() *runtime.Delta { return &runtime.Delta{Used: k.now, Active: k.now.Add(idle)} }
	k.later(time.Minute)
	d := use()
	d.Idle = &limit
	k.at("the result's expiry under a limit of its own", k.update(k.key(s), d).Expires, k.now.Add(limit))
	r := k.load(s)
	k.at("the expiry under a limit of its own", r.Expires, k.now.Add(limit))
	if r.Idle != limit {
		k.Errorf("the session's own idle limit is %v, want %v", r.Idle, limit)
	}
	k.later(time.Minute)
	k.at("the expiry after a use", k.update(k.key(s), use()).Expires, k.now.Add(limit))
	k.later(time.Minute)
	d = set(k.entry("theme", "light"))
	d.Used = k.now
	k.at("the expiry after a write where no limit is configured", k.update(k.key(s), d).Expires, k.now.Add(limit))
	k.later(time.Minute)
	d = use()
	d.Renewal = &runtime.Renewal{Proof: newProof(), Grace: grace}
	k.update(k.key(s), d)
	s = s.with(d.Renewal.Proof)
	if r = k.load(s); r.Idle != limit {
		k.Errorf("a renewal makes the session's own idle limit %v, want %v", r.Idle, limit)
	}
	k.later(limit - time.Millisecond)
	k.holds("a moment before its own limit", s, k.entry("theme", "light"))
	d = use()
	d.Idle = &configured
	k.at("the expiry under the configured limit again", k.update(k.key(s), d).Expires, k.now.Add(idle))
	d = use()
	d.Idle = &limit
	k.update(k.key(s), d)
	k.at("the expiry without any limit", k.update(k.key(s), &runtime.Delta{Idle: &configured}).Expires, r.Deadline)
	k.update(k.key(s), d)
	k.later(limit)
	k.gone("its own idle limit", s)
}

func keepsPersistence(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	for _, p := range []runtime.Persistence{runtime.PersistencePermanent, runtime.PersistenceBrowser} {
		before := k.load(s)
		if got := k.update(k.key(s), &runtime.Delta{Persistence: p}).Persistence; got != p {
			k.Errorf("the result's persistence is %d, want %d", got, p)
		}
		if got := k.update(k.key(s), set(k.entry("theme", "light"))).Persistence; got != p {
			k.Errorf("the persistence after a write is %d, want %d", got, p)
		}
		after := k.load(s)
		if after.Persistence != p {
			k.Errorf("the persistence is %d, want %d", after.Persistence, p)
		}
		k.at("the expiry", after.Expires, before.Expires)
	}
	kept := newSession()
	r := k.record(kept)
	r.Used, r.Idle, r.Persistence = k.now, time.Hour, runtime.PersistencePermanent
	if err := k.store.Create(k.Context(), k.key(kept), r); err != nil {
		k.Fatalf("Create: %v", err)
	}
	k.same("a session that is created with settings of its own", k.load(kept), r)
}

func clockBack(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	expires := k.load(s).Expires
	k.later(-time.Hour)
	k.holds("with the clock set back", s, k.entry("theme", "dark"))
	d := set(k.entry("theme", "light"))
	d.Active = k.now.Add(idle)
	k.update(k.key(s), d)
	k.at("the expiry after activity with the clock set back", k.load(s).Expires, expires)
	renewed := s.with(newProof())
	k.update(k.key(s), &runtime.Delta{Renewal: &runtime.Renewal{Proof: renewed.proof, Grace: grace}})
	k.holds("a renewal with the clock set back", renewed, k.entry("theme", "light"))
	k.create(k.entry("theme", "dark"))
}

func clockAhead(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	k.later(100 * life)
	k.gone("the clock jumps ahead", s)
	k.later(-100 * life)
	k.holds("the clock is set right", s, k.entry("theme", "dark"))
}

func clockBackNoRevival(k *kit) {
	s := k.create()
	k.end(s)
	k.later(-time.Hour)
	err := k.loadErr(k.key(s))
	if !errors.Is(err, runtime.ErrNotFound) && !errors.Is(err, runtime.ErrEnded) {
		k.Errorf("Load of a deleted session with the clock set back: got error %v, want ErrNotFound or ErrEnded", err)
	}
	k.later(2 * time.Hour)
	k.gone("the clock is set right", s)
}
