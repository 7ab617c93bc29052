package sessiontest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

const visitorKind = "github.com/duckgen/duckgen/runtime/internal/sessiontest.Visitor"

// keyOf returns the key that the token in a cookie presents, so that a test can
// look at what is stored, and change it, behind the program's back.
func keyOf(t testing.TB, kind, cookie string, now time.Time) runtime.Key {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || len(raw) != 48 {
		t.Fatalf("cookie %q is no token", cookie)
	}
	secret := raw[16:]
	return runtime.Key{
		ID:    runtime.ID(raw[:16]),
		Proof: sha256.Sum256(slices.Concat([]byte(kind), []byte{0}, secret)),
		Now:   now,
		Held:  true,
		Live:  true,
	}
}

// entries returns what is stored of the browser's session, by key.
func (b *browser) entries() map[string]runtime.Entry {
	b.site.t.Helper()
	return entriesOf(b.site.t, b.site.store, keyOf(b.site.t, visitorKind, b.cookie, b.site.now))
}

func entriesOf(t testing.TB, store runtime.Store, key runtime.Key) map[string]runtime.Entry {
	t.Helper()
	r, err := below(store).Load(context.Background(), key)
	if err != nil {
		t.Fatalf("the stored session: %v", err)
	}
	entries := map[string]runtime.Entry{}
	for e := range r.Entries.All() {
		entries[e.Key] = e
	}
	return entries
}

// corrupt puts entries into the browser's stored session that its program would
// never write.
func (b *browser) corrupt(entries ...runtime.Entry) {
	b.site.t.Helper()
	put(b.site.t, b.site.store, keyOf(b.site.t, visitorKind, b.cookie, b.site.now), entries...)
}

func put(t testing.TB, store runtime.Store, key runtime.Key, entries ...runtime.Entry) {
	t.Helper()
	d := &runtime.Delta{}
	for _, e := range entries {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: e})
	}
	if _, err := below(store).Update(context.Background(), key, d); err != nil {
		t.Fatalf("change the stored session: %v", err)
	}
}

// below returns the store under all wrappers, which takes any bytes.
func below(s runtime.Store) runtime.Store {
	for {
		w, ok := s.(interface{ Unwrap() runtime.Store })
		if !ok {
			return s
		}
		s = w.Unwrap()
	}
}

// misfits returns the keys for which a misfit was told, sorted, and forgets all
// events.
func (s *site) misfits() (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == runtime.EventMisfit {
			keys = append(keys, e.Field)
		}
	}
	s.events = nil
	slices.Sort(keys)
	return keys
}

// lastErr returns the last error that the program was told, nil for none, and
// forgets all.
func (s *site) lastErr() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errs) == 0 {
		return nil
	}
	err := s.errs[len(s.errs)-1]
	s.errs = nil
	return err
}

// lastOps returns the operations of the last delta.
func (s *spyStore) lastOps() []runtime.Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.deltas) == 0 {
		return nil
	}
	return s.deltas[len(s.deltas)-1].Ops
}
