package storetest

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// What is drawn for a history: keys, records and deltas.

func (h *random) newID() (id runtime.ID) {
	binary.BigEndian.PutUint64(id[:], h.Uint64())
	binary.BigEndian.PutUint64(id[8:], h.Uint64())
	return id
}

// fresh gives out a proof.
func (h *random) fresh() (p runtime.Proof) {
	for i := 0; i < len(p); i += 8 {
		binary.BigEndian.PutUint64(p[i:], h.Uint64())
	}
	h.proofs = append(h.proofs, p)
	return p
}

func (h *random) oneIn(n int) bool { return h.IntN(n) == 0 }

func draw[T any](h *random, from ...T) T { return from[h.IntN(len(from))] }

// duration draws one around the times that matter, to the microsecond.
func (h *random) duration() time.Duration {
	return draw(h, time.Millisecond, time.Second, grace/2, grace, time.Minute) + draw[time.Duration](h, -1, 0, 1)*time.Microsecond
}

func (h *random) age() time.Duration {
	if h.oneIn(2) {
		return 0
	}
	return h.duration()
}

func (h *random) key(id runtime.ID) runtime.Key {
	r := h.record(id)
	key := runtime.Key{ID: id, Proof: h.proof(r), Family: h.family(r), Now: h.now, Age: h.age(), Held: h.oneIn(4), Live: h.oneIn(4)}
	if r.Ticket != nil && h.oneIn(2) {
		key.Ticket, key.Proof = true, r.Ticket.Proof
	}
	key.Ticket = key.Ticket || h.oneIn(20)
	for _, e := range r.Earlier {
		if e.By == runtime.RenewSignOut && h.oneIn(2) { // as a sign-in that is late
			key.Proof, key.Age, key.Ticket = draw(h, r.Earlier...).Proof, 3*time.Minute, false
		}
	}
	return key
}

// proof draws one that the record has or had, or any other.
func (h *random) proof(r *runtime.Record) runtime.Proof {
	n := h.IntN(10)
	switch {
	case n == 0:
		return draw(h, append(h.proofs, runtime.Proof{})...)
	case n < 5 && len(r.Earlier) > 0:
		return draw(h, r.Earlier...).Proof
	default:
		return r.Proof
	}
}

// family draws that of the record, none, or another one.
func (h *random) family(r *runtime.Record) runtime.Family {
	return draw(h, r.Family, r.Family, runtime.Family{}, runtime.Family{1})
}

// by draws why a proof is no longer the current one.
func (h *random) by() runtime.RenewalKind {
	return draw(h, runtime.RenewPlain, runtime.RenewPlain, runtime.RenewSignIn, runtime.RenewSignOut, runtime.RenewJoin)
}

func (h *random) newRecord() *runtime.Record {
	now := h.now.Truncate(time.Millisecond)
	r := &runtime.Record{
		Kind: h.kind, Proof: h.fresh(), Family: draw(h, runtime.Family{1}, runtime.Family{2, 3}),
		Created: now, Renewed: now, Deadline: now.Add(time.Hour), Expires: now.Add(10 * time.Minute),
	}
	entries := []runtime.Entry{counter("n", math.MaxInt64-5)}
	for range h.IntN(8) {
		entries = append(entries, h.anyEntry(draw(h, randomKeys...)))
	}
	if h.oneIn(2) {
		entries = append(entries, h.login())
	}
	r.Entries = runtime.NewEntries(entries...)
	if h.oneIn(2) {
		r.SignedIn = now
	}
	if h.oneIn(2) {
		r.Used = now
	}
	if h.oneIn(4) {
		r.Idle, r.Persistence = h.limit(), draw(h, runtime.PersistencePermanent, runtime.PersistenceBrowser)
	}
	for h.oneIn(3) && len(r.Earlier) < runtime.MaxEarlier {
		e := runtime.EarlierProof{Proof: h.fresh(), Ended: h.now, By: h.by(), Grace: grace}
		r.Earlier = append(r.Earlier, e)
	}
	if h.oneIn(4) {
		r.Ticket = h.ticket(r)
	}
	return r
}

