package pgstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// present returns a session of a program whose clock is ahead of the present.
func present(n byte, ahead time.Duration, entries ...runtime.Entry) (runtime.Key, *runtime.Record) {
	key, r := session(n, entries...)
	key.Now = time.Now().Add(ahead).UTC()
	now := key.Now.Truncate(time.Millisecond)
	r.Created, r.Renewed, r.Deadline, r.Expires = now, now, now.Add(time.Hour), now.Add(time.Minute)
	return key, r
}

func TestACommitIsOneRoundTripByAnyClock(t *testing.T) {
	for _, ahead := range []time.Duration{0, 5 * time.Minute, -5 * time.Minute} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			s, w := countedStore(t, emptyURL(t))
			key, record := present(1, ahead)
			create(t, s, key, record)
			load(t, s, key)
			d := set(entry("theme", `"dark"`))
			d.Active = record.Created.Add(10 * time.Minute)
			var expires time.Time
			writes := w.count(t, func() error {
				result, err := s.Update(t.Context(), key, d)
				if err == nil {
					expires = result.Expires
				}
				return err
			})
			if writes != 1 {
				t.Errorf("a commit writes %d times to the server, want once", writes)
			}
			if !expires.Equal(d.Active) {
				t.Errorf("the session expires at %v, want %v", expires, d.Active)
			}
		})
	}
}

// TestTheFirstCommitOfAProgramMovesItsTimes: it knows nothing of the difference of
// the clocks yet.
func TestTheFirstCommitOfAProgramMovesItsTimes(t *testing.T) {
	server := emptyURL(t)
	key, record := present(1, 0)
	create(t, openServed(t, server), key, record)
	elsewhere := key
	elsewhere.Now = key.Now.Add(5 * time.Minute)
	result, err := openServed(t, server).Update(t.Context(), elsewhere, &runtime.Delta{Active: elsewhere.Now.Add(10 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the end of the session for the first program", load(t, openServed(t, server), key).Expires, key.Now.Add(10*time.Minute))
	near(t, "the end of the session for the second program", result.Expires, elsewhere.Now.Add(10*time.Minute))
}

func near(t *testing.T, what string, got, want time.Time) {
	t.Helper()
	if got.Sub(want).Abs() > time.Second {
		t.Errorf("%s is %v, want about %v", what, got, want)
	}
}

// TestWaitingForAConnectionIsNoLaterArrival lets a sign-in wait while its user is
// revoked.
func TestWaitingForAConnectionIsNoLaterArrival(t *testing.T) {
	server := emptyURL(t)
	config, err := pgxpool.ParseConfig(server)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := pgstore.New(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	key, record := present(1, 0)
	create(t, s, key, record)
	only, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signedIn := make(chan error, 1)
	key.Now = time.Now()
	go func() {
		_, err := s.Update(t.Context(), key, set(indexed("user_id", "7")))
		signedIn <- err
	}()
	time.Sleep(200 * time.Millisecond) // in which it has begun
	user := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "7"}
	if _, err := openServed(t, server).Revoke(t.Context(), user, time.Now()); err != nil {
		t.Fatal(err)
	}
	only.Release()
	if err := <-signedIn; !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("a sign-in that arrived before a revocation: %v, want ErrEnded", err)
	}
}
