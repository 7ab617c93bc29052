package pgstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// A session is what these tests store.
func session(n byte, entries ...runtime.Entry) (runtime.Key, *runtime.Record) {
	now := time.UnixMilli(1_790_000_000_000).UTC()
	key := runtime.Key{ID: runtime.ID{n}, Proof: runtime.Proof{n}, Now: now}
	return key, &runtime.Record{
		Kind:     "example.com/shop.Visitor",
		Proof:    key.Proof,
		Created:  now,
		Renewed:  now,
		Deadline: now.Add(time.Hour),
		Expires:  now.Add(time.Hour),
		Entries:  runtime.NewEntries(entries...),
	}
}

func entry(key, value string) runtime.Entry { return runtime.Entry{Key: key, Value: value} }

func indexed(key, value string) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.IndexedEntry, Value: value}
}

func counter(key string, n int64) runtime.Entry {
	return runtime.Entry{Key: key, Kind: runtime.CounterEntry, Count: n}
}

func create(t *testing.T, s *pgstore.Store, key runtime.Key, r *runtime.Record) {
	t.Helper()
	if err := s.Create(t.Context(), key, r); err != nil {
		t.Fatal(err)
	}
}

func set(entries ...runtime.Entry) *runtime.Delta {
	d := &runtime.Delta{MaxBytes: 1 << 20}
	for _, e := range entries {
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpSet, Entry: e})
	}
	return d
}

func TestWhatPostgresCannotHoldIsRefused(t *testing.T) {
	s := open(t, emptyURL(t))
	key, record := session(1, entry("theme", `"dark"`))
	create(t, s, key, record)
	refused := func(what string, err error, says string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error that says %q", what, err, says)
		}
	}
	for what, c := range map[string]struct {
		entry runtime.Entry
		says  string
	}{
		"a key with NUL":             {entry("cart:\x00", "1"), `the entry key "cart:\x00" has a NUL`},
		"a key that begins with NUL": {entry("\x00cart", "1"), `the entry key "\x00cart" has a NUL`},
		"a key that is not UTF-8":    {entry("cart:\xff", "1"), `the entry key "cart:\xff" has a NUL or is not UTF-8`},
		"a value that is not JSON":   {entry("theme", "dark"), `the value of the entry "theme" is not JSON`},
		"an empty value":             {entry("theme", ""), `the value of the entry "theme" is not JSON`},
		"a value with a member more": {entry("theme", `1,"admin":true`), `the value of the entry "theme" is not JSON`},
		"a value with NUL":           {entry("theme", `"\u0000"`), "22P05"},
	} {
		_, err := s.Update(t.Context(), key, set(c.entry))
		refused("Update with "+what, err, c.says)
		other, record := session(2, c.entry)
		refused("Create with "+what, s.Create(t.Context(), other, record), c.says)
		if c.entry.Value != "" {
			signIn := &runtime.SignIn{Fields: []runtime.SignInField{{Key: "user_id", Value: "7"}, {Key: c.entry.Key, Value: c.entry.Value}}}
			_, err = s.Update(t.Context(), key, &runtime.Delta{SignIn: signIn})
			refused("a sign-in with "+what, err, c.says)
		}
	}
	loaded, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, loaded); diff != "" {
		t.Errorf("refused operations changed the record (-before +after):\n%s", diff)
	}
}

func TestADamagedRecordIsReportedAndKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		damage string
		alone  bool // commits do not look at it, and leave it as it is
	}{
		{`data = '[]'`, false},
		{`counters = 'null'`, false},
		{`proof = 'short'`, false},
		{`family = 'longer than it is'`, true},
		{`created = '-infinity'`, true},
		{`expires = 'infinity'`, true},
		{`earlier_proof = ARRAY['short'::bytea]`, true},
		{`ticket_proof = 'short'`, true},
	} {
		t.Run(c.damage, func(t *testing.T) {
			server := emptyURL(t)
			s := open(t, server)
			user := indexed("user_id", "7")
			key, record := session(1, user)
			create(t, s, key, record)
			other, sound := session(2, user)
			create(t, s, other, sound)
			servertest.Execute(t, server, "UPDATE duckgen_sessions SET "+c.damage+" WHERE id = '"+key.ID.String()+"'")
			before := table(t, server, "SELECT * FROM duckgen_sessions ORDER BY id")
			_, err := s.Load(t.Context(), key)
			isDamage(t, "Load", err, key.ID)
			if !c.alone {
				_, err = s.Update(t.Context(), key, set(entry("theme", `"dark"`)))
				isDamage(t, "Update", err, key.ID)
				isDamage(t, "Delete", s.Delete(t.Context(), key), key.ID)
			}
			if after := table(t, server, "SELECT * FROM duckgen_sessions ORDER BY id"); !cmp.Equal(before, after) {
				t.Errorf("a damaged record has become %q", after)
			}
			if err := s.Create(t.Context(), key, record); !errors.Is(err, runtime.ErrExists) {
				t.Errorf("Create over a damaged record: %v, want ErrExists", err)
			}
			var found []runtime.ID
			err = nil
			carriers := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "7"}
			for session, failure := range s.Find(t.Context(), carriers, key.Now) {
				if err = failure; err == nil {
					found = append(found, session.ID)
				}
			}
			isDamage(t, "Find", err, key.ID)
			if len(found) != 1 || found[0] != other.ID {
				t.Errorf("Find beside a damaged record yields %v, want %v", found, other.ID)
			}
			n, err := s.Revoke(t.Context(), carriers, key.Now)
			isDamage(t, "Revoke", err, key.ID)
			if n != 1 || !errors.Is(err, runtime.ErrDamaged) {
				t.Errorf("Revoke of a damaged record and another = %d, %v; want 1 and that a record is damaged", n, err)
			}
			if _, err := s.Load(t.Context(), other); !errors.Is(err, runtime.ErrNotFound) {
				t.Errorf("Load of a session that was revoked beside a damaged record: %v, want ErrNotFound", err)
			}
			const ofDamaged = "SELECT * FROM duckgen_sessions WHERE ended IS NULL ORDER BY id"
			if left := table(t, server, ofDamaged); !cmp.Equal(left, before[:1]) {
				t.Errorf("Revoke of a damaged record and another leaves %q, want %q", left, before[:1])
			}
		})
	}
}

func isDamage(t *testing.T, what string, err error, id runtime.ID) {
	t.Helper()
	if err == nil || errors.Is(err, runtime.ErrNotFound) || !strings.Contains(err.Error(), id.String()) {
		t.Errorf("%s: %v, want an error that names the session and is not ErrNotFound", what, err)
	}
}

// TestTheTimesOfADamagedRecordAreNoResult: a session would have begun at the zero time.
func TestTheTimesOfADamagedRecordAreNoResult(t *testing.T) {
	server := emptyURL(t)
	s := open(t, server)
	key, record := session(1)
	create(t, s, key, record)
	servertest.Execute(t, server, "UPDATE duckgen_sessions SET created = '-infinity'")
	if result, err := s.Update(t.Context(), key, set(entry("theme", `"dark"`))); !errors.Is(err, runtime.ErrDamaged) {
		t.Errorf("%+v, %v; want %v", result, err, runtime.ErrDamaged)
	}
}

func TestADamagedEntryIsLostAlone(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{`"many"`, `1.5`, `1e30`, `null`, `{"n": [3]}`} {
		t.Run(damage, func(t *testing.T) {
			server := emptyURL(t)
			s := open(t, server)
			key, record := session(1, counter("views", 3), counter("clicks", 4), entry("theme", `"dark"`))
			create(t, s, key, record)
			servertest.Execute(t, server, `UPDATE duckgen_sessions SET counters = counters || '{"views": `+damage+`}', data = data || '{"theme": 5}'`)
			loaded := load(t, s, key)
			if views, _ := loaded.Entries.Get("views"); views.Kind != runtime.PlainEntry || views.Value == "" {
				t.Errorf("a counter of %s is read as %+v, want an entry that its field can report", damage, views)
			}
			want := runtime.NewEntries(counter("clicks", 4), entry("theme", "5"))
			for e := range want.All() {
				if got, _ := loaded.Entries.Get(e.Key); got != e {
					t.Errorf("beside a damaged counter: %+v, want %+v", got, e)
				}
			}
			if _, err := s.Update(t.Context(), key, set(entry("name", `"Ann"`))); err != nil {
				t.Errorf("Update beside a damaged counter: %v", err)
			}
			before, _ := loaded.Entries.Get("views")
			if after, _ := load(t, s, key).Entries.Get("views"); after != before {
				t.Errorf("a write of another entry made the damaged counter %+v, it was %+v", after, before)
			}
			result, err := s.Update(t.Context(), key, &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: counter("views", 2)}}})
			if err != nil || len(result.Replaced) != 1 || result.Replaced[0] != "views" {
				t.Errorf("an addition to a damaged counter: %+v, %v, want it told as replaced", result, err)
			}
			if views, _ := load(t, s, key).Entries.Get("views"); views != counter("views", 2) {
				t.Errorf("an addition of 2 to a damaged counter made it %+v", views)
			}
		})
	}
}

func load(t *testing.T, s *pgstore.Store, key runtime.Key) *runtime.Record {
	t.Helper()
	loaded, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}
