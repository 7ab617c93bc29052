package pgstore_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// sessions is how many the tests of this file make. What they log with a million
// is in docs/stores.md.
var sessions = flag.Int("sessions", 10_000, "sessions in the tests of large tables")

// copies makes sessions that are like the given one, under ids and with proofs
// that nobody knows, and with what it has in the index.
func copies(t *testing.T, pool *pgxpool.Pool, key runtime.Key, n int) {
	t.Helper()
	const columns = "created, renewed, deadline, due, expires, data, counters, kind, proof, family, indexed"
	_, err := pool.Exec(t.Context(), `WITH copied AS (
			INSERT INTO duckgen_sessions (id, `+columns+`)
			SELECT gen_random_uuid(), `+columns+` FROM duckgen_sessions, generate_series(1, $2) WHERE id = $1 RETURNING id)
		INSERT INTO duckgen_index (value, id)
		SELECT i.value, copied.id FROM copied, duckgen_index AS i WHERE i.id = $1`, key.ID.String(), n)
	if err != nil {
		t.Fatal(err)
	}
}

func openPool(t *testing.T, server string) (*pgxpool.Pool, *pgstore.Store) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := pgstore.New(t.Context(), pool, pgstore.WithClientClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return pool, s
}

func ask[T any](t *testing.T, pool *pgxpool.Pool, question string, args ...any) (answer T) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), question, args...).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestManySessions fills the tables, and measures what a session takes and what
// it costs to remove those that have expired, while a visitor works.
func TestManySessions(t *testing.T) {
	t.Parallel()
	sessions := *sessions
	for _, c := range []struct {
		name     string
		entries  []runtime.Entry
		sessions int
		most     int64 // bytes of each
	}{
		{"small", []runtime.Entry{entry("theme", `"dark"`), entry("name", `"Ann"`), counter("views", 3)}, sessions, 450},
		{"indexed", []runtime.Entry{entry("theme", `"dark"`), indexed("user_id", "7"), counter("views", 3)}, sessions / 4, 850},
		{"20 fields", slices.Collect(realistic().All()), max(sessions/10, 1000), 2600},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool, s := openPool(t, emptyURL(t))
			key, record := session(1, c.entries...)
			create(t, s, key, record)
			copies(t, pool, key, c.sessions-1)
			reportSizes(t, pool, c.sessions, c.most)
			visitor, record := session(2, c.entries...)
			record.Deadline = key.Now.Add(2000 * time.Hour)
			record.Expires = key.Now.Add(1000 * time.Hour)
			create(t, s, visitor, record)
			reportWAL(t, pool, s, visitor)
			sweepBesideVisitor(t, pool, s, visitor, c.sessions)
		})
	}
}

func reportSizes(t *testing.T, pool *pgxpool.Pool, n int, most int64) {
	t.Helper()
	size := func(function, table string) int64 {
		return ask[int64](t, pool, "SELECT "+function+"('"+table+"'::regclass)") / int64(n)
	}
	rows, indexes := size("pg_table_size", "duckgen_sessions"), size("pg_indexes_size", "duckgen_sessions")
	values := size("pg_total_relation_size", "duckgen_index")
	t.Logf("%d sessions: %d bytes each, %d of the row, %d of its indexes, %d of the values by which it is found",
		n, rows+indexes+values, rows, indexes, values)
	if total := rows + indexes + values; total > most {
		t.Errorf("a session takes %d bytes of disk, want at most %d", total, most)
	}
}

func reportWAL(t *testing.T, pool *pgxpool.Pool, s *pgstore.Store, key runtime.Key) {
	t.Helper()
	commits := testtier.Count(20, 20, 200)
	written := func(what string, commit func(n int)) {
		before := ask[int64](t, pool, "SELECT pg_current_wal_insert_lsn() - '0/0'")
		for n := range commits {
			commit(n)
		}
		after := ask[int64](t, pool, "SELECT pg_current_wal_insert_lsn() - '0/0'")
		t.Logf("%s writes %d bytes of WAL", what, (after-before)/int64(commits))
	}
	update := func(d *runtime.Delta) {
		if _, err := s.Update(t.Context(), key, d); err != nil {
			t.Fatal(err)
		}
	}
	written("a commit to one field of 40 bytes", func(n int) { update(set(entry("field_05", fmt.Sprintf(`"%040d"`, n)))) })
	written("one with activity", func(n int) {
		d := set(entry("field_05", fmt.Sprintf(`"%040d"`, -n)))
		d.Active = key.Now.Add(1000*time.Hour + time.Duration(n)*time.Second)
		update(d)
	})
	written("one that adds to a counter", func(int) {
		update(&runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: counter("views", 1)}}})
	})
	written("a new session", func(n int) {
		fresh, record := session(3)
		fresh.ID[1] = byte(n)
		create(t, s, fresh, record)
	})
}

