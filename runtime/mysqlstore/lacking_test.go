package mysqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
)

// TestAnOperationThatLacksATableSaysSo takes each table away from each operation: it
// says so, or does what it does with all of them.
func TestAnOperationThatLacksATableSaysSo(t *testing.T) {
	t.Parallel()
	dsn := emptyDSN(t)
	s := open(t, dsn)
	user := indexed("user_id", "7")
	first, record := session(1, user)
	second, _ := session(2, user)
	fresh, _ := session(3, user)
	v := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "7"}
	operations := map[string]func() (any, error){
		"Load":   func() (any, error) { r, err := s.Load(t.Context(), first); return r != nil, err },
		"Create": func() (any, error) { return nil, s.Create(t.Context(), fresh, record) },
		"Update": func() (any, error) {
			r, err := s.Update(t.Context(), first, set(entry("a", `"b"`)))
			return r != nil, err
		},
		"Update of an index": func() (any, error) {
			r, err := s.Update(t.Context(), first, set(indexed("user_id", "8")))
			return r != nil, err
		},
		"Delete":    func() (any, error) { return nil, s.Delete(t.Context(), first) },
		"Revoke":    func() (any, error) { return s.Revoke(t.Context(), v, first.Now) },
		"RevokeAll": func() (any, error) { return s.RevokeAll(t.Context(), record.Kind, first.Now) },
		"Trim":      func() (any, error) { return s.Trim(t.Context(), []runtime.IndexValue{v}, 1, first.ID, first.Now) },
		"Sweep":     func() (any, error) { return s.Sweep(t.Context(), first.Now.Add(24*time.Hour)) },
		"ByID": func() (any, error) {
			r, err := s.ByID(t.Context(), record.Kind, first.ID, first.Now)
			return r != nil, err
		},
		"Find":  func() (any, error) { return count(s.Find(t.Context(), v, first.Now)) },
		"All":   func() (any, error) { return count(s.All(t.Context(), record.Kind, first.Now)) },
		"Watch": func() (any, error) { return nil, s.Watch(t.Context(), func(runtime.Change) {}) },
	}
	for name, operate := range operations {
		var want any
		for _, table := range []string{"", "duckgen_sessions", "duckgen_index", "duckgen_revocations", "duckgen_changes"} {
			servertest.ExecuteMySQL(t, dsn, "DELETE FROM duckgen_sessions; DELETE FROM duckgen_revocations; DELETE FROM duckgen_changes")
			create(t, s, first, record)
			create(t, s, second, &runtime.Record{
				Kind: record.Kind, Proof: second.Proof, Created: record.Created, Renewed: record.Renewed,
				Deadline: record.Deadline, Expires: record.Expires, Entries: record.Entries,
			})
			if table != "" {
				servertest.ExecuteMySQL(t, dsn, fmt.Sprintf("RENAME TABLE %s TO hidden", table))
			}
			got, err := operate()
			if table == "" {
				if want = got; err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			servertest.ExecuteMySQL(t, dsn, fmt.Sprintf("RENAME TABLE hidden TO %s", table))
			if err == nil && got != want {
				t.Errorf("%s without %s is %v, and with it %v", name, table, got, want)
			}
			if table == "duckgen_sessions" && name != "Watch" && err == nil {
				t.Errorf("%s without %s says nothing", name, table)
			}
		}
	}
}

func count(found func(func(runtime.Found, error) bool)) (n int, err error) {
	for _, failure := range found {
		if err = failure; err == nil {
			n++
		}
	}
	return n, err
}

// TestOldRevocationsAreForgotten: the table does not grow for ever.
func TestOldRevocationsAreForgotten(t *testing.T) {
	dsn := emptyDSN(t)
	s := open(t, dsn)
	key, record := session(1)
	for n := range 3 {
		v := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: fmt.Sprint(n)}
		now := key.Now.Add(time.Duration(n) * (runtime.RevocationLife - time.Minute))
		if _, err := s.Revoke(t.Context(), v, now); err != nil {
			t.Fatal(err)
		}
	}
	if left := servertest.QueryMySQL(t, dsn, "SELECT at FROM duckgen_revocations"); len(left) != 2 {
		t.Errorf("of three revocations, one of them two days ago, %d are kept", len(left))
	}
}

// TestOldChangesAreForgotten by a sweep, once every watcher has seen them.
func TestOldChangesAreForgotten(t *testing.T) {
	dsn := emptyDSN(t)
	s := open(t, dsn)
	for _, age := range []string{"1 DAY", "0 SECOND"} {
		servertest.ExecuteMySQL(t, dsn, "INSERT INTO duckgen_changes (at,kind,id,proof) VALUES (UTC_TIMESTAMP(6)-INTERVAL "+age+",1,REPEAT('a',16),REPEAT('a',32))")
	}
	if _, err := s.Sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if left := servertest.QueryMySQL(t, dsn, "SELECT at FROM duckgen_changes"); len(left) != 1 {
		t.Errorf("of two changes, one of them of yesterday, %d are kept", len(left))
	}
}
