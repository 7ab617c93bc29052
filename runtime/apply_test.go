package runtime_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
)

// The tests here hold Read, Apply and End to the rules whose numbers their names
// bear.

var created = time.UnixMilli(1_700_000_000_000).UTC()

const (
	life  = 24 * time.Hour
	idle  = 12 * time.Hour
	grace = 30 * time.Second
)

var (
	current = runtime.Proof{1}
	renewed = runtime.Proof{2}
	wrong   = runtime.Proof{9}
)

func stored(entries ...runtime.Entry) *runtime.Record {
	return &runtime.Record{
		Kind:     "example.com/shop.Visitor",
		Proof:    current,
		Created:  created,
		Renewed:  created,
		Deadline: created.Add(life),
		Expires:  created.Add(idle),
		Entries:  runtime.NewEntries(entries...),
	}
}

// after returns the key of a request that arrives and acts some time after the
// record was created.
func after(d time.Duration, p runtime.Proof) runtime.Key {
	return runtime.Key{Proof: p, Now: created.Add(d)}
}

func plain(key, value string) runtime.Entry { return runtime.Entry{Key: key, Value: value} }

func counter(key string, n int64) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.CounterEntry, Count: n}
}

func set(e runtime.Entry) runtime.Op { return runtime.Op{Kind: runtime.OpSet, Entry: e} }

func add(key string, n int64) runtime.Op {
	return runtime.Op{Kind: runtime.OpAdd, Entry: runtime.Entry{Key: key, Count: n}}
}

func clear(field string) runtime.Op {
	return runtime.Op{Kind: runtime.OpClear, Entry: runtime.Entry{Key: field}}
}

func remove(key string) runtime.Op {
	return runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: key}}
}

func ops(list ...runtime.Op) *runtime.Delta { return &runtime.Delta{Ops: list} }

func renew(p runtime.Proof) *runtime.Delta {
	return &runtime.Delta{Renewal: &runtime.Renewal{Proof: p, Family: familyOf(current), Grace: grace}}
}

// signIn returns the delta that signs a user in.
func signIn(p runtime.Proof, user string) *runtime.Delta {
	return &runtime.Delta{
		Ops: []runtime.Op{set(runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: user})},
		SignIn: &runtime.SignIn{
			Fields: []runtime.SignInField{{Key: "user_id", Was: "uid", Value: user, Identity: true}},
			Joins:  true,
		},
		Renewal: &runtime.Renewal{Kind: runtime.RenewSignIn, Proof: p, Family: familyOf(p), Grace: grace},
	}
}

func signOut(p runtime.Proof) *runtime.Delta {
	return &runtime.Delta{
		Ops:     []runtime.Op{remove("user_id")},
		Renewal: &runtime.Renewal{Kind: runtime.RenewSignOut, Proof: p, Family: familyOf(p), Grace: grace},
	}
}

// familyOf is the family of the tokens that a renewal with the proof begins.
func familyOf(p runtime.Proof) runtime.Family { return runtime.Family{p[0]} }

// apply applies a delta that must be applied.
func apply(t *testing.T, r *runtime.Record, key runtime.Key, d *runtime.Delta) *runtime.Record {
	t.Helper()
	next, result, err := r.Apply(key, d)
	if err != nil || result == nil {
		t.Fatalf("Apply: %v, %v", result, err)
	}
	return next
}

// read reads a record that must be live.
func read(t *testing.T, r *runtime.Record, key runtime.Key) *runtime.Record {
	t.Helper()
	next, err := r.Read(key)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return next
}

// An attempt is one operation on a record by one key, and its answer.
type attempt struct {
	name   string
	record *runtime.Record
	key    runtime.Key
	read   error
	apply  error
	end    error
}

// attempts runs each operation and checks that a refused one changes nothing but
// to end a session by reuse.
func attempts(t *testing.T, table []attempt) {
	t.Helper()
	for _, a := range table {
		t.Run(a.name, func(t *testing.T) {
			next, err := a.record.Read(a.key)
			answered(t, "Read", a.record, next, err, a.read)
			next, _, err = a.record.Apply(a.key, ops(add("views", 1)))
			answered(t, "Apply", a.record, next, err, a.apply)
			next, err = a.record.End(a.key)
			answered(t, "End", a.record, next, err, a.end)
		})
	}
}

func answered(t *testing.T, what string, before, next *runtime.Record, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
	switch got {
	case nil:
	case runtime.ErrReused:
		if next == before || next.Ended.IsZero() {
			t.Errorf("%s: the reused session has not ended", what)
		}
	default:
		if next != before {
			t.Errorf("%s: a refused operation changes the record", what)
		}
	}
}

