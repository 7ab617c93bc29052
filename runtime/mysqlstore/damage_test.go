package mysqlstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
)

func TestWhatJSONCannotHoldIsRefused(t *testing.T) {
	s := open(t, emptyDSN(t))
	key, record := session(1, entry("theme", `"dark"`))
	create(t, s, key, record)
	for what, e := range map[string]runtime.Entry{
		"a key that is not UTF-8":       entry("cart:\xff", "1"),
		"a value that is not JSON":      entry("theme", "dark"),
		"an empty value":                entry("theme", ""),
		"a value with a member more":    entry("theme", `1,"admin":true`),
		"a value of half a character":   entry("theme", `"\ud800"`),
		"a value that is too deep":      entry("theme", strings.Repeat("[", 40)+strings.Repeat("]", 40)),
		"a value that is not UTF-8":     entry("theme", "\"\xff\""),
		"a counter's key of other form": counter("\xc3", 1),
	} {
		if _, err := s.Update(t.Context(), key, set(e)); err == nil {
			t.Errorf("Update with %s succeeds", what)
		}
		other, record := session(2, e)
		if err := s.Create(t.Context(), other, record); err == nil {
			t.Errorf("Create with %s succeeds", what)
		}
	}
	if diff := cmp.Diff(record, load(t, s, key)); diff != "" {
		t.Errorf("refused operations changed the record (-before +after):\n%s", diff)
	}
}

func TestKeysAndValuesAreKeptAsTheyAre(t *testing.T) {
	dsn := emptyDSN(t)
	s, other := open(t, dsn), open(t, dsn)
	key, record := session(1)
	create(t, s, key, record)
	want := []runtime.Entry{}
	for _, name := range []string{
		"plain", "with space", "cart:a'b", `cart:a"b`, `cart:a\b`, "cart:ü", "cart:\x00\n", "cart:%", "cart:?", "cart:a<b>&", "cart:$.*[0]", "Cart:A", "cart:a ", "",
	} {
		for _, value := range []string{`"dark"`, `{"b":[1,2.50,{"c":null}],"a":"x, y: z"}`, `"\u0000"`, `"'\"\\\n"`, `1e400`, `-0.0`, `""`} {
			e := entry(name, value)
			if _, err := s.Update(t.Context(), key, set(e)); err != nil {
				t.Errorf("Update of %q to %s: %v", name, value, err)
			}
			if got, _ := load(t, other, key).Entries.Get(name); got != e {
				t.Errorf("%q is %+v, want %+v", name, got, e)
			}
		}
		want = append(want, entry(name, `""`))
	}
	if got := load(t, other, key).Entries; !got.Equal(runtime.NewEntries(want...)) {
		t.Errorf("the entries are %+v", got)
	}
}

const allSessions = "SELECT * FROM duckgen_sessions ORDER BY id"

func TestADamagedRecordIsReportedAndKept(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{`data='[]'`, `data='null'`, `kinds='[]'`, `tokens='{"earlier":[{"proof":"c2hvcnQ="}]}'`, `tokens='{"ticket":{}}'`, `tokens='7'`} {
		t.Run(damage, func(t *testing.T) {
			dsn := emptyDSN(t)
			maker, s := open(t, dsn), open(t, dsn)
			user := indexed("user_id", "7")
			key, record := session(1, user)
			create(t, maker, key, record)
			other, sound := session(2, user)
			create(t, maker, other, sound)
			servertest.ExecuteMySQL(t, dsn, "UPDATE duckgen_sessions SET "+damage+" WHERE id=x'"+key.ID.String()+"'")
			before := servertest.QueryMySQL(t, dsn, allSessions)
			_, err := s.Load(t.Context(), key)
			isDamage(t, "Load", err, key.ID)
			_, err = s.Update(t.Context(), key, set(entry("theme", `"dark"`)))
			isDamage(t, "Update", err, key.ID)
			isDamage(t, "Delete", s.Delete(t.Context(), key), key.ID)
			isDamage(t, "Create", s.Create(t.Context(), key, record), key.ID)
			if after := servertest.QueryMySQL(t, dsn, allSessions); !cmp.Equal(before, after) {
				t.Errorf("a damaged record has become %q", after)
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
			left := servertest.QueryMySQL(t, dsn, "SELECT * FROM duckgen_sessions WHERE ended IS NULL ORDER BY id")
			if !cmp.Equal(left, before[:1]) {
				t.Errorf("Revoke of a damaged record and another leaves %q, want %q", left, before[:1])
			}
		})
	}
}

func isDamage(t *testing.T, what string, err error, id runtime.ID) {
	t.Helper()
	if !errors.Is(err, runtime.ErrDamaged) || !strings.Contains(err.Error(), id.String()) {
		t.Errorf("%s: %v, want an error that names the session and is ErrDamaged", what, err)
	}
}

func TestADamagedEntryIsLostAlone(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{`"many"`, `1.5`, `1e30`, `null`, `{"n": [3]}`} {
		t.Run(damage, func(t *testing.T) {
			dsn := emptyDSN(t)
			s := open(t, dsn)
			key, record := session(1, counter("views", 3), counter("clicks", 4), entry("theme", `"dark"`))
			create(t, s, key, record)
			servertest.ExecuteMySQL(t, dsn, `UPDATE duckgen_sessions SET data=JSON_SET(data,'$.views',JSON_EXTRACT('`+damage+`','$'),'$.theme',5)`)
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
