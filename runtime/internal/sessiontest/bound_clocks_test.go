package sessiontest

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
	"github.com/duckgen/duckgen/runtime/pgstore"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// boundAgeOfServers is BoundAge where time has to pass on a server: longer than the
// steps of the test in between take on a loaded machine.
const boundAgeOfServers = 15 * time.Second

// TestT7BindingsFollowTheStoresClock has a browser served by two programs in turns
// whose clocks differ by more than a bound cookie lives.
func TestT7BindingsFollowTheStoresClock(t *testing.T) {
	testtier.OnlyExhaustive(t, "a bound cookie runs out by a clock that nobody can move")
	for name, open := range map[string]func(t *testing.T) func() runtime.Store{
		"Redis": func(t *testing.T) func() runtime.Store {
			url, prefix := redisServer.start(t).URL(), newPrefix()
			return func() runtime.Store {
				s, err := redisstore.Open(t.Context(), url, redisstore.WithPrefix(prefix))
				return closing(t, s, err)
			}
		},
		"Postgres": func(t *testing.T) func() runtime.Store {
			url := postgresServer.start(t).Schema(t)
			return func() runtime.Store {
				s, err := pgstore.Open(t.Context(), url)
				return closing(t, s, err)
			}
		},
		"MariaDB": func(t *testing.T) func() runtime.Store {
			dsn := mariaDBServer.start(t).Database(t)
			return func() runtime.Store {
				s, err := mysqlstore.Open(t.Context(), dsn)
				return closing(t, s, err)
			}
		},
	} {
		for clock, ahead := range map[string]time.Duration{"fast": 20 * time.Minute, "slow": -20 * time.Minute} {
			t.Run(name+"/"+clock, func(t *testing.T) {
				t.Parallel()
				store := open(t)
				bothClocks(t, func(ahead time.Duration) *site {
					return newSiteOn(t, &spyStore{Store: store()}, bindSignIns, func(c *runtime.Config) {
						c.BoundAge = boundAgeOfServers
						c.Now = func() time.Time { return time.Now().Add(ahead) }
					})
				}, ahead)
			})
		}
	}
}

func bothClocks(t *testing.T, program func(ahead time.Duration) *site, ahead time.Duration) {
	right, wrong := program(0), program(ahead)
	d := newDevice(t, right)
	at := func(s *site, client *device) *device {
		client.site = s
		return client
	}
	d.visit(func(s *VisitorSession) { s.SetUserID(7) })
	d.opens(true)

	count := func() {
		t.Helper()
		if res := d.see(func(s *VisitorSession) { s.AddViews(1) }); res.StatusCode != http.StatusOK {
			t.Errorf("a blind write is answered %d", res.StatusCode)
		}
	}
	at(wrong, d)
	count()
	d.opens(true)
	one, both := d.copied("shop"), d.copied("shop", boundCookieName)
	one.opens(false)
	both.opens(true)
	time.Sleep(boundAgeOfServers)                             // by a clock that nobody can move
	for _, s := range []*site{program(ahead), wrong, right} { // one has heard nothing of the server's clock yet
		if res := at(s, both).see(func(s *VisitorSession) { s.AddViews(10) }); res.StatusCode != http.StatusForbidden {
			t.Errorf("a thief's blind write is answered %d", res.StatusCode)
		}
		both.opens(false)
	}
	signedIn(t, program(ahead)) // its first call of the store
	if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) {
		t.Errorf("a refresh takes the steps %v", steps)
	}
	at(right, d)
	count()
	d.visit(func(s *VisitorSession) {
		if s.UserID() != 7 || s.Views() != 2 {
			t.Errorf("user %d, %d views: %v", s.UserID(), s.Views(), s.Err())
		}
	})
	if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) {
		t.Errorf("a refresh takes the steps %v", steps)
	}
	at(wrong, d).opens(true)
}