func TestS1AdmitsByIdProofAndTime(t *testing.T) {
	r := stored()
	attempts(t, []attempt{
		{"missing", nil, after(0, current), runtime.ErrNotFound, runtime.ErrNotFound, nil},
		{"wrong proof", r, after(0, wrong), runtime.ErrNotFound, runtime.ErrNotFound, nil},
		{"the zero proof", r, after(0, runtime.Proof{}), runtime.ErrNotFound, runtime.ErrNotFound, nil},
		{"a millisecond to live", r, after(idle-time.Millisecond, current), nil, nil, nil},
		{"now is expires", r, after(idle, current), runtime.ErrNotFound, runtime.ErrNotFound, nil},
		{"expired", r, after(life, current), runtime.ErrNotFound, runtime.ErrNotFound, nil},
		{"the clock was set back", r, after(-time.Hour, current), nil, nil, nil},
	})
}

func TestS1RemembersFourEarlierProofs(t *testing.T) {
	r := renewOften(t)
	if len(r.Earlier) != runtime.MaxEarlier {
		t.Fatalf("the record keeps %d earlier proofs, want %d", len(r.Earlier), runtime.MaxEarlier)
	}
	attempts(t, []attempt{
		{"the third", r, after(6*grace, runtime.Proof{13}), nil, nil, nil},
		{"the fifth", r, after(6*grace, runtime.Proof{10}), runtime.ErrNotFound, runtime.ErrNotFound, nil},
	})
}

// renewOften returns a record that was renewed six times, a grace apart: the last two
// proofs before the current one still work.
func renewOften(t *testing.T) *runtime.Record {
	r := stored()
	r.Family = familyOf(current)
	for n := range byte(6) {
		r = apply(t, r, after(time.Duration(n+1)*grace, r.Proof), renew(runtime.Proof{10 + n}))
	}
	return r
}

func TestT12UnknownProofOfTheFamilyIsReuse(t *testing.T) {
	r := renewOften(t)
	forgotten := func(family runtime.Family, held bool) runtime.Key {
		key := after(6*grace, runtime.Proof{10})
		key.Family, key.Held = family, held
		return key
	}
	gone, reused := runtime.ErrNotFound, runtime.ErrReused
	signedIn := apply(t, r, after(6*grace, r.Proof), signIn(renewed, "7"))
	early := forgotten(familyOf(current), false)
	early.Age = time.Second
	attempts(t, []attempt{
		{"of the family, arrived before the last renewal", r, early, gone, gone, nil},
		{"of the family", r, forgotten(familyOf(current), false), reused, reused, reused},
		{"of the family, held", r, forgotten(familyOf(current), true), gone, gone, nil},
		{"of another family", r, forgotten(familyOf(wrong), false), gone, gone, nil},
		{"of no family", r, forgotten(runtime.Family{}, false), gone, gone, nil},
		{"of the family before a sign-in", signedIn, forgotten(familyOf(current), false), gone, gone, nil},
		{"of the family of the sign-in", signedIn, forgotten(familyOf(renewed), false), reused, reused, reused},
	})
}

func TestT2WhichProofsSignIn(t *testing.T) {
	user := func(id string) runtime.Entry {
		return runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: id}
	}
	earlier := apply(t, stored(), after(0, current), renew(renewed))
	presented := read(t, earlier, after(0, renewed))
	with := func(r *runtime.Record, e ...runtime.Entry) *runtime.Record {
		next := *r
		next.Entries = runtime.NewEntries(e...)
		return &next
	}
	for _, x := range []struct {
		name    string
		record  *runtime.Record
		proof   runtime.Proof
		refused error
	}{
		{"the current one", with(presented, user("8")), renewed, nil},
		{"an earlier one, no successor presented", with(earlier, user("8")), current, nil},
		{"an earlier one, nobody signed in", presented, current, nil},
		{"an earlier one, the same user", with(presented, user("7")), current, nil},
		{"an earlier one, the same user under an earlier key", with(presented, plain("uid", "7")), current, nil},
		{"an earlier one, somebody else", with(presented, user("8")), current, runtime.ErrSuperseded},
		{"an unknown one", presented, wrong, runtime.ErrNotFound},
	} {
		t.Run(x.name, func(t *testing.T) {
			next, result, err := x.record.Apply(after(time.Second, x.proof), signIn(runtime.Proof{3}, "7"))
			answered(t, "sign-in", x.record, next, err, x.refused)
			if err != nil {
				return
			}
			if !result.Won || !result.Current || next.Proof != (runtime.Proof{3}) || next.Family != familyOf(runtime.Proof{3}) {
				t.Errorf("%+v leaves proof %x, family %x", result, next.Proof[:1], next.Family[:1])
			}
			if now := created.Add(time.Second); !next.SignedIn.Equal(now) || !result.SignedIn.Equal(now) || !next.Renewed.Equal(now) {
				t.Errorf("signed in %v, renewed %v, want %v", next.SignedIn, next.Renewed, now)
			}
			for _, e := range next.Earlier {
				if e.By != runtime.RenewSignIn {
					t.Errorf("the proof %x is left", e.Proof[:1])
				}
			}
		})
	}
}

