package memstore

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

var start = time.UnixMilli(1_700_000_000_000).UTC()

func user(n int) runtime.IndexValue {
	return runtime.IndexValue{Kind: "Visitor", Field: "user_id", Value: strconv.Itoa(n)}
}

func login(n int) runtime.Entry {
	return runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: strconv.Itoa(n)}
}

func visitor(expires time.Time, entries ...runtime.Entry) *runtime.Record {
	return &runtime.Record{
		Kind: "Visitor", Created: start, Renewed: start, Deadline: expires, Expires: expires,
		Entries: runtime.NewEntries(entries...),
	}
}

// TestIndexFollowsEveryChange does random operations on few sessions of few
// users, and compares the index with the records after each hundred.
func TestIndexFollowsEveryChange(t *testing.T) {
	s, ctx := New(), t.Context()
	choice := rand.New(rand.NewPCG(1, 2))
	now := start
	for n := range 5000 {
		key := runtime.Key{ID: runtime.ID{byte(choice.IntN(3)), byte(choice.IntN(100))}, Now: now}
		carried := login(choice.IntN(5))
		var err error
		switch choice.IntN(9) {
		case 0, 1, 2:
			_ = s.Create(ctx, key, visitor(now.Add(time.Duration(choice.IntN(600))*time.Second), carried))
		case 3, 4:
			_, _ = s.Update(ctx, key, &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpSet, Entry: carried}}})
		case 5:
			_, _ = s.Update(ctx, key, &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpClear, Entry: carried}}})
		case 6:
			err = s.Delete(ctx, key)
		case 7:
			_, err = s.Revoke(ctx, user(choice.IntN(50)), now, key.ID)
		case 8:
			_, err = s.Sweep(ctx, now)
		}
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Duration(choice.IntN(5)) * time.Second)
		if n%100 == 0 {
			compareIndex(t, s)
		}
	}
}

func compareIndex(t *testing.T, s *Store) {
	t.Helper()
	for i := range s.shards {
		want := index{}
		for id, p := range s.shards[i].records {
			want.move(id, nil, p.record(new(runtime.Record)))
		}
		got := s.shards[i].index
		if len(got) != len(want) {
			t.Fatalf("the index of a shard has %d values, want %d", len(got), len(want))
		}
		for v, ids := range want {
			if !slices.Equal(got[v], ids) {
				t.Fatalf("the index has %v for %v, want %v", got[v], v, ids)
			}
		}
	}
}