func (h *random) ticket(r *runtime.Record) *runtime.Ticket {
	t := &runtime.Ticket{Proof: h.fresh(), Ends: h.now.Add(grace).Truncate(time.Millisecond), Sole: h.oneIn(3)}
	if h.oneIn(2) {
		t.Saw = h.proof(r)
	}
	return t
}

var (
	randomKeys = []string{
		"a", "b", "m", "m:", "m:1", "m:2:3", "m2:1", "c", "c:1", "n", "n:x", "ü\"\\\n",
	}
	randomCounts = []int64{
		0, 1, -1, 6, 999_999_999, 1_000_000_000, -1_000_000_000, 1 << 53, -(1<<53 + 1), 5_000_000_000_000_000_001,
		math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - 5, math.MinInt64, math.MinInt64 + 1,
	}
	randomValues = map[runtime.Format][]string{
		runtime.JSON:        {`"x"`, `"\u0001\"ü"`, `"1"`, "1", "-2.5", "9223372036854775807", "true", "null"},
		runtime.MessagePack: {"", "1", "-1", "007", "dark", "\x00\xff", "9223372036854775807"},
	}
)

func (h *random) anyValue() string { return draw(h, randomValues[h.format()]...) }

func (h *random) count() int64 {
	if h.oneIn(2) {
		return draw(h, randomCounts...)
	}
	return int64(h.Uint64()) >> h.IntN(64)
}

func (h *random) anyEntry(key string) runtime.Entry {
	e := runtime.Entry{Key: key, Kind: draw(h, runtime.PlainEntry, runtime.IndexedEntry, runtime.CounterEntry)}
	if e.Kind == runtime.CounterEntry {
		e.Count = h.count()
	} else {
		e.Value = h.anyValue()
	}
	return e
}

// login draws an entry that makes a session one of two users.
func (h *random) login() runtime.Entry { return h.kit.login(h.IntN(2)) }

// value draws one that a session carries, or that of a user.
func (h *random) value() runtime.IndexValue {
	e := h.login()
	for indexed := range h.record(draw(h, h.ids[:]...)).Entries.Indexed() {
		if h.oneIn(2) {
			e = indexed
		}
	}
	return runtime.IndexValue{Kind: h.kind, Field: e.Key, Value: e.Value}
}

// ordinaryDelta is like what most commits send: entries set and removed, counters
// added to, and activity. R is the record that it is for.
func (h *random) ordinaryDelta(r *runtime.Record) *runtime.Delta {
	d := set(runtime.Entry{Key: draw(h, "a", "m:1", "z"), Value: h.anyValue()})
	if h.oneIn(4) {
		e := runtime.Entry{Key: draw(h, "n", "user_id", "y"), Value: h.anyValue()}
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: e})
	}
	if h.oneIn(8) {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: draw(h, "b", "m", "m:2:3")}})
	}
	for _, key := range []string{"c", "c:1", "c:2"} {
		if h.oneIn(4) {
			op := runtime.Op{Kind: runtime.OpAdd, Entry: counter(key, draw(h, 0, 1, 1, -1, 2, h.count())), DropZero: h.oneIn(4)}
			d.Ops = append(d.Ops, op)
		}
	}
	d.MaxBytes = max(0, r.Entries.Size()+draw(h, -10, 0, 20, 100, 500, 500, 500))
	h.times(d)
	return d
}

func (h *random) times(d *runtime.Delta) {
	if h.oneIn(8) {
		d.Deadline = h.now.Add(draw[time.Duration](h, 1, 10) * h.duration()).Truncate(time.Millisecond)
	}
	if h.oneIn(2) {
		d.Active = h.now.Add(10 * h.duration()).Truncate(time.Millisecond)
	}
	if h.oneIn(2) {
		d.Used = h.now.Add(draw[time.Duration](h, 0, -1) * h.duration()).Truncate(time.Millisecond)
	}
}