func TestT3SignInEndsTheOldProofAtOnce(t *testing.T) {
	r := apply(t, stored(), after(time.Hour, current), signIn(renewed, "7"))
	arrived := func(d, age time.Duration) runtime.Key {
		key := after(time.Hour+d, current)
		key.Age = age
		return key
	}
	s := runtime.ErrSuperseded
	gone := runtime.ErrNotFound
	attempts(t, []attempt{
		{"at the same moment", r, arrived(0, 0), s, s, s},
		{"arrived before", r, arrived(time.Second, 2*time.Second), s, s, s},
		{"arrived long before", r, arrived(time.Second, time.Hour), s, s, s},
		{"arrived after it", r, arrived(2*time.Second, time.Second), s, s, s},
		{"after the grace", r, arrived(grace, 0), gone, gone, nil},
		{"arrived within the grace, after it", r, arrived(grace, time.Second), s, s, s},
		{"the new proof", r, after(time.Hour, renewed), nil, nil, nil},
	})
}

func TestT3T10SignInEndsEveryEarlierProof(t *testing.T) {
	second, third := runtime.Proof{3}, runtime.Proof{4}
	r := apply(t, stored(), after(0, current), renew(renewed))
	r = read(t, r, after(time.Minute, renewed)) // the first proof's grace begins
	r = apply(t, r, after(2*time.Minute, renewed), renew(second))
	r = apply(t, r, after(2*time.Minute, second), signIn(third, "7"))
	s, gone := runtime.ErrSuperseded, runtime.ErrNotFound
	attempts(t, []attempt{
		{"alive until the sign-in", r, after(2*time.Minute, renewed), s, s, s},
		{"over before the sign-in", r, after(2*time.Minute, current), s, s, s},
		{"five days later", r, after(5*time.Hour, current), gone, gone, nil},
	})
}

func TestT8SecondSignInOfTheSameUserJoins(t *testing.T) {
	first, second, third := runtime.Proof{3}, runtime.Proof{4}, runtime.Proof{5}
	r := apply(t, stored(), after(0, current), signIn(first, "7"))
	next, result, err := r.Apply(after(time.Second, current), signIn(second, "7"))
	if err != nil || !result.Won || next.Proof != second {
		t.Fatalf("the second sign-in: %+v, %v", result, err)
	}
	if !next.SignedIn.Equal(r.SignedIn) {
		t.Error("joining counts as a sign-in")
	}
	next = read(t, next, after(2*time.Second, second))
	attempts(t, []attempt{{"the token that was joined, hours later", next, after(3*time.Hour, first), nil, nil, nil}})
	if _, result, err := next.Apply(after(time.Hour, first), renew(third)); err != nil || !result.Won {
		t.Errorf("the token that was joined does not renew: %+v, %v", result, err)
	}
	renewedAgain := apply(t, next, after(time.Hour, second), renew(third))
	renewedAgain = read(t, renewedAgain, after(time.Hour, third))
	reused := runtime.ErrReused
	attempts(t, []attempt{{"after a renewal of another kind", renewedAgain, after(2*time.Hour, first), reused, reused, reused}})
}

func TestT8WhoDoesNotJoin(t *testing.T) {
	first, second := runtime.Proof{3}, runtime.Proof{4}
	r := apply(t, stored(), after(time.Hour, current), signIn(first, "7"))
	out := apply(t, r, after(time.Hour+2*time.Second, first), signOut(runtime.Proof{6}))
	if !out.SignedIn.IsZero() {
		t.Error("a sign-out leaves SignedIn")
	}
	at := func(d, age time.Duration) runtime.Key {
		key := after(time.Hour+d, current)
		key.Age = age
		return key
	}
	noIdentity := signIn(second, "7")
	noIdentity.SignIn.Joins = false
	role := signIn(second, "7")
	role.SignIn.Fields = append(role.SignIn.Fields, runtime.SignInField{Key: "role", Value: "admin"})
	for _, x := range []struct {
		name    string
		record  *runtime.Record
		key     runtime.Key
		delta   *runtime.Delta
		refused error
	}{
		{"another user", r, at(time.Second, 0), signIn(second, "8"), runtime.ErrSuperseded},
		{"a type that identifies nobody", r, at(time.Second, 0), noIdentity, runtime.ErrSuperseded},
		{"another role", r, at(time.Second, 0), role, runtime.ErrSuperseded},
		{"another user, after the grace", r, at(time.Minute, 0), signIn(second, "8"), runtime.ErrNotFound},
		{"after a sign-out that came after it", out, at(3*time.Second, 2*time.Second), signIn(second, "7"), runtime.ErrSignedOut},
		{"after a sign-out that came before it", out, at(3*time.Second, 0), signIn(second, "7"), runtime.ErrSuperseded},
	} {
		t.Run(x.name, func(t *testing.T) {
			next, _, err := x.record.Apply(x.key, x.delta)
			answered(t, "sign-in", x.record, next, err, x.refused)
			if errors.Is(err, runtime.ErrSignedOut) != (x.refused == runtime.ErrSignedOut) {
				t.Errorf("the error is %v, want %v", err, x.refused)
			}
		})
	}
}

