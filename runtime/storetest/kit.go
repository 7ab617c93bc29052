package storetest

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

const (
	kind = "storetest.Session"

	// life is how long the sessions of the kit have until their deadline, idle
	// how long they live without activity.
	life = 24 * time.Hour
	idle = 12 * time.Hour

	grace    = 30 * time.Second
	maxBytes = 2 << 20
)

// A kit is what one check works with: a store, a clock, and short words for what
// a program does with sessions.
type kit struct {
	reporter
	subject
	store runtime.Store
	now   time.Time
}

func newKit(r reporter, s subject) *kit {
	k := &kit{reporter: r, subject: s, now: time.Now().UTC().Truncate(time.Millisecond)}
	k.store = s.open()
	return k
}

// A session is what a browser and the program know about one.
type session struct {
	id    runtime.ID
	proof runtime.Proof
}

func newSession() session { return session{newID(), newProof()} }

func newID() (id runtime.ID) {
	rand.Read(id[:])
	return id
}

func newProof() (p runtime.Proof) {
	rand.Read(p[:])
	return p
}

// with returns the session as somebody sees it who holds another proof.
func (s session) with(p runtime.Proof) session { return session{s.id, p} }

// key returns the key of a request that arrives and acts now.
func (k *kit) key(s session) runtime.Key {
	return runtime.Key{ID: s.id, Proof: s.proof, Now: k.now}
}

// running returns the key of a request that arrived some time ago.
func (k *kit) running(s session, age time.Duration) runtime.Key {
	key := k.key(s)
	key.Age = age
	return key
}

// later lets the program's clock go on.
func (k *kit) later(d time.Duration) { k.now = k.now.Add(d) }

// record returns a new record of the session.
func (k *kit) record(s session, entries ...runtime.Entry) *runtime.Record {
	return &runtime.Record{
		Kind:     kind,
		Proof:    s.proof,
		Family:   runtime.Family(s.proof[:8]),
		Created:  k.now,
		Renewed:  k.now,
		Deadline: k.now.Add(life),
		Expires:  k.now.Add(idle),
		Entries:  runtime.NewEntries(entries...),
	}
}

// create stores a new session.
func (k *kit) create(entries ...runtime.Entry) session {
	k.Helper()
	s := newSession()
	if err := k.store.Create(k.Context(), k.key(s), k.record(s, entries...)); err != nil {
		k.Fatalf("Create of a new session: %v", err)
	}
	return s
}

// load returns the record that must be there.
func (k *kit) load(s session) *runtime.Record {
	k.Helper()
	r, err := k.store.Load(k.Context(), k.key(s))
	if err != nil {
		k.Fatalf("Load of a live session: %v", err)
	}
	return r
}

// update applies a delta that must be applied.
func (k *kit) update(key runtime.Key, d *runtime.Delta) *runtime.Result {
	k.Helper()
	result, err := k.store.Update(k.Context(), key, d)
	if err != nil {
		k.Fatalf("Update of a live session: %v", err)
	}
	return result
}

func (k *kit) end(s session) {
	k.Helper()
	if err := k.store.Delete(k.Context(), k.key(s)); err != nil {
		k.Fatalf("Delete of a live session: %v", err)
	}
}

func (k *kit) loadErr(key runtime.Key) error {
	_, err := k.store.Load(k.Context(), key)
	return err
}

func (k *kit) updateErr(key runtime.Key, d *runtime.Delta) error {
	_, err := k.store.Update(k.Context(), key, d)
	return err
}

