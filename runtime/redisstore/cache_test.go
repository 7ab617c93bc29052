package redisstore_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/observe"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// cached opens a store whose cache lasts longer than any test.
func cached(t testing.TB, url string) *redisstore.Store {
	t.Helper()
	return open(t, url, "duckgen:", redisstore.WithCache(time.Hour, 1<<20))
}

func load(t testing.TB, s *redisstore.Store, key runtime.Key) *runtime.Record {
	t.Helper()
	r, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// setTheme returns a delta that sets one entry.
func setTheme(value string) *runtime.Delta {
	return &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "theme", Value: value}}}}
}

func theme(r *runtime.Record) string {
	e, _ := r.Entries.Get("theme")
	return e.Value
}

// wait repeats a load until it is done.
func wait(t *testing.T, s *redisstore.Store, key runtime.Key, done func(*runtime.Record, error) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		r, err := s.Load(ctx, key)
		if done(r, err) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the cache still gives %+v, %v", r, err)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestACachedLoadMakesNoRoundTrip(t *testing.T) {
	server := start(t)
	s := cached(t, server.URL())
	key, record := realistic(1)
	create(t, s, key, record)
	load(t, s, key)
	held, live := key, key
	held.Held, live.Live = true, true
	for _, c := range []struct {
		name string
		key  runtime.Key
		want int
	}{
		{"a load", key, 0},
		{"a load that a request repeats", held, 1},
		{"a load for a live connection", live, 1},
	} {
		command(t, server, "CONFIG", "RESETSTAT")
		if r := load(t, s, c.key); !r.Entries.Equal(record.Entries) {
			t.Errorf("%s gives other entries: %+v", c.name, r)
		}
		if n := calls(t, server)["hgetall"]; n != c.want {
			t.Errorf("%s makes %d round trips, want %d", c.name, n, c.want)
		}
	}
	if hits, misses := s.CacheCounts(); hits != 1 || misses != 1 {
		t.Errorf("the cache counts %d hits and %d misses, want 1 and 1", hits, misses)
	}
}

func TestALoadThatTheCacheCannotAnswerIsAMiss(t *testing.T) {
	s := cached(t, start(t).URL())
	key, record := realistic(1)
	create(t, s, key, record)
	load(t, s, key)
	stranger := key
	stranger.Proof = runtime.Proof{9}
	if _, err := s.Load(t.Context(), stranger); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("a wrong secret loads: %v", err)
	}
	var _ observe.Cacher = s
	if hits, misses := s.CacheCounts(); hits != 0 || misses != 2 {
		t.Errorf("the cache counts %d hits and %d misses, want 0 and 2", hits, misses)
	}
}

// TestTheCacheNeverMissesAnOwnWrite reads while it writes, so that reads are
// under way when a write begins and when it ends.
func TestTheCacheNeverMissesAnOwnWrite(t *testing.T) {
	rounds := testtier.Count(200, 200, 2000)
	s := cached(t, start(t).URL())
	key, record := session(1)
	create(t, s, key, record)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	defer readers.Wait()
	defer close(stop)
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.Load(t.Context(), key)
				}
			}
		})
	}
	for n := range rounds {
		want := strconv.Itoa(n)
		if _, err := s.Update(t.Context(), key, setTheme(want)); err != nil {
			t.Fatal(err)
		}
		if got := theme(load(t, s, key)); got != want {
			t.Fatalf("after write %s a load gives that of %s", want, got)
		}
	}
	user := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "\x07"}
	revoked, record := realistic(2)
	create(t, s, revoked, record)
	load(t, s, revoked)
	if _, err := s.Revoke(t.Context(), user, key.Now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), now(revoked)); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("a load after the own revocation: %v", err)
	}
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), now(key)); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("a load after the own delete: %v", err)
	}
}

func TestTheCacheLearnsWhatOthersWrite(t *testing.T) {
	t.Parallel() // it waits for servers, mostly
	urls := map[string]func(*testing.T) string{
		"single":  func(t *testing.T) string { return start(t).URL() },
		"cluster": func(t *testing.T) string { return startCluster(t, 0)[0].URL() },
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			here, there := cached(t, at), open(t, at, "duckgen:")
			for id := range byte(6) { // some on each node
				key, record := session(id)
				create(t, there, key, record)
				load(t, here, key)
				if _, err := there.Update(t.Context(), key, setTheme("light")); err != nil {
					t.Fatal(err)
				}
				wait(t, here, key, func(r *runtime.Record, err error) bool { return err == nil && theme(r) == "light" })
				if err := there.Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
				wait(t, here, key, func(_ *runtime.Record, err error) bool { return errors.Is(err, runtime.ErrNotFound) })
			}
		})
	}
}

// TestTheCacheTurnsNobodyAway presents a token of which the cached record cannot
// know yet.
func TestTheCacheTurnsNobodyAway(t *testing.T) {
	url := start(t).URL()
	here, there := cached(t, url), open(t, url, "duckgen:")
	key, record := session(1)
	create(t, there, key, record)
	for n := range byte(100) {
		load(t, here, key)
		proof := runtime.Proof{1, n}
		signIn := &runtime.Delta{
			SignIn:  &runtime.SignIn{},
			Renewal: &runtime.Renewal{Kind: runtime.RenewSignIn, Proof: proof},
		}
		if _, err := there.Update(t.Context(), key, signIn); err != nil {
			t.Fatal(err)
		}
		key.Proof = proof
		if _, err := here.Load(t.Context(), key); err != nil {
			t.Fatalf("a load with the token of sign-in %d: %v", n, err)
		}
	}
}

func TestALostConnectionEmptiesTheCache(t *testing.T) {
	server := start(t)
	s := cached(t, server.URL())
	key, record := session(1)
	create(t, s, key, record)
	load(t, s, key)
	server.Kill()
	if err := server.Start(); err != nil { // it has kept nothing
		t.Fatal(err)
	}
	wait(t, s, key, func(_ *runtime.Record, err error) bool { return errors.Is(err, runtime.ErrNotFound) })
}

func TestOpenRefusesACacheOfNothing(t *testing.T) {
	server := start(t)
	for _, option := range []redisstore.OpenOption{
		redisstore.WithCache(0, 1<<20), redisstore.WithCache(time.Minute, 0),
	} {
		if s, err := redisstore.Open(t.Context(), server.URL(), option); err == nil {
			s.Close()
			t.Error("Open accepts a cache without time or size")
		}
	}
}