func TestT8LateSignInOfTheSameUserEndsEveryOtherToken(t *testing.T) {
	first, second := runtime.Proof{3}, runtime.Proof{4}
	r := apply(t, stored(), after(0, current), signIn(first, "7"))
	next, result, err := r.Apply(after(time.Hour, current), signIn(second, "7"))
	if err != nil || !result.Won || next.Proof != second || !next.SignedIn.Equal(created.Add(time.Hour)) {
		t.Fatalf("a retry after a lost answer: %+v, %v", result, err)
	}
	s := runtime.ErrSuperseded
	attempts(t, []attempt{{"the token of the first", next, after(time.Hour, first), s, s, s}})
}

func TestT4RenewalThatNobodyLearntOf(t *testing.T) {
	r := apply(t, stored(), after(0, current), renew(renewed))
	again := renew(runtime.Proof{3})
	if _, result, err := r.Apply(after(grace-time.Millisecond, current), again); err != nil || result.Won {
		t.Errorf("within the grace: %+v, %v", result, err)
	}
	if _, result, err := r.Apply(after(grace, current), again); err != nil || !result.Won {
		t.Errorf("after the grace: %+v, %v", result, err)
	}
	presented := read(t, r, after(0, renewed))
	if _, result, err := presented.Apply(after(grace-time.Millisecond, current), again); err != nil || result.Won {
		t.Errorf("once a successor was presented: %+v, %v", result, err)
	}
}

func TestT4TheProofThatRenewsStaysInTheList(t *testing.T) {
	r := stored()
	for n := range byte(4) {
		unpresented := after(0, r.Proof)
		unpresented.Live = true
		r = apply(t, r, unpresented, renew(runtime.Proof{10 + n}))
	}
	next, result, err := r.Apply(after(grace, current), renew(renewed))
	if err != nil || !result.Won {
		t.Fatalf("the oldest proof does not renew: %+v, %v", result, err)
	}
	attempts(t, []attempt{
		{"the one that renewed", next, after(grace, current), nil, nil, nil},
		{"the second oldest", next, after(grace, runtime.Proof{10}), runtime.ErrNotFound, runtime.ErrNotFound, nil},
	})
}

func TestT4PlainRenewalKeepsTheOldProofUntilTheNewIsPresented(t *testing.T) {
	r := apply(t, stored(), after(0, current), renew(renewed))
	attempts(t, []attempt{{"hours later", r, after(6*time.Hour, current), nil, nil, nil}})
	if next := read(t, r, after(time.Hour, current)); next != r {
		t.Error("reading with the old proof counts as a presentation of the new one")
	}
	live := after(time.Hour, renewed)
	live.Live = true
	if next := read(t, r, live); next != r {
		t.Error("a live connection counts as a presentation")
	}
	presented := map[string]*runtime.Record{
		"load":   read(t, r, after(time.Hour, renewed)),
		"update": apply(t, r, after(time.Hour, renewed), ops()),
	}
	for name, r := range presented {
		end := time.Hour + grace
		attempts(t, []attempt{
			{"within the grace after a " + name, r, after(end-time.Millisecond, current), nil, nil, nil},
			{"after the grace after a " + name, r, after(end, current), runtime.ErrReused, runtime.ErrReused, runtime.ErrReused},
		})
		if next := read(t, r, after(2*time.Hour, renewed)); next != r {
			t.Errorf("a second presentation after a %s is recorded", name)
		}
	}
}

func TestT4OfTwoPlainRenewalsOneWins(t *testing.T) {
	r := apply(t, stored(), after(0, current), renew(renewed))
	late := renew(runtime.Proof{3})
	late.Ops = []runtime.Op{add("views", 1)}
	next, result, err := r.Apply(after(0, current), late)
	if err != nil || result.Won || result.Current {
		t.Fatalf("the renewal that lost: %+v, %v", result, err)
	}
	if next.Proof != renewed || len(next.Earlier) != 1 {
		t.Error("the renewal that lost changes the proof")
	}
	if e, _ := next.Entries.Get("views"); e.Count != 1 {
		t.Error("the data of the renewal that lost is not applied")
	}
}

func TestT5ReuseNeedsEvidence(t *testing.T) {
	r := apply(t, stored(), after(0, current), renew(renewed))
	r = read(t, r, after(0, renewed))
	held, running := after(time.Hour, current), after(grace+time.Second, current)
	held.Held = true
	running.Age = 2 * time.Second
	gone := runtime.ErrNotFound
	attempts(t, []attempt{
		{"held by a live connection", r, held, gone, gone, nil},
		{"by a request that arrived within the grace", r, running, gone, gone, nil},
		{"never valid", r, after(time.Hour, wrong), gone, gone, nil},
		{"kept by somebody", r, after(time.Hour, current), runtime.ErrReused, runtime.ErrReused, runtime.ErrReused},
	})
}

