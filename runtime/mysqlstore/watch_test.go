package mysqlstore_test

import (
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
)

func watch(t *testing.T, s *mysqlstore.Store) <-chan runtime.Change {
	t.Helper()
	changes := make(chan runtime.Change, 64)
	if err := s.Watch(t.Context(), func(c runtime.Change) { changes <- c }); err != nil {
		t.Fatal(err)
	}
	return changes
}

func told(t *testing.T, changes <-chan runtime.Change, want runtime.Change) {
	t.Helper()
	select {
	case got := <-changes:
		if got != want {
			t.Errorf("a watcher is told %+v, want %+v", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("a watcher is not told %+v", want)
	}
}

func TestWatchersAreToldOfOtherProcessesInOrder(t *testing.T) {
	dsn := emptyDSN(t)
	s, other := open(t, dsn), open(t, dsn)
	key, record := session(1)
	create(t, other, key, record)
	changes := watch(t, s)
	d := set(entry("theme", `"dark"`))
	d.Renewal = &runtime.Renewal{Kind: runtime.RenewSignOut, Proof: runtime.Proof{9}, Family: runtime.Family{9}, Grace: time.Second}
	if _, err := other.Update(t.Context(), key, d); err != nil {
		t.Fatal(err)
	}
	key.Proof = d.Renewal.Proof
	if _, err := other.Update(t.Context(), key, &runtime.Delta{Deadline: record.Deadline.Add(-time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := other.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	told(t, changes, runtime.Change{Kind: runtime.SessionRenewed, ID: key.ID, Proof: key.Proof})
	told(t, changes, runtime.Change{Kind: runtime.SessionRescheduled, ID: key.ID})
	told(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: key.ID})
}

// TestAChangeThatIsCommittedLateIsTold lets a change that was numbered later be seen
// earlier.
func TestAChangeThatIsCommittedLateIsTold(t *testing.T) {
	dsn := emptyDSN(t)
	changes := watch(t, open(t, dsn))
	db := pool(t, dsn)
	insert := func(id byte) string {
		return "INSERT INTO duckgen_changes (at,kind,id,proof) VALUES (UTC_TIMESTAMP(6),0,UNHEX(RPAD('0" + string('0'+id) + "',32,'0')),'')"
	}
	late, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Exec(insert(1)); err != nil {
		t.Fatal(err)
	}
	servertest.ExecuteMySQL(t, dsn, insert(2))
	told(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: runtime.ID{2}})
	if err := late.Commit(); err != nil {
		t.Fatal(err)
	}
	told(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: runtime.ID{1}})
}