// want demands one error.
func (k *kit) want(what string, got, want error) {
	k.Helper()
	if !errors.Is(got, want) {
		k.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// gone demands that the session is not live for a request that arrives now.
func (k *kit) gone(what string, s session) {
	k.Helper()
	k.want(what+", then Load", k.loadErr(k.key(s)), runtime.ErrNotFound)
}

// holds demands that the session is live and has these entries.
func (k *kit) holds(what string, s session, entries ...runtime.Entry) {
	k.Helper()
	r, err := k.store.Load(k.Context(), k.key(s))
	if err != nil {
		k.Errorf("%s, then Load: %v", what, err)
		return
	}
	if want := runtime.NewEntries(entries...); !r.Entries.Equal(want) {
		k.Errorf("%s: the session has the entries %s, want %s", what, list(r.Entries), list(want))
	}
}

// same demands that nothing of a record has changed.
func (k *kit) same(what string, got, want *runtime.Record) {
	k.Helper()
	switch {
	case !got.Entries.Equal(want.Entries):
		k.Errorf("%s: the entries are %s, want %s", what, list(got.Entries), list(want.Entries))
	case got.Kind != want.Kind || got.Proof != want.Proof || len(got.Earlier) != len(want.Earlier):
		k.Errorf("%s: kind or proofs have changed", what)
	case (got.Ticket == nil) != (want.Ticket == nil):
		k.Errorf("%s: the ticket has changed", what)
	case !got.Created.Equal(want.Created) || !got.Renewed.Equal(want.Renewed) ||
		!got.Deadline.Equal(want.Deadline) || !got.Expires.Equal(want.Expires):
		k.Errorf("%s: times have changed: created %v, renewed %v, deadline %v, expires %v; want %v, %v, %v, %v", what,
			got.Created, got.Renewed, got.Deadline, got.Expires,
			want.Created, want.Renewed, want.Deadline, want.Expires)
	}
}

// at demands a time.
func (k *kit) at(what string, got, want time.Time) {
	k.Helper()
	if !got.Equal(want) {
		k.Errorf("%s is %v, want %v", what, got, want)
	}
}

func (k *kit) format() runtime.Format {
	if f, ok := runtime.Ability[runtime.Formatter](k.store); ok {
		return f.Format()
	}
	return runtime.MessagePack
}

// value encodes a payload in the store's format, one payload in one way.
func (k *kit) value(payload string) string {
	if k.format() == runtime.JSON {
		return strconv.Quote(base64.StdEncoding.EncodeToString([]byte(payload)))
	}
	header := binary.BigEndian.AppendUint32([]byte{0xc6}, uint32(len(payload)))
	return string(header) + payload
}

// payload returns what value encoded.
func (k *kit) payload(value string) string {
	k.Helper()
	if k.format() == runtime.MessagePack {
		return value[min(len(value), 5):]
	}
	text, err := strconv.Unquote(value)
	if err != nil {
		k.Errorf("a stored value is %q, which nobody wrote: %v", value, err)
	}
	payload, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		k.Errorf("a stored value is %q, which nobody wrote: %v", value, err)
	}
	return string(payload)
}

func (k *kit) entry(key, payload string) runtime.Entry {
	return runtime.Entry{Key: key, Value: k.value(payload)}
}

func (k *kit) indexedEntry(key, payload string) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.IndexedEntry, Value: k.value(payload)}
}

func counter(key string, n int64) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.CounterEntry, Count: n}
}

// set returns a delta that stores the entries.
func set(entries ...runtime.Entry) *runtime.Delta {
	d := &runtime.Delta{MaxBytes: maxBytes}
	for _, e := range entries {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: e})
	}
	return d
}

func add(key string, n int64) *runtime.Delta {
	return &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: runtime.Entry{Key: key, Count: n}}}}
}

// list shows the entries, long values by their length.
func list(entries runtime.Entries) string {
	text := "["
	for e := range entries.All() {
		switch {
		case e.Kind == runtime.CounterEntry:
			text += " " + e.Key + "=" + strconv.FormatInt(e.Count, 10)
		case len(e.Value) > 64:
			text += " " + strconv.Quote(e.Key) + "=" + strconv.Itoa(len(e.Value)) + " bytes"
		default:
			text += " " + strconv.Quote(e.Key) + "=" + strconv.Quote(e.Value)
		}
	}
	return text + " ]"
}

// together runs work n times at once and returns when all are done.
func together(n int, work func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			work(i)
		})
	}
	done.Wait()
}

// rounds is how often a race is provoked that the whole kit provokes n times.
func (k *kit) rounds(n int) int { return max(1, shortened(n)*cmp.Or(k.percent, 100)/100) }

// shortened is a tenth of n with -short.
func shortened(n int) int {
	if testing.Short() {
		return max(1, n/10)
	}
	return n
}