func TestT6Expiry(t *testing.T) {
	at := func(d time.Duration) time.Time { return created.Add(d) }
	own, long := idle/4, 2*life
	table := []struct {
		name              string
		delta             runtime.Delta
		expires, deadline time.Duration
	}{
		{"no activity", runtime.Delta{}, idle, life},
		{"activity", runtime.Delta{Active: at(idle + time.Hour)}, idle + time.Hour, life},
		{"activity by a clock set back", runtime.Delta{Active: at(time.Hour)}, idle, life},
		{"activity beyond the deadline", runtime.Delta{Active: at(2 * life)}, life, life},
		{"a use without an idle limit", runtime.Delta{Used: at(2 * time.Hour)}, idle, life},
		{"a limit of its own", runtime.Delta{Idle: &own, Used: at(0), Active: at(idle)}, own, life},
		{"a limit of its own, not used", runtime.Delta{Idle: &own, Active: at(idle)}, idle, life},
		{"a limit of its own beyond the deadline", runtime.Delta{Idle: &long, Used: at(0)}, life, life},
		{"no limit of its own any more", runtime.Delta{Idle: new(time.Duration), Used: at(0), Active: at(idle / 2)}, idle / 2, life},
		{"no limit any more", runtime.Delta{Idle: new(time.Duration), Used: at(0)}, life, life},
		{"an earlier deadline", runtime.Delta{Deadline: at(time.Hour)}, time.Hour, time.Hour},
		{"an earlier deadline with activity", runtime.Delta{Deadline: at(time.Hour), Active: at(idle)}, time.Hour, time.Hour},
		{"a later deadline without an idle limit", runtime.Delta{Deadline: at(2 * life)}, 2 * life, 2 * life},
		{"a later deadline with activity", runtime.Delta{Deadline: at(2 * life), Active: at(idle + time.Hour)}, idle + time.Hour, 2 * life},
		{"a later deadline by a clock set back", runtime.Delta{Deadline: at(2 * life), Active: at(time.Hour)}, idle, 2 * life},
		{
			"a ticket that alone delivers the session",
			runtime.Delta{Active: at(idle + time.Hour), Renewal: &runtime.Renewal{}, Ticket: &runtime.Ticket{Ends: at(time.Minute), Sole: true}},
			time.Minute, life,
		},
		{
			"any other ticket",
			runtime.Delta{Active: at(idle + time.Hour), Renewal: &runtime.Renewal{}, Ticket: &runtime.Ticket{Ends: at(time.Minute)}},
			idle + time.Hour, life,
		},
	}
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			r, result, err := stored().Apply(after(0, current), &c.delta)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Expires.Equal(at(c.expires)) || !r.Deadline.Equal(at(c.deadline)) {
				t.Errorf("expires %v, deadline %v after creation; want %v, %v",
					r.Expires.Sub(created), r.Deadline.Sub(created), c.expires, c.deadline)
			}
			if !result.Expires.Equal(r.Expires) || !result.Deadline.Equal(r.Deadline) || !result.Created.Equal(created) {
				t.Error("the result tells other times than the record")
			}
		})
	}
}

// ticketed returns a record with a ticket, and the key that presents it.
func ticketed(ticket runtime.Ticket) (*runtime.Record, runtime.Key) {
	ticket.Proof, ticket.Ends = runtime.Proof{7}, created.Add(grace)
	r := stored()
	r.Ticket = &ticket
	key := after(0, ticket.Proof)
	key.Ticket = true
	return r, key
}

func TestS4TicketIsRedeemedForWhatTheHandshakeSaw(t *testing.T) {
	saw, older := runtime.Proof{5}, runtime.Proof{6}
	table := []struct {
		name    string
		saw     runtime.Proof
		redeem  *runtime.Redemption
		refused error
	}{
		{"no session, no cookie", runtime.Proof{}, &runtime.Redemption{}, nil},
		{"no session, a dead cookie", runtime.Proof{}, &runtime.Redemption{Presented: saw}, nil},
		{"no session, another live one", runtime.Proof{}, &runtime.Redemption{Presented: saw, Live: true}, runtime.ErrConflict},
		{"a session, the same under another token", saw, &runtime.Redemption{Presented: wrong, Same: []runtime.Proof{saw}}, nil},
		{"a session, the same cookie", saw, &runtime.Redemption{Presented: saw, Live: true}, nil},
		{"a session, another cookie", saw, &runtime.Redemption{Presented: wrong, Live: true}, runtime.ErrConflict},
		{"a session, no cookie", saw, &runtime.Redemption{}, runtime.ErrConflict},
		{"a session, a token that a sign-in of it has ended", current, &runtime.Redemption{Presented: older, Live: true}, nil},
		{"no redemption", runtime.Proof{}, nil, runtime.ErrConflict},
	}
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			r, key := ticketed(runtime.Ticket{Saw: c.saw})
			r.Earlier = []runtime.EarlierProof{{Proof: older, By: runtime.RenewSignIn}}
			d := renew(renewed)
			d.Redeem = c.redeem
			next, result, err := r.Apply(key, d)
			answered(t, "the redemption", r, next, err, c.refused)
			if err == nil && (!result.Won || next.Proof != renewed || next.Ticket != nil) {
				t.Errorf("a redemption leaves won %v, proof %x, ticket %v", result.Won, next.Proof[:1], next.Ticket)
			}
		})
	}
}

