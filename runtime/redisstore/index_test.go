package redisstore

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
)

// These tests stand inside the package: they stop a commit between its steps.

const testKind = "example.com/shop.Visitor"

func sharded(t *testing.T) *Store {
	t.Helper()
	testtier.NotShort(t, "it needs servers")
	nodes, err := servertest.NewRedisCluster(3, 0)
	servertest.Check(t, err)
	t.Cleanup(func() {
		if err := servertest.CloseAll(nodes); err != nil {
			t.Error(err)
		}
	})
	s, err := Open(t.Context(), nodes[0].URL(), WithClientClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if !s.sharded {
		t.Fatal("a Cluster is taken for a single server")
	}
	return s
}

func user(n int) runtime.IndexValue {
	return runtime.IndexValue{Kind: testKind, Field: "user_id", Value: fmt.Sprint(n)}
}

func login(n int) *runtime.Delta {
	entry := runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: user(n).Value}
	return &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpSet, Entry: entry}}}
}

// visitor creates a session without a user.
func visitor(t *testing.T, s *Store, id byte, kind string) runtime.Key {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	key := runtime.Key{ID: runtime.ID{id}, Proof: runtime.Proof{id}, Now: now, Age: time.Second}
	err := s.Create(t.Context(), key, &runtime.Record{
		Kind: kind, Proof: key.Proof,
		Created: now, Renewed: now, Deadline: now.Add(time.Hour), Expires: now.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func found(t *testing.T, s *Store, v runtime.IndexValue, now time.Time) map[runtime.ID]bool {
	t.Helper()
	ids := map[runtime.ID]bool{}
	for f, err := range s.Find(t.Context(), v, now) {
		if err != nil {
			t.Fatal(err)
		}
		ids[f.ID] = true
	}
	return ids
}

// registrations returns how many members the index of the value has.
func registrations(t *testing.T, s *Store, v runtime.IndexValue) int64 {
	t.Helper()
	return ask(t, s, "ZCARD", s.indexKey(v))
}

// ask sends a command and returns the number that comes.
func ask(t *testing.T, s *Store, name, key string, args ...string) int64 {
	t.Helper()
	answer, err := s.client.Do(t.Context(), Command{Name: []string{name}, Keys: []string{key}, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return answer.number()
}

func TestTheIndexOfACluster(t *testing.T) {
	t.Parallel() // it waits for servers, mostly
	s := sharded(t)
	t.Run("a crash between the steps leaves nothing", func(t *testing.T) { crashBetweenSteps(t, s) })
	t.Run("a commit whose registration was withdrawn registers again", func(t *testing.T) { withdrawnMeanwhile(t, s) })
	t.Run("a revocation between the steps is met", func(t *testing.T) { revokedMeanwhile(t, s) })
	t.Run("the kinds of one store do not disturb each other", func(t *testing.T) { twoKinds(t, s) })
	t.Run("what is left behind is removed by and by", func(t *testing.T) { tidied(t, s) })
	t.Run("an index lives as long as its sessions", func(t *testing.T) { prolonged(t, s) })
}

func crashBetweenSteps(t *testing.T, s *Store) {
	key := visitor(t, s, 1, testKind)
	if _, err := s.register(t.Context(), key, offset{client: true}, []runtime.IndexValue{user(1)}); err != nil {
		t.Fatal(err)
	}
	if n := registrations(t, s, user(1)); n != 1 {
		t.Fatalf("the first step leaves %d registrations, want 1", n)
	}
	if ids := found(t, s, user(1), key.Now); len(ids) != 0 {
		t.Errorf("a session without its record's commit is found: %v", ids)
	}
	if n := registrations(t, s, user(1)); n != 0 {
		t.Errorf("the next look-up leaves %d registrations, want none", n)
	}
}

// commit does the second step alone.
func commit(t *testing.T, s *Store, key runtime.Key, d *runtime.Delta, reg *registration) (reply, error) {
	t.Helper()
	return s.run(t.Context(), updateOperation, call{reg.keys, deltaArgs(key, offset{client: true}, d, reg)})
}

func withdrawnMeanwhile(t *testing.T, s *Store) {
	key := visitor(t, s, 2, testKind)
	reg, err := s.register(t.Context(), key, offset{client: true}, []runtime.IndexValue{user(2)})
	if err != nil {
		t.Fatal(err)
	}
	found(t, s, user(2), key.Now) // takes the registration for left behind
	answer, err := commit(t, s, key, login(2), reg)
	if err != nil || answer.verdict() != verdictWithdrawn {
		t.Fatalf("the commit of a withdrawn registration: verdict %d, %v, want %d", answer.verdict(), err, verdictWithdrawn)
	}
	if _, err := s.Update(t.Context(), key, login(2)); err != nil {
		t.Fatal(err)
	}
	if ids := found(t, s, user(2), key.Now); !ids[key.ID] {
		t.Error("a session that registered once more is not found")
	}
}

func revokedMeanwhile(t *testing.T, s *Store) {
	key := visitor(t, s, 3, testKind)
	reg, err := s.register(t.Context(), key, offset{client: true}, []runtime.IndexValue{user(3)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Revoke(t.Context(), user(3), key.Now); err != nil {
		t.Fatal(err)
	}
	answer, err := commit(t, s, key, login(3), reg)
	if err != nil || answer.verdict() != verdictWithdrawn {
		t.Fatalf("the commit of a login that was revoked between its steps: verdict %d, %v", answer.verdict(), err)
	}
	if _, err := s.Update(t.Context(), key, login(3)); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("its next attempt: %v, want %v", err, runtime.ErrEnded)
	}
	if ids := found(t, s, user(3), key.Now); len(ids) != 0 {
		t.Errorf("after the revocation %v is found", ids)
	}
}

// prolonged prolongs a session for years, while its index is about to end.
func prolonged(t *testing.T, s *Store) {
	key := visitor(t, s, 8, testKind)
	if _, err := s.Update(t.Context(), key, login(8)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		age  time.Duration
		want bool
	}{{300 * 24 * time.Hour, false}, {500 * 24 * time.Hour, true}} {
		ask(t, s, "PEXPIRE", s.indexKey(user(8)), digits(time.Hour.Milliseconds()))
		if _, err := s.Update(t.Context(), key, &runtime.Delta{Deadline: key.Now.Add(c.age)}); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, s, "PTTL", s.indexKey(user(8))) > time.Hour.Milliseconds(); got != c.want {
			t.Errorf("a life of %v prolongs the index: %v, want %v", c.age, got, c.want)
		}
	}
}

func twoKinds(t *testing.T, s *Store) {
	const otherKind = "example.com/shop.Admin"
	key, other := visitor(t, s, 4, testKind), visitor(t, s, 5, otherKind)
	// The store has seen the other kind last, and that is revoked.
	admin := user(4)
	admin.Kind = otherKind
	if _, err := s.Revoke(t.Context(), admin, key.Now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), key, login(4)); err != nil {
		t.Errorf("a login after the revocation of another kind: %v", err)
	}
	s.noteKind(testKind)
	if _, err := s.Update(t.Context(), other, login(4)); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("a login of the revoked kind: %v, want %v", err, runtime.ErrEnded)
	}
	if ids := found(t, s, user(4), key.Now); !maps.Equal(ids, map[runtime.ID]bool{key.ID: true}) {
		t.Errorf("of two kinds %v is found, want %v", ids, key.ID)
	}
	if ids := found(t, s, admin, key.Now); len(ids) != 0 {
		t.Errorf("of the revoked kind %v is found", ids)
	}
}

func tidied(t *testing.T, s *Store) {
	key := visitor(t, s, 6, testKind)
	const logins = 20 * crowd
	for range logins {
		if _, err := s.Update(t.Context(), key, login(6)); err != nil {
			t.Fatal(err)
		}
	}
	if n := registrations(t, s, user(6)); n > 2*crowd {
		t.Errorf("%d logins of one session leave %d registrations, want no more than %d", logins, n, 2*crowd)
	}
	if ids := found(t, s, user(6), key.Now); !ids[key.ID] {
		t.Error("the session is not found any more")
	}
	if n := registrations(t, s, user(6)); n != 1 {
		t.Errorf("after a look-up there are %d registrations, want 1", n)
	}
}

func TestAStoreOfOneServerRegistersInTheCommit(t *testing.T) {
	testtier.NotShort(t, "it needs a server")
	server, err := servertest.NewRedis()
	servertest.Check(t, err)
	defer server.Close()
	s, err := Open(t.Context(), server.URL(), WithClientClock())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t.Run("the kinds of one store do not disturb each other", func(t *testing.T) { twoKinds(t, s) })
	t.Run("what is left behind is removed by and by", func(t *testing.T) { tidied(t, s) })
	t.Run("an index goes when nobody signs in any more", func(t *testing.T) {
		if _, err := s.Update(t.Context(), visitor(t, s, 9, testKind), login(9)); err != nil {
			t.Fatal(err)
		}
		left := ask(t, s, "PTTL", s.indexKey(user(9)))
		if got := time.Duration(left) * time.Millisecond; got > indexLife || got < indexLife-time.Minute {
			t.Errorf("it lives %v, want %v", got, indexLife)
		}
	})
	t.Run("a refused commit registers nothing", func(t *testing.T) {
		key := visitor(t, s, 7, testKind)
		d := login(7)
		d.Ops[0].If = &runtime.Condition{Value: "another"}
		if _, err := s.Update(t.Context(), key, d); !errors.Is(err, runtime.ErrConflict) {
			t.Fatal(err)
		}
		if n := registrations(t, s, user(7)); n != 0 {
			t.Errorf("a refused login leaves %d registrations", n)
		}
	})
}

func FuzzStoredRecords(f *testing.F) {
	proof := string(make([]byte, currentSize))
	f.Add(string(make([]byte, headSize)), proof, ".1", string(make([]byte, earlierSize)))
	f.Add(string(make([]byte, headSize-1))+"\x01", proof, ".t", string(make([]byte, ticketSize)))
	f.Add("", proof, "cart:a", "+12")
	f.Add(string(make([]byte, headSize)), proof, "user_id", "@1234567")
	f.Fuzz(func(t *testing.T, head, proof, field, text string) {
		r, err := recordOf(Value{List: []Value{{Text: ".h"}, {Text: head}, {Text: ".p"}, {Text: proof}, {Text: field}, {Text: text}}})
		if (err == nil) == (r == nil) {
			t.Errorf("a hash is read as %+v, %v", r, err)
		}
	})
}

var _ interface {
	runtime.Store
	runtime.Indexer
	runtime.Watcher
} = (*Store)(nil)
