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
	w.model = session{status: live}
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
	reused: runtime.ErrReused, gone: runtime.ErrEnded,
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
	var holders []*token
	for _, other := range w.tokens {
		holders = append(holders, &other.token)
	}
	signedOut := c == signIn && w.model.isSignedOut(by.place, e)
	want, won := w.model.update(by.place, e, c, who, holders...)
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
			"pass": func(*rapid.T) {
				w.pass(runtime.MarkLife + time.Second)
				w.model.pass()
			},
		})
	})
}