func TestL3TicketIsValidForOneUpdateInTime(t *testing.T) {
	r, key := ticketed(runtime.Ticket{})
	next, err := r.Read(key)
	answered(t, "Read with a ticket", r, next, err, runtime.ErrNotFound)

	noTicket := key
	noTicket.Ticket = false
	next, err = r.Read(noTicket)
	answered(t, "Read with a ticket as a token", r, next, err, runtime.ErrNotFound)

	d := renew(renewed)
	d.Redeem = &runtime.Redemption{}
	late := key
	late.Now = r.Ticket.Ends
	next, _, err = r.Apply(late, d)
	answered(t, "a redemption too late", r, next, err, runtime.ErrNotFound)

	redeemed := apply(t, r, key, d)
	next, _, err = redeemed.Apply(key, d)
	answered(t, "a second redemption", redeemed, next, err, runtime.ErrNotFound)
}

func TestL3TicketAloneEndsOrDeliversItsSession(t *testing.T) {
	r, key := ticketed(runtime.Ticket{})
	if next, err := r.End(key); next != r || err != nil {
		t.Errorf("End with a ticket that is not the only way: %v", err)
	}
	r, key = ticketed(runtime.Ticket{Sole: true})
	r.Expires = r.Ticket.Ends
	next, err := r.End(key)
	if err != nil || next.Ended.IsZero() {
		t.Errorf("End with the only ticket: %v", err)
	}
	d := renew(renewed)
	d.Redeem, d.Active = &runtime.Redemption{}, created.Add(idle)
	if next := apply(t, r, key, d); !next.Expires.Equal(created.Add(idle)) {
		t.Errorf("a delivered session expires %v after its creation, want %v", next.Expires.Sub(created), idle)
	}
}

func TestR7MarkTellsRunningRequestsOfTheEnd(t *testing.T) {
	r := apply(t, stored(plain("theme", "dark")), after(0, current), renew(renewed))
	mark, err := r.End(after(time.Hour, renewed))
	if err != nil {
		t.Fatal(err)
	}
	if mark.Entries.Len() != 0 || mark.Ticket != nil {
		t.Error("the mark keeps data of the session")
	}
	arrived := func(p runtime.Proof, d, age time.Duration) runtime.Key {
		key := after(time.Hour+d, p)
		key.Age = age
		return key
	}
	ended, gone := runtime.ErrEnded, runtime.ErrNotFound
	attempts(t, []attempt{
		{"arrived before", mark, arrived(renewed, time.Second, 2*time.Second), ended, ended, ended},
		{"arrived before, earlier proof", mark, arrived(current, time.Second, 2*time.Second), ended, ended, ended},
		{"arrived before, wrong proof", mark, arrived(wrong, time.Second, 2*time.Second), gone, gone, nil},
		{"arrived after", mark, arrived(renewed, 2*time.Second, time.Second), gone, gone, nil},
		{"a moment before the mark expires", mark, arrived(renewed, runtime.MarkLife-1, time.Hour), ended, ended, ended},
		{"the mark has expired", mark, arrived(renewed, runtime.MarkLife, time.Hour), gone, gone, nil},
	})
}

func TestR7MarkTellsMicrosecondsApart(t *testing.T) {
	end := after(time.Hour+300*time.Microsecond, current)
	mark, err := stored().End(end)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		arrived time.Duration
		want    error
	}{
		"before the end": {-time.Microsecond, runtime.ErrEnded},
		"with the end":   {0, runtime.ErrNotFound},
		"after the end":  {time.Microsecond, runtime.ErrNotFound},
	} {
		key := after(time.Hour+time.Second, current)
		key.Age = key.Now.Sub(end.Now.Add(c.arrived))
		if _, err := mark.Read(key); !errors.Is(err, c.want) {
			t.Errorf("a request that arrived %s: got error %v, want %v", name, err, c.want)
		}
	}
}

