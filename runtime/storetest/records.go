package storetest

import (
	"errors"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C1, C2, C4 and C5: where records come from and that they end for good.

func createdOnce(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	other := s.with(newProof())
	err := k.store.Create(k.Context(), k.key(other), k.record(other, k.entry("theme", "light")))
	k.want("Create under an id that exists", err, runtime.ErrExists)
	k.holds("a refused Create", s, k.entry("theme", "dark"))
	k.gone("a refused Create", other)
}

func oneCreateWins(k *kit) {
	for range k.rounds(20) {
		id := newID()
		sessions := make([]session, 16)
		errs := make([]error, len(sessions))
		for i := range sessions {
			sessions[i] = session{id, newProof()}
		}
		together(len(sessions), func(i int) {
			errs[i] = k.store.Create(k.Context(), k.key(sessions[i]), k.record(sessions[i]))
		})
		winners := 0
		for i, err := range errs {
			if err == nil {
				winners++
				k.holds("the Create that won", sessions[i])
				continue
			}
			k.want("a Create that lost", err, runtime.ErrExists)
		}
		if winners != 1 {
			k.Fatalf("%d concurrent Creates of one id succeeded, want 1", winners)
		}
	}
}

func missingNotUpdated(k *kit) {
	s := newSession()
	k.want("Update of a missing session", k.updateErr(k.key(s), set(k.entry("theme", "dark"))), runtime.ErrNotFound)
	k.gone("a refused Update", s)
	err := k.store.Create(k.Context(), k.key(s), k.record(s))
	if err != nil {
		k.Errorf("Create after an Update of the missing session: %v", err)
	}
}

func expiredNotUpdated(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	k.later(idle)
	d := set(k.entry("theme", "light"))
	d.Active = k.now.Add(idle)
	k.want("Update of an expired session", k.updateErr(k.key(s), d), runtime.ErrNotFound)
	k.gone("a refused Update", s)
}

func wrongProofNotUpdated(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	thief := s.with(newProof())
	k.want("Update with a wrong proof", k.updateErr(k.key(thief), set(k.entry("theme", "light"))), runtime.ErrNotFound)
	k.holds("an Update with a wrong proof", s, k.entry("theme", "dark"))
}

func deletedTwice(k *kit) {
	s := k.create()
	k.end(s)
	if err := k.store.Delete(k.Context(), k.key(s)); err != nil {
		k.Errorf("Delete of a deleted session: %v", err)
	}
	k.gone("a second Delete", s)
}

func missingDeleted(k *kit) {
	if err := k.store.Delete(k.Context(), k.key(newSession())); err != nil {
		k.Errorf("Delete of a session that never was: %v", err)
	}
}

func updateDoesNotRevive(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	k.end(s)
	d := set(k.entry("theme", "light"))
	d.Active, d.Deadline = k.now.Add(idle), k.now.Add(life)
	k.want("Update of a deleted session", k.updateErr(k.key(s), d), runtime.ErrNotFound)
	k.gone("an Update of a deleted session", s)
}

func createDoesNotRevive(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	k.end(s)
	err := k.store.Create(k.Context(), k.key(s), k.record(s, k.entry("theme", "dark")))
	if !errors.Is(err, runtime.ErrExists) && !errors.Is(err, runtime.ErrEnded) {
		k.Errorf("Create under the id of a deleted session: got error %v, want ErrExists or ErrEnded", err)
	}
	k.gone("a Create under the id of a deleted session", s)
}

func racingUpdateDoesNotRevive(k *kit) {
	for range k.rounds(1000) {
		s := k.create(k.entry("theme", "dark"))
		var updated, deleted error
		together(2, func(i int) {
			if i == 0 {
				updated = k.updateErr(k.key(s), set(k.entry("theme", "light")))
				return
			}
			deleted = k.store.Delete(k.Context(), k.key(s))
		})
		if updated != nil && !errors.Is(updated, runtime.ErrNotFound) {
			k.Fatalf("Update during a Delete: got error %v, want nil or %v", updated, runtime.ErrNotFound)
		}
		if deleted != nil {
			k.Fatalf("Delete during an Update: %v", deleted)
		}
		if err := k.loadErr(k.key(s)); !errors.Is(err, runtime.ErrNotFound) {
			k.Fatalf("Load after an Update and a Delete at once: got error %v, want %v", err, runtime.ErrNotFound)
		}
	}
}

// endIsMarked checks R7.
func endIsMarked(k *kit) {
	s := k.create()
	k.later(time.Minute)
	k.end(s)
	k.later(runtime.MarkLife - time.Millisecond)
	before := k.running(s, runtime.MarkLife)
	k.want("Load by a request that arrived before the end", k.loadErr(before), runtime.ErrEnded)
	k.want("Update by a request that arrived before the end", k.updateErr(before, add("views", 1)), runtime.ErrEnded)
	k.want("Delete by a request that arrived before the end", k.store.Delete(k.Context(), before), runtime.ErrEnded)
	stranger := before
	stranger.Proof = newProof()
	k.want("Load by a stranger to the ended session", k.loadErr(stranger), runtime.ErrNotFound)
	k.gone("the end of the session", s)
	k.later(time.Millisecond)
	k.want("Load once the mark is old", k.loadErr(k.running(s, 2*runtime.MarkLife)), runtime.ErrNotFound)
}
