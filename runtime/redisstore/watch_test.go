package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// watch returns what a store is told from now on.
func watch(ctx context.Context, t *testing.T, s *redisstore.Store) <-chan runtime.Change {
	t.Helper()
	changes := make(chan runtime.Change, 16)
	if err := s.Watch(ctx, func(c runtime.Change) { changes <- c }); err != nil {
		t.Fatal(err)
	}
	return changes
}

func wantChange(t *testing.T, changes <-chan runtime.Change, want runtime.Change) {
	t.Helper()
	select {
	case got := <-changes:
		if got != want {
			t.Errorf("told %+v, want %+v", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("was not told %+v", want)
	}
}

func TestEveryProcessLearnsOfChanges(t *testing.T) {
	t.Parallel() // it waits for servers, mostly
	urls := map[string]func(*testing.T) (here, there string){
		"single": func(t *testing.T) (string, string) {
			url := start(t).URL()
			return url, url
		},
		"cluster": func(t *testing.T) (string, string) {
			nodes := startCluster(t, 0)
			return nodes[0].URL(), nodes[2].URL()
		},
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			hereURL, thereURL := url(t)
			here, there := open(t, hereURL, "duckgen:"), open(t, thereURL, "duckgen:")
			changes := watch(t.Context(), t, there)
			key, record := realistic(1)
			create(t, here, key, record)
			renewed := key
			renewed.Proof = runtime.Proof{9}
			renewal := &runtime.Delta{Renewal: &runtime.Renewal{Proof: renewed.Proof}}
			if _, err := here.Update(t.Context(), key, renewal); err != nil {
				t.Fatal(err)
			}
			wantChange(t, changes, runtime.Change{Kind: runtime.SessionRenewed, ID: key.ID, Proof: renewed.Proof})
			if err := here.Delete(t.Context(), renewed); err != nil {
				t.Fatal(err)
			}
			wantChange(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: key.ID})
			revoked, record := realistic(2)
			create(t, here, revoked, record)
			user := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "\x07"}
			if _, err := here.Revoke(t.Context(), user, key.Now); err != nil {
				t.Fatal(err)
			}
			wantChange(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: revoked.ID})
		})
	}
}

func TestALostConnectionIsTold(t *testing.T) {
	server := start(t)
	s := open(t, server.URL(), "duckgen:")
	changes := watch(t.Context(), t, s)
	server.Kill()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	wantChange(t, changes, runtime.Change{Kind: runtime.ChangesMissed})
	key, record := realistic(1)
	create(t, s, key, record)
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	wantChange(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: key.ID})
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	s := open(t, start(t).URL(), "duckgen:")
	ctx, cancel := context.WithCancel(t.Context())
	ended := watch(ctx, t, s)
	lasting := watch(t.Context(), t, s)
	cancel()
	key, record := realistic(1)
	create(t, s, key, record)
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	wantChange(t, lasting, runtime.Change{Kind: runtime.SessionEnded, ID: key.ID})
	for len(ended) > 0 {
		if c := <-ended; c.Kind == runtime.SessionEnded {
			t.Errorf("told %+v after the end of the watch", c)
		}
	}
	if err := s.Watch(ctx, func(runtime.Change) {}); err == nil {
		t.Error("Watch with a cancelled context succeeds")
	}
}