// TestV4V5Operations applies operations to entries.
func TestV4V5Operations(t *testing.T) {
	before := []runtime.Entry{
		plain("car", "1"), plain("cart", "1"), plain("cart2:a", "1"), plain("cart:a", "1"), counter("cart:b", 2),
		plain("cart_x", "1"), plain("theme", "dark"), counter("views", 3),
	}
	drop := func(op runtime.Op) runtime.Op {
		op.DropZero = true
		return op
	}
	table := []struct {
		name     string
		ops      []runtime.Op
		without  []string
		with     []runtime.Entry
		replaced []string
	}{
		{name: "set a new entry", ops: []runtime.Op{set(plain("name", "Ann"))}, with: []runtime.Entry{plain("name", "Ann")}},
		{name: "set an entry anew", ops: []runtime.Op{set(plain("theme", "light"))}, with: []runtime.Entry{plain("theme", "light")}},
		{name: "set a counter", ops: []runtime.Op{set(counter("views", 9))}, with: []runtime.Entry{counter("views", 9)}},
		{name: "remove an entry", ops: []runtime.Op{remove("cart:a")}, without: []string{"cart:a"}},
		{name: "remove what is absent", ops: []runtime.Op{remove("cart:z")}},
		{name: "clear a field", ops: []runtime.Op{clear("cart")}, without: []string{"cart", "cart:a", "cart:b"}},
		{name: "clear what is absent", ops: []runtime.Op{clear("name")}},
		{
			name: "clear, then set", ops: []runtime.Op{clear("cart"), set(plain("cart:c", "3"))},
			without: []string{"cart", "cart:a", "cart:b"}, with: []runtime.Entry{plain("cart:c", "3")},
		},
		{name: "add", ops: []runtime.Op{add("views", 2)}, with: []runtime.Entry{counter("views", 5)}},
		{name: "add to what is absent", ops: []runtime.Op{add("hits", 2)}, with: []runtime.Entry{counter("hits", 2)}},
		{name: "add up to 0", ops: []runtime.Op{add("views", -3)}, with: []runtime.Entry{counter("views", 0)}},
		{name: "add up to 0 and drop", ops: []runtime.Op{drop(add("views", -3))}, without: []string{"views"}},
		{name: "add 0 to what is absent and drop", ops: []runtime.Op{drop(add("hits", 0))}},
		{
			name: "add to what is no counter", ops: []runtime.Op{add("theme", 2)},
			with: []runtime.Entry{counter("theme", 2)}, replaced: []string{"theme"},
		},
		{
			name: "add 0 to what is no counter and drop", ops: []runtime.Op{drop(add("theme", 0))},
			without: []string{"theme"}, replaced: []string{"theme"},
		},
	}
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			r := stored(before...)
			next, result, err := r.Apply(after(0, current), ops(c.ops...))
			if err != nil {
				t.Fatal(err)
			}
			kept := slices.DeleteFunc(slices.Clone(before), func(e runtime.Entry) bool { return slices.Contains(c.without, e.Key) })
			if want := runtime.NewEntries(append(kept, c.with...)...); !next.Entries.Equal(want) {
				t.Errorf("entries %v, want %v", next.Entries, want)
			}
			if !slices.Equal(result.Replaced, c.replaced) {
				t.Errorf("replaced %q, want %q", result.Replaced, c.replaced)
			}
			if !r.Entries.Equal(runtime.NewEntries(before...)) {
				t.Error("Apply changes the record that it was given")
			}
		})
	}
}

func TestV5OverflowChangesNothing(t *testing.T) {
	r := stored(counter("high", math.MaxInt64), counter("low", math.MinInt64))
	for key, n := range map[string]int64{"high": 1, "low": -1} {
		next, _, err := r.Apply(after(0, current), ops(set(plain("theme", "dark")), add(key, n)))
		answered(t, "an overflow", r, next, err, runtime.ErrOverflow)
		var limit *runtime.LimitError
		if !errors.As(err, &limit) || limit.Field != key {
			t.Errorf("the error %v does not name the field %q", err, key)
		}
	}
	apply(t, r, after(0, current), ops(add("high", math.MinInt64), add("low", math.MaxInt64)))
}

func TestV6Conditions(t *testing.T) {
	r := stored(plain("theme", "dark"), counter("views", 3))
	table := []struct {
		name    string
		key     string
		demand  runtime.Condition
		refused error
	}{
		{"the value that is there", "theme", runtime.Condition{Value: "dark"}, nil},
		{"another value", "theme", runtime.Condition{Value: "light"}, runtime.ErrConflict},
		{"absent, but there", "theme", runtime.Condition{Absent: true}, runtime.ErrConflict},
		{"absent", "name", runtime.Condition{Absent: true}, nil},
		{"a value of what is absent", "name", runtime.Condition{Value: ""}, runtime.ErrConflict},
		{"the count that is there", "views", runtime.Condition{Counter: true, Count: 3}, nil},
		{"another count", "views", runtime.Condition{Counter: true, Count: 4}, runtime.ErrConflict},
		{"a count of a value", "theme", runtime.Condition{Counter: true}, runtime.ErrConflict},
		{"a count of what is absent", "name", runtime.Condition{Counter: true}, runtime.ErrConflict},
		{"a value of a counter", "views", runtime.Condition{Value: ""}, runtime.ErrConflict},
	}
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			conditional := set(plain(c.key, "new"))
			conditional.If = &c.demand
			next, _, err := r.Apply(after(0, current), ops(clear("views"), conditional))
			answered(t, "the update", r, next, err, c.refused)
		})
	}
}