// sweepBesideVisitor lets two programs sweep all but the visitor's session.
func sweepBesideVisitor(t *testing.T, pool *pgxpool.Pool, s *pgstore.Store, visitor runtime.Key, n int) {
	t.Helper()
	other, err := pgstore.New(t.Context(), pool, pgstore.WithClientClock())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	later := visitor.Now.Add(24 * time.Hour)
	before := ask[int](t, pool, "SELECT count(*) FROM duckgen_sessions")
	sweeping, swept := context.WithCancel(t.Context())
	var removed [2]int
	var working, visiting sync.WaitGroup
	began := time.Now()
	for i, sweeper := range []*pgstore.Store{s, other} {
		working.Go(func() {
			var err error
			if removed[i], err = sweeper.Sweep(t.Context(), later); err != nil {
				t.Errorf("Sweep: %v", err)
			}
		})
	}
	var waits []time.Duration
	visiting.Go(func() {
		for sweeping.Err() == nil {
			start := time.Now()
			if _, err := s.Update(t.Context(), visitor, set(entry("name", `"Eve"`))); err != nil {
				t.Errorf("Update during a sweep: %v", err)
				return
			}
			waits = append(waits, time.Since(start))
		}
	})
	working.Wait()
	took := time.Since(began)
	swept()
	visiting.Wait()
	if total := removed[0] + removed[1]; total != before-1 {
		t.Errorf("two sweepers removed %v of %d sessions", removed, before-1)
	}
	if left := ask[int](t, pool, "SELECT count(*) FROM duckgen_sessions"); left != 1 {
		t.Errorf("%d sessions are left, want that of the visitor", left)
	}
	slices.Sort(waits)
	t.Logf("two sweepers removed %d and %d in %v, %.1f µs each; of %d commits meanwhile the median took %v, the longest %v",
		removed[0], removed[1], took.Round(time.Millisecond), float64(took.Microseconds())/float64(n),
		len(waits), waits[len(waits)/2], waits[len(waits)-1])
}

// TestAUserWithManySessions holds Find and Revoke to a memory and to statements
// that do not grow with the sessions of a user.
func TestAUserWithManySessions(t *testing.T) {
	n := 2 * *sessions / testtier.Count(5, 5, 1)
	pool, s := openPool(t, emptyURL(t))
	user := indexed("user_id", "7")
	key, record := session(1, user, entry("theme", `"dark"`))
	create(t, s, key, record)
	copies(t, pool, key, n-1)
	value := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "7"}

	found, most := 0, int64(0)
	before := heap()
	for _, err := range s.Find(t.Context(), value, key.Now) {
		if err != nil {
			t.Fatal(err)
		}
		if found++; found%1000 == 0 {
			most = max(most, heap()-before)
		}
	}
	if found != n {
		t.Errorf("Find yields %d sessions, want %d", found, n)
	}
	t.Logf("Find of %d sessions holds up to %d KiB", n, most>>10)
	if most > 4<<20 {
		t.Errorf("Find of %d sessions holds %d bytes, want no more than some pages", n, most)
	}
	revokeBesideLogins(t, s, key, value, n)
}

func heap() int64 {
	goruntime.GC()
	var stats goruntime.MemStats
	goruntime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// revokeBesideLogins lets requests that arrived before a revocation sign in
// before it and while it goes from page to page.
func revokeBesideLogins(t *testing.T, s *pgstore.Store, key runtime.Key, value runtime.IndexValue, n int) {
	t.Helper()
	const clients, first = 4, 50
	var signedIn, barred [clients]int
	var begun, working sync.WaitGroup
	revoked, revoke := context.WithCancel(t.Context())
	defer revoke()
	for i := range clients {
		begun.Add(1)
		working.Go(func() {
			for l := 0; l < 100_000 && revoked.Err() == nil; l++ {
				if l == first {
					begun.Done()
				}
				fresh, record := session(byte(10+i), indexed(value.Field, value.Value))
				fresh.ID[1], fresh.ID[2], fresh.ID[3] = byte(l), byte(l>>8), byte(l>>16)
				fresh.Age = time.Minute
				switch err := s.Create(t.Context(), fresh, record); {
				case err == nil:
					signedIn[i]++
				case errors.Is(err, runtime.ErrEnded):
					barred[i]++
				default:
					t.Errorf("Create: %v", err)
				}
			}
		})
	}
	begun.Wait()
	start := time.Now()
	ended, err := s.Revoke(t.Context(), value, key.Now)
	took := time.Since(start)
	revoke()
	working.Wait()
	if err != nil {
		t.Fatal(err)
	}
	logins, late := 0, 0
	for i := range clients {
		logins += signedIn[i]
		late += barred[i]
	}
	t.Logf("Revoke ended %d sessions in %v; of %d sign-ins before it and meanwhile %d were too late",
		ended, took.Round(time.Millisecond), logins+late, late)
	if ended != n+logins {
		t.Errorf("Revoke ended %d sessions, want %d and %d that had signed in", ended, n, logins)
	}
	for found, err := range s.Find(t.Context(), value, key.Now) {
		t.Fatalf("after a revocation Find yields %v, %v", found.ID, err)
	}
}