func TestMapsShrinkWithTheShard(t *testing.T) {
	s, ctx := New(), t.Context()
	for n := range 1000 {
		key := runtime.Key{ID: runtime.ID{1, byte(n), byte(n >> 8)}, Now: start}
		expires := start.Add(time.Hour)
		if n%10 == 0 {
			expires = start.Add(24 * time.Hour)
		}
		if err := s.Create(ctx, key, visitor(expires, login(n))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Sweep(ctx, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	shard := &s.shards[1]
	if shard.peak != 100 || len(shard.records) != 100 || len(shard.index) != 100 {
		t.Errorf("after the sweep of 900 of 1000 records the maps were made for %d, hold %d records and %d values",
			shard.peak, len(shard.records), len(shard.index))
	}
	compareIndex(t, s)
}

func TestRevocationsAreForgotten(t *testing.T) {
	var r revocations
	now := start
	for n := range 1000 {
		r.add(user(n), now, nil)
		now = now.Add(runtime.RevocationLife / 60)
	}
	if n := len(r.marks); n > 200 {
		t.Errorf("of 1000 marks, of which 60 are in force, %d are kept", n)
	}
	r.sweep(now.Add(runtime.RevocationLife))
	if len(r.marks) != 0 {
		t.Errorf("%d marks are left after a sweep", len(r.marks))
	}
	s := New()
	if _, err := s.Revoke(t.Context(), user(7), start); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sweep(t.Context(), start.Add(2*runtime.RevocationLife)); err != nil || len(s.revocations.marks) != 0 {
		t.Errorf("after a sweep of the store (%v) %d marks are left", err, len(s.revocations.marks))
	}
}

func TestRevocationReplacesWhatItCovers(t *testing.T) {
	a, b := runtime.ID{1}, runtime.ID{2}
	for name, c := range map[string]struct {
		first, second []runtime.ID
		later         time.Duration
		kept          int
	}{
		"the same again":             {nil, nil, time.Second, 1},
		"the same exception":         {[]runtime.ID{a}, []runtime.ID{a}, time.Second, 1},
		"fewer exceptions":           {[]runtime.ID{a, b}, []runtime.ID{b}, time.Second, 1},
		"another exception":          {[]runtime.ID{a}, []runtime.ID{b}, time.Second, 2},
		"earlier, by a slower clock": {nil, nil, -time.Second, 2},
	} {
		var r revocations
		r.add(user(7), start, c.first)
		r.add(user(7), start.Add(c.later), c.second)
		if n := len(r.marks[user(7)]); n != c.kept {
			t.Errorf("%s: %d marks are kept, want %d", name, n, c.kept)
		}
	}
}

func TestPackedKeepsTheRecord(t *testing.T) {
	s := New()
	r := visitor(start.Add(time.Hour), login(7))
	r.Earlier = []runtime.EarlierProof{{Proof: runtime.Proof{1}, Ended: start.Add(123456), By: runtime.RenewSignIn, Grace: time.Second}}
	r.Family, r.SignedIn, r.Used = runtime.Family{3}, start, start.Add(time.Minute)
	r.Idle, r.Persistence = 90*time.Second, runtime.PersistenceBrowser
	r.Ticket = &runtime.Ticket{Proof: runtime.Proof{2}, Ends: start.Add(time.Second), Sole: true}
	p := s.pack(r, nil)
	got := p.record(new(runtime.Record))
	switch {
	case got.Kind != r.Kind || got.Proof != r.Proof || got.Family != r.Family || !got.Entries.Equal(r.Entries):
		t.Error("kind, proof or entries differ")
	case got.Created != r.Created || got.Renewed != r.Renewed || got.SignedIn != r.SignedIn || got.Used != r.Used || got.Deadline != r.Deadline || got.Expires != r.Expires:
		t.Error("times differ")
	case got.Idle != r.Idle || got.Persistence != r.Persistence:
		t.Error("what the session has of its own differs")
	case !slices.Equal(got.Earlier, r.Earlier) || *got.Ticket != *r.Ticket:
		t.Error("earlier proofs or ticket differ")
	}
	if again := s.pack(got, p.packed); again.rare != p.rare {
		t.Error("what has not changed is copied")
	}
	if plain, other := s.pack(visitor(start), nil), s.pack(visitor(start), nil); plain.rare != other.rare {
		t.Error("two plain sessions do not share what they have in common")
	}
}

// inOneShard returns the keys of sessions that one lock guards, in order.
func inOneShard(n int) (keys []runtime.Key) {
	for i := range n {
		keys = append(keys, runtime.Key{ID: runtime.ID{1, byte(i >> 8), byte(i)}, Now: start})
	}
	return keys
}

func TestASearchAndARevocationGoOnToTheLastPage(t *testing.T) {
	for _, sessions := range []int{pageSize - 1, pageSize, pageSize + 1, 2 * pageSize, 2*pageSize + 1} {
		s, ctx := New(), t.Context()
		for _, key := range inOneShard(sessions) {
			if err := s.Create(ctx, key, visitor(start.Add(time.Hour), login(7))); err != nil {
				t.Fatal(err)
			}
		}
		found := map[runtime.ID]bool{}
		for f, err := range s.Find(ctx, user(7), start) {
			if err != nil {
				t.Fatal(err)
			}
			found[f.ID] = true
		}
		if len(found) != sessions {
			t.Errorf("%d of %d sessions are found", len(found), sessions)
		}
		if n, err := s.Revoke(ctx, user(7), start); n != sessions || err != nil {
			t.Errorf("Revoke = %d, %v, want %d", n, err, sessions)
		}
	}
}

// A page is what one lock is held for.
func TestAPageOfTheIndexIsBounded(t *testing.T) {
	x, v := index{}, user(7)
	r := visitor(start, login(7))
	var want, got []runtime.ID
	for _, key := range inOneShard(2*pageSize + 1) {
		x.move(key.ID, nil, r)
		want = append(want, key.ID)
	}
	from, more := runtime.ID{}, true
	for pages := 0; more; pages++ {
		var ids []runtime.ID
		if ids, from, more = x.page(v, from); len(ids) > pageSize || pages > 2 {
			t.Fatalf("page %d has %d ids, want at most %d", pages, len(ids), pageSize)
		}
		got = append(got, ids...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages have %d ids, want %d in order", len(got), len(want))
	}
}

func TestAWatcherThatHasGoneIsForgottenAlone(t *testing.T) {
	var ws watchers
	stays, goes := &watcher{}, &watcher{}
	if err := errors.Join(ws.add(goes), ws.add(stays)); err != nil {
		t.Fatal(err)
	}
	ws.remove(goes)
	if len(ws.list) != 1 || ws.list[0] != stays {
		t.Errorf("%d watchers are kept, want the one that stays", len(ws.list))
	}
}