func TestV7LimitsBindOnlyWhatGrows(t *testing.T) {
	r := stored(plain("cart:a", "1"), plain("cart:b", "1"), plain("theme", "dark"))
	size := r.Entries.Size()
	elements := func(limit int, list ...runtime.Op) runtime.Delta {
		return runtime.Delta{Ops: list, Limits: []runtime.Limit{{Field: "cart", Max: limit}}}
	}
	bytes := func(limit int, list ...runtime.Op) runtime.Delta {
		return runtime.Delta{Ops: list, MaxBytes: limit}
	}
	table := []struct {
		name  string
		delta runtime.Delta
		field string // that is too large
		fits  bool
	}{
		{"as many elements as fit", elements(3, set(plain("cart:c", "1"))), "", true},
		{"one element too many", elements(2, set(plain("cart:c", "1"))), "cart", false},
		{"an element replaced beyond the limit", elements(1, set(plain("cart:b", "2"))), "", true},
		{"elements removed beyond the limit", elements(0, remove("cart:b")), "", true},
		{"another field under the limit of one", elements(1, set(plain("name", "Ann"))), "", true},
		{"as many bytes as fit", bytes(size+len("nameAnn"), set(plain("name", "Ann"))), "", true},
		{"one byte too many", bytes(size+len("nameAnn")-1, set(plain("name", "Ann"))), "", false},
		{"a counter of 8 bytes", bytes(size+len("views")+8, add("views", 1)), "", true},
		{"a counter one byte too large", bytes(size+len("views")+7, add("views", 1)), "", false},
		{"bytes replaced beyond the limit", bytes(1, set(plain("theme", "blue"))), "", true},
		{"no limit", bytes(0, set(plain("name", "Ann"))), "", true},
	}
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			next, _, err := r.Apply(after(0, current), &c.delta)
			if c.fits {
				answered(t, "the update", r, next, err, nil)
				return
			}
			answered(t, "the update", r, next, err, runtime.ErrTooLarge)
			var limit *runtime.LimitError
			if !errors.As(err, &limit) || limit.Field != c.field {
				t.Errorf("the error %v does not name the field %q", err, c.field)
			}
		})
	}
}

func TestL3TicketEndsWithItsProof(t *testing.T) {
	r, key := ticketed(runtime.Ticket{})
	r = apply(t, r, after(0, current), signIn(renewed, "7"))
	d := renew(runtime.Proof{3})
	d.Redeem = &runtime.Redemption{}
	next, _, err := r.Apply(key, d)
	answered(t, "a redemption after a sign-in", r, next, err, runtime.ErrNotFound)
}

func TestL3TicketOfALostRenewalIsNotStored(t *testing.T) {
	r := apply(t, stored(), after(0, current), renew(renewed))
	d := renew(runtime.Proof{3})
	d.Ticket = &runtime.Ticket{Proof: runtime.Proof{7}, Ends: created.Add(grace)}
	if r := apply(t, r, after(0, current), d); r.Ticket != nil {
		t.Error("a ticket that could deliver no token is stored")
	}
	d.Renewal.Proof = runtime.Proof{4}
	if r := apply(t, r, after(0, renewed), d); r.Ticket != d.Ticket {
		t.Error("the ticket of the renewal that won is not stored")
	}
}

func TestRenewedIsInWholeMilliseconds(t *testing.T) {
	r := apply(t, stored(), after(1234567*time.Nanosecond, current), renew(renewed))
	if want := created.Add(time.Millisecond); !r.Renewed.Equal(want) {
		t.Errorf("renewed %v, want %v", r.Renewed, want)
	}
}

// A store hands one record to several readers at once.
func TestTheRecordThatIsJudgedStaysAsItWas(t *testing.T) {
	second := runtime.Proof{3}
	key := after(time.Minute, second)
	judged := func(presented bool) *runtime.Record {
		r := apply(t, stored(counter("views", 1)), after(0, current), renew(renewed))
		r = apply(t, r, after(time.Second, renewed), renew(second))
		if presented {
			r = read(t, r, key)
		}
		r.Earlier = append(make([]runtime.EarlierProof, 0, runtime.MaxEarlier), r.Earlier...) // with room for more
		return r
	}
	for name, judge := range map[string]func(*runtime.Record){
		"Read":                 func(r *runtime.Record) { read(t, r, key) },
		"Apply":                func(r *runtime.Record) { apply(t, r, key, ops(add("views", 1))) },
		"Apply of a renewal":   func(r *runtime.Record) { apply(t, r, key, renew(wrong)) },
		"Apply of a sign-in":   func(r *runtime.Record) { apply(t, r, key, signIn(wrong, "7")) },
		"Apply of a sign-out":  func(r *runtime.Record) { apply(t, r, key, signOut(wrong)) },
		"Apply of a new limit": func(r *runtime.Record) { apply(t, r, key, &runtime.Delta{Deadline: created.Add(time.Hour)}) },
		"End": func(r *runtime.Record) {
			if _, err := r.End(key); err != nil {
				t.Errorf("End: %v", err)
			}
		},
	} {
		for _, presented := range []bool{false, true} {
			r := judged(presented)
			judge(r)
			if diff := cmp.Diff(judged(presented), r); diff != "" {
				t.Errorf("%s changes the record (-before +after):\n%s", name, diff)
			}
		}
	}
}
