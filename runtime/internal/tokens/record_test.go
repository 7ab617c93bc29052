package tokens

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
)

const grace = 30 * time.Second

// A twin is a session of the model beside a record of package runtime.
type twin struct {
	model  session
	record *runtime.Record
	now    time.Time
	out    time.Time // of the last sign-out
	last   time.Time // of the last renewal
	tokens []*issued

	ticket runtime.Proof // the outstanding one
	saw    *issued       // what it is for, nil: a browser without a session
	made   byte          // how many tickets there were
}

// An issued token is one that was given out, with what stands for its secret.
type issued struct {
	token
	proof  runtime.Proof
	family runtime.Family

	// An operation that has arrived with it, and waits.
	arrived  time.Time
	evidence evidence
}

func newTwin() *twin {
	w := &twin{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	first := w.fresh(runtime.Family{1})
	w.tokens = append(w.tokens, first)
	w.model = empty
	w.record = &runtime.Record{
		Kind: "tokens", Proof: first.proof, Family: first.family,
		Created: w.now, Renewed: w.now, Deadline: w.now.Add(runtime.MaxAge), Expires: w.now.Add(runtime.MaxAge),
	}
	return w
}

// fresh returns a token that can be given out next.
func (w *twin) fresh(f runtime.Family) *issued {
	n := len(w.tokens)
	return &issued{proof: runtime.Proof{byte(n), byte(n >> 8), 1}, family: f}
}

// key is that of an operation, which arrives now unless it has waited.
func (w *twin) key(t *issued, waited bool, e *evidence) runtime.Key {
	key := runtime.Key{Proof: t.proof, Family: t.family, Now: w.now, Held: e.held, Live: e.ofOwn}
	if !waited || t.arrived.IsZero() {
		t.arrived, t.evidence = w.now, w.model.arrival(t.place)
	}
	arrival := t.evidence
	arrival.held, arrival.ofOwn = e.held, e.ofOwn
	arrival.beforeOut, arrival.beforeLast = t.arrived.Before(w.out), t.arrived.Before(w.last)
	*e = arrival
	key.Age = w.now.Sub(t.arrived)
	return key
}

func (w *twin) pass(d time.Duration) { w.now = w.now.Add(d) }

var verdicts = map[verdict]error{
	admitted: nil, notFound: runtime.ErrNotFound, superseded: runtime.ErrSuperseded,
	reused: runtime.ErrReused, gone: runtime.ErrEnded, conflict: runtime.ErrConflict,
}

// compare demands that the record answers as the model does.
func (w *twin) compare(t *rapid.T, what string, got error, want verdict) {
	t.Helper()
	if !errors.Is(got, verdicts[want]) || got == nil != (want == admitted) {
		t.Fatalf("%s: the record answers %v, the model %v\n%+v\n%+v", what, got, verdicts[want], w.record, w.model)
	}
}

func (w *twin) update(t *rapid.T, by *issued, key runtime.Key, e evidence, c change, who user) {
	d := &runtime.Delta{}
	fresh := w.fresh(by.family)
	entry := runtime.Entry{Key: "user", Value: string(rune('0' + who))}
	switch c {
	case renew:
		d.Renewal = &runtime.Renewal{Kind: runtime.RenewPlain}
	case signIn:
		fresh.family = runtime.Family(fresh.proof[:])
		d.Renewal = &runtime.Renewal{Kind: runtime.RenewSignIn}
		d.SignIn = &runtime.SignIn{Joins: true, Fields: []runtime.SignInField{{Key: "user", Value: entry.Value, Identity: true}}}
		d.Ops = []runtime.Op{{Kind: runtime.OpSet, Entry: entry}}
	case signOut:
		fresh.family = runtime.Family(fresh.proof[:])
		d.Renewal = &runtime.Renewal{Kind: runtime.RenewSignOut}
		d.Ops = []runtime.Op{{Kind: runtime.OpRemove, Entry: entry}}
	}
	if d.Renewal != nil {
		d.Renewal.Proof, d.Renewal.Family, d.Renewal.Grace = fresh.proof, fresh.family, grace
	}
	holders := w.holders()
	signedOut := c == signIn && w.model.isSignedOut(by.place, e)
	ticket, o, saw := w.offer(t, c, by)
	d.Ticket = ticket
	before := w.model.ticket
	want, won := w.model.update(by.place, e, c, who, o, holders...)
	stored := o != nil && won
	if stored && before != sole {
		w.saw = saw
	}
	if stored {
		w.ticket = ticket.Proof
	}
	next, result, err := w.record.Apply(key, d)
	w.record = next
	w.compare(t, "an Update", err, want)
	if err != nil {
		if got := errors.Is(err, runtime.ErrSignedOut); got != signedOut {
			t.Fatalf("an Update: signed out meanwhile is %v, in the model %v", got, signedOut)
		}
		return
	}
	if result.Won != won {
		t.Fatalf("an Update of kind %d: the record renews %v, the model %v\n%+v\n%+v", c, result.Won, won, w.record, w.model)
	}
	if won {
		w.tokens, w.last = append(w.tokens, fresh), w.now
	}
	if won && c == signOut {
		w.out = w.now
	}
}

// holders are all tokens that a renewal moves.
func (w *twin) holders() (list []*token) {
	if w.model.saw.real() {
		list = append(list, &w.model.saw)
	}
	for _, other := range w.tokens {
		list = append(list, &other.token)
	}
	return list
}

// offer draws the ticket of an event, or none.
func (w *twin) offer(t *rapid.T, c change, by *issued) (ticket *runtime.Ticket, o *offer, saw *issued) {
	if !oneIn4(t, "ticket") {
		return nil, nil, nil
	}
	w.made++
	ticket = &runtime.Ticket{
		Proof: runtime.Proof{w.made, 2}, Ends: w.now.Add(grace).Truncate(time.Millisecond), Sole: c == signIn || c == signOut,
	}
	o = &offer{sole: ticket.Sole, saw: &none}
	switch rapid.IntRange(0, 2).Draw(t, "saw") {
	case 0:
		return ticket, o, nil
	case 1:
		saw = by
	default:
		saw = w.token(t)
	}
	ticket.Saw, o.saw = saw.proof, &saw.token
	return ticket, o, saw
}

// redeem shows a ticket, with what a browser has.
func (w *twin) redeem(t *rapid.T) {
	w.pass(time.Millisecond)
	by := redemption{cookie: none, live: rapid.Bool().Draw(t, "live")}
	fresh := w.fresh(runtime.Family{})
	fresh.family = runtime.Family(fresh.proof[:])
	key := runtime.Key{Proof: w.ticket, Ticket: true, Now: w.now}
	d := &runtime.Delta{Redeem: &runtime.Redemption{Live: by.live}}
	if rapid.Bool().Draw(t, "cookie") {
		cookie := w.token(t)
		by.cookie, by.same = cookie.token, cookie == w.saw
		by.opens = cookie.place < forgotten && rapid.Bool().Draw(t, "opens")
		d.Redeem.Presented = cookie.proof
		if by.opens {
			fresh.family = cookie.family
			d.Redeem.Same = w.sameUser()
			by.same = by.same || w.saw != nil && w.model.follows(w.saw.place)
		}
	}
	outstanding := w.model.ticket != noTicket
	if oneIn4(t, "another ticket") {
		key.Proof, outstanding = runtime.Proof{3}, false
	}
	d.Renewal = &runtime.Renewal{Kind: runtime.RenewJoin, Proof: fresh.proof, Family: fresh.family, Grace: grace}
	want := notFound
	if outstanding {
		want = w.model.redeem(0, by, w.holders()...)
	}
	next, _, err := w.record.Apply(key, d)
	w.record = next
	w.compare(t, "a redemption", err, want)
	switch want {
	case admitted:
		w.tokens, w.last = append(w.tokens, fresh), w.now
	case conflict:
		w.model.reject()
		next, err := w.record.End(key)
		w.record = next
		w.compare(t, "a Delete with a ticket", err, admitted)
	}
}

// sameUser returns the proofs back to the last sign-in or sign-out.
func (w *twin) sameUser() (list []runtime.Proof) {
	for _, other := range w.tokens {
		if w.model.follows(other.place) {
			list = append(list, other.proof)
		}
	}
	return list
}

func (w *twin) load(t *rapid.T, by *issued, key runtime.Key, e evidence) {
	want := w.model.admit(by.place, e, read)
	next, err := w.record.Read(key)
	w.record = next
	w.compare(t, "a Load", err, want)
}

func (w *twin) destroy(t *rapid.T, by *issued, key runtime.Key, e evidence) {
	want, _ := w.model.destroy(by.place, e)
	next, err := w.record.End(key)
	w.record = next
	if want == notFound {
		want = admitted // there it is no error
	}
	w.compare(t, "a Delete", err, want)
}

// token draws one of the newest.
func (w *twin) token(t *rapid.T) *issued {
	return w.tokens[len(w.tokens)-1-rapid.IntRange(0, min(6, len(w.tokens)-1)).Draw(t, "token")]
}

func oneIn4(t *rapid.T, what string) bool { return rapid.IntRange(0, 3).Draw(t, what) == 3 }

// operate is one operation, with a token that arrives with it or has waited.
func (w *twin) operate(t *rapid.T) {
	w.pass(time.Millisecond)
	by := w.token(t)
	e := evidence{held: oneIn4(t, "held"), ofOwn: oneIn4(t, "own")}
	key := w.key(by, rapid.Bool().Draw(t, "waited"), &e)
	w.pass(time.Millisecond)
	key.Now, key.Age = w.now, w.now.Sub(by.arrived)
	switch c := rapid.IntRange(0, 16).Draw(t, "operation"); {
	case c == 16:
		w.destroy(t, by, key, e)
	case c >= 12:
		w.load(t, by, key, e)
	default:
		w.update(t, by, key, e, change(c%4), user(1+rapid.IntRange(0, 1).Draw(t, "user")))
	}
}

// arrive has an operation arrive with a token, and wait.
func (w *twin) arrive(t *rapid.T) {
	w.pass(time.Millisecond)
	w.key(w.token(t), false, &evidence{})
}

// TestTheRecordKeepsTheRules lets both take the same random operations.
func TestTheRecordKeepsTheRules(t *testing.T) {
	testtier.Checks(t, testtier.Count(200, 2_000, 50_000))
	rapid.Check(t, func(t *rapid.T) {
		w := newTwin()
		t.Repeat(map[string]func(*rapid.T){
			"operate": w.operate,
			"again":   w.operate,
			"arrive":  w.arrive,
			"redeem":  w.redeem,
			"pass": func(*rapid.T) {
				w.pass(runtime.MarkLife + time.Second)
				w.model.pass()
			},
		})
	})
}