// settings draws what a session has of its own in place of what is configured.
func (h *random) settings(d *runtime.Delta) {
	if h.oneIn(8) {
		limit := h.limit()
		d.Idle = &limit
	}
	if h.oneIn(8) {
		d.Persistence = draw(h, runtime.PersistencePermanent, runtime.PersistenceBrowser)
	}
}

// limit draws an idle limit, or none.
func (h *random) limit() time.Duration {
	return (draw[time.Duration](h, 0, 1) * (time.Minute + 10*h.duration())).Truncate(time.Millisecond)
}

// delta draws anything that a delta for the record may be.
func (h *random) delta(r *runtime.Record) *runtime.Delta {
	d := &runtime.Delta{}
	for _, field := range []string{"a", "m", "n"} {
		if h.oneIn(8) {
			d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpClear, Entry: runtime.Entry{Key: field}})
		}
	}
	for _, i := range h.Perm(len(randomKeys)) {
		if h.oneIn(8) {
			d.Ops = append(d.Ops, h.op(r, randomKeys[i]))
		}
	}
	if h.oneIn(3) {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: h.login()})
	}
	if h.oneIn(4) {
		d.Limits = []runtime.Limit{{Field: "m", Max: h.IntN(3)}, {Field: "n", Max: h.IntN(2)}}
	}
	if h.oneIn(4) {
		d.MaxBytes = max(1, r.Entries.Size()+h.IntN(30)-10)
	}
	h.times(d)
	if h.oneIn(3) {
		kind := draw(h, runtime.RenewPlain, runtime.RenewPlain, runtime.RenewSignIn, runtime.RenewSignIn, runtime.RenewSignOut)
		d.Renewal = &runtime.Renewal{Kind: kind, Proof: h.fresh(), Family: draw(h, runtime.Family{1}, runtime.Family{4}), Grace: grace}
		if kind == runtime.RenewSignIn {
			d.SignIn = h.signIn(r)
		}
	}
	if h.oneIn(4) {
		d.Ticket = h.ticket(r)
	}
	if r.Ticket != nil && !h.oneIn(4) || h.oneIn(8) {
		d.Redeem = &runtime.Redemption{Presented: h.proof(r), Live: h.oneIn(2)}
		for range h.IntN(3) {
			d.Redeem.Same = append(d.Redeem.Same, h.proof(r))
		}
		if d.Renewal != nil && d.Renewal.Kind == runtime.RenewPlain && h.oneIn(2) {
			d.Renewal.Kind = runtime.RenewJoin
		}
	}
	h.settings(d)
	return d
}

// signIn draws whom a delta signs in: by the login alone, by another field beside
// it, or by one that has an earlier key; somebody else or the record's own.
func (h *random) signIn(r *runtime.Record) *runtime.SignIn {
	fields := []runtime.SignInField{{Key: "user_id", Identity: true}, {Key: "b", Was: "a", Identity: h.oneIn(2)}, {Key: "m"}}
	s := &runtime.SignIn{Fields: fields[:1+h.IntN(len(fields))], Joins: !h.oneIn(4)}
	for i := range s.Fields {
		f := &s.Fields[i]
		stored, found := r.Entries.Get(f.Key)
		if !found && f.Was != "" {
			stored, _ = r.Entries.Get(f.Was)
		}
		f.Value = draw(h, stored.Value, stored.Value, stored.Value, h.login().Value, "")
	}
	return s
}

// op draws what may be done to an entry.
func (h *random) op(r *runtime.Record, key string) runtime.Op {
	op := runtime.Op{Kind: runtime.OpSet, Entry: h.anyEntry(key)}
	switch h.IntN(3) {
	case 0:
		op = runtime.Op{Kind: runtime.OpAdd, Entry: counter(key, h.count()), DropZero: h.oneIn(2)}
	case 1:
		if h.oneIn(2) {
			op = runtime.Op{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: key}}
		}
	}
	if h.oneIn(6) {
		op.If = &runtime.Condition{Absent: h.oneIn(2), Value: h.anyValue()}
		if stored, found := r.Entries.Get(key); found && h.oneIn(2) {
			op.If.Value = stored.Value
		}
	}
	return op
}
