package redisstore

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
)

// These tests stand inside the package: they let a store be wrong about the
// server's clock. C22 of package storetest has what every store promises.

func served(t *testing.T) *Store {
	t.Helper()
	testtier.NotShort(t, "it needs a server")
	server, err := servertest.NewRedis()
	servertest.Check(t, err)
	t.Cleanup(func() { server.Close() })
	s, err := Open(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// believe lets the store take the server for ahead of the program, for a while.
func (s *Store) believe(ahead time.Duration) {
	s.measured.Store(&offset{exact: ahead, shown: ahead, program: time.Now().Round(0), asked: time.Now()})
}

// wholeNow returns the time, as records have it.
func wholeNow() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// TestASmallDifferenceCountsAsNone shows that what times are moved by changes only
// if it is wrong by half a second.
func TestASmallDifferenceCountsAsNone(t *testing.T) {
	s := served(t)
	for _, c := range []struct{ program, shown time.Duration }{
		{0, 0},
		{300 * time.Millisecond, 0},
		{-300 * time.Millisecond, 0},
		{800 * time.Millisecond, -800 * time.Millisecond},
		{1200 * time.Millisecond, -800 * time.Millisecond},
		{400 * time.Millisecond, -800 * time.Millisecond},
		{200 * time.Millisecond, 0},
		{-5 * time.Minute, 5 * time.Minute},
		{5 * time.Minute, -5 * time.Minute},
		{0, 0},
	} {
		o, err := s.offset(t.Context(), time.Now().Add(c.program))
		if err != nil {
			t.Fatal(err)
		}
		const slack = 80 * time.Millisecond
		if (o.shown-c.shown).Abs() > slack || (o.exact+c.program).Abs() > slack || c.shown == 0 && o.shown != 0 {
			t.Errorf("a clock that is %v ahead: the server is %v ahead, shown as %v, want %v", c.program, o.exact, o.shown, c.shown)
		}
		if o.shown != o.shown.Truncate(time.Millisecond) {
			t.Errorf("times are moved by %v, want whole milliseconds", o.shown)
		}
	}
}

// TestTheServerIsAskedForItsTimeNowAndThen shows what a known offset is good for.
func TestTheServerIsAskedForItsTimeNowAndThen(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		asked, program time.Duration // ago, and by the program's clock
		want           bool
	}{
		"a moment later":         {time.Second, time.Second, true},
		"a while later":          {9 * time.Second, 9 * time.Second, true},
		"too long ago":           {offsetLife, offsetLife, false},
		"the clock was set":      {time.Second, 2 * time.Second, false},
		"the clock was put back": {time.Second, -time.Hour, false},
	} {
		o := &offset{asked: now.Add(-c.asked), program: now.Add(-c.program).Round(0)}
		if got := o.holds(time.Now().Round(0)); got != c.want {
			t.Errorf("%s: an offset counts: %v, want %v", name, got, c.want)
		}
	}
}

// TestTimesAreRelativeToAnUnknownClock lets everything be sent by a clock that the
// store is wrong about.
func TestTimesAreRelativeToAnUnknownClock(t *testing.T) {
	s := served(t)
	for i, ahead := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		now := wholeNow()
		key := runtime.Key{ID: runtime.ID{byte(i)}, Proof: runtime.Proof{1}, Now: now}
		record := &runtime.Record{
			Kind: testKind, Proof: key.Proof, Created: now, Renewed: now, SignedIn: now,
			Deadline: now.Add(time.Hour), Expires: now.Add(time.Minute),
			Earlier: []runtime.EarlierProof{
				{Proof: runtime.Proof{2}, By: runtime.RenewSignIn, Ended: now, Grace: time.Minute},
				{Proof: runtime.Proof{3}, By: runtime.RenewSignIn, Ended: now, Presented: now, Grace: time.Minute},
			},
			Ticket: &runtime.Ticket{Proof: runtime.Proof{4}, Ends: now.Add(time.Minute)},
		}
		s.believe(ahead)
		if err := s.Create(t.Context(), key, record); err != nil {
			t.Fatal(err)
		}
		sameWithin(t, "created", s, key, record)

		d := &runtime.Delta{
			Deadline: now.Add(2 * time.Hour), Active: now.Add(30 * time.Minute),
			Renewal: &runtime.Renewal{Kind: runtime.RenewSignIn, Proof: runtime.Proof{6}, Grace: time.Minute},
			Ticket:  &runtime.Ticket{Proof: runtime.Proof{5}, Ends: now.Add(2 * time.Minute)},
		}
		record, _, err := record.Apply(key, d)
		if err != nil {
			t.Fatal(err)
		}
		s.believe(ahead)
		if _, err := s.Update(t.Context(), key, d); err != nil {
			t.Fatal(err)
		}
		key.Proof = d.Renewal.Proof
		sameWithin(t, "updated", s, key, record)

		plain := *record
		plain.Earlier, plain.Ticket = nil, nil // so that an update takes the short way
		key.ID[1] = 1
		s.believe(ahead)
		if err := s.Create(t.Context(), key, &plain); err != nil {
			t.Fatal(err)
		}
		s.believe(ahead)
		if _, err := s.Update(t.Context(), key, &runtime.Delta{Active: now.Add(40 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
		plain.Expires = now.Add(40 * time.Minute)
		sameWithin(t, "moved by activity", s, key, &plain)
	}
}

// sameWithin demands a record, but for the time that calls take.
func sameWithin(t *testing.T, what string, s *Store, key runtime.Key, want *runtime.Record) {
	t.Helper()
	s.measured.Store(nil)
	key.Now = time.Now()
	got, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	near := cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < 2*time.Second })
	entries := cmp.Comparer(func(a, b runtime.Entries) bool { return a.Equal(b) })
	if diff := cmp.Diff(want, got, near, entries); diff != "" {
		t.Errorf("a record that was %s by a clock that is not known is another (-want +got):\n%s", what, diff)
	}
	if whole := got.Created.Truncate(time.Millisecond); !whole.Equal(got.Created) {
		t.Errorf("the record was created at %v, want whole milliseconds", got.Created)
	}
}

// TestACallOnItsWayArrivedBefore lets a login be under way while its user is
// revoked: a call that takes a while is told from a clock that is not known.
func TestACallOnItsWayArrivedBefore(t *testing.T) {
	s := served(t)
	for i, c := range []struct {
		way  time.Duration // of the login
		want error
	}{
		{0, nil},
		{leeway / 2, runtime.ErrEnded},
		{5 * time.Minute, nil},
		{-5 * time.Minute, nil},
	} {
		key := visitor(t, s, byte(i), testKind)
		if _, err := s.Revoke(t.Context(), user(i), key.Now); err != nil {
			t.Fatal(err)
		}
		key.Now, key.Age = time.Now(), 0
		s.believe(-c.way)
		if _, err := s.Update(t.Context(), key, login(i)); !errors.Is(err, c.want) {
			t.Errorf("a login that is %v late, after a revocation: %v, want %v", c.way, err, c.want)
		}
	}
}

// TestTheServerHasTheLastWord lets the store take a live session for one that has
// expired.
func TestTheServerHasTheLastWord(t *testing.T) {
	s := served(t)
	key := visitor(t, s, 1, testKind)
	s.believe(2 * time.Hour)
	key.Now = time.Now()
	if _, err := s.Load(t.Context(), key); err != nil {
		t.Errorf("a load by a clock that is wrong: %v", err)
	}
}
