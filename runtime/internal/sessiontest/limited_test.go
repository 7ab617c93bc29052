package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// Limited is the session of a program in which each user has three at most.
//
//duckgen:session cookie=limited
type Limited struct {
	UserID int64  `session:"user_id,index,renew,limit=3"`
	Name   string `session:"name"`

	Initial string          `session:"initial,max=1"`
	Choice  []string        `session:"choice,max=1"`
	Last    []string        `session:"last,merge=append,max=1"`
	Open    map[string]bool `session:"open,max=1"`
}

// visitLimited serves a request that brings a cookie, and returns the one that the
// browser has then.
func visitLimited(m *LimitedSessions, cookie string, handle func(*LimitedSession)) (string, int) {
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "limited", Value: cookie})
	}
	w := httptest.NewRecorder()
	m.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { handle(LimitedFrom(r.Context())) })).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "limited" && c.Value != "" {
			cookie = c.Value
		}
	}
	return cookie, w.Code
}

func TestOfManySignInsAtOnceExactlyTheLimitStays(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b backend) {
		m, err := NewLimitedSessions(b.open(t))
		if err != nil {
			t.Fatal(err)
		}
		for user := range int64(3) {
			user++
			cookies := make([]string, 64)
			var done sync.WaitGroup
			for i := range cookies {
				done.Go(func() {
					var status int
					if i%2 == 0 { // one with a session before
						cookies[i], _ = visitLimited(m, "", func(s *LimitedSession) { s.SetName("Ada") })
					}
					cookies[i], status = visitLimited(m, cookies[i], func(s *LimitedSession) { s.SetUserID(user) })
					if status != http.StatusOK {
						t.Errorf("a sign-in is answered %d", status)
					}
				})
			}
			done.Wait()
			in := 0
			for _, cookie := range cookies {
				visitLimited(m, cookie, func(s *LimitedSession) {
					if s.UserID() == user {
						in++
					}
				})
			}
			if in != 3 {
				t.Errorf("%d of 64 sign-ins at once stay, want 3", in)
			}
		}
	})
}

func TestASignInBeyondTheLimitEndsWhatWasUsedLongestAgo(t *testing.T) {
	store := memstore.New()
	now := begin
	var events []runtime.Event
	m, err := NewLimitedSessions(store, func(c *runtime.Config) {
		c.Now, c.Idle = func() time.Time { return now }, time.Hour
		c.OnEvent = func(_ context.Context, e runtime.Event) { events = append(events, e) }
	})
	if err != nil {
		t.Fatal(err)
	}
	signIn := func(user int64) string {
		now = now.Add(10 * time.Minute)
		cookie, _ := visitLimited(m, "", func(s *LimitedSession) { s.SetUserID(user) })
		return cookie
	}
	user := func(cookie string) (user int64) {
		visitLimited(m, cookie, func(s *LimitedSession) { s.Passive(); user = s.UserID() })
		return user
	}
	first, second, third, other := signIn(7), signIn(7), signIn(7), signIn(8)
	now = now.Add(10 * time.Minute)
	visitLimited(m, first, func(s *LimitedSession) { s.UserID() })
	fourth := signIn(7)
	for what, c := range map[string]struct {
		cookie string
		want   int64
	}{
		"used since":             {first, 7},
		"used longest ago":       {second, 0},
		"third":                  {third, 7},
		"the one that signed in": {fourth, 7},
		"of another user":        {other, 8},
	} {
		if got := user(c.cookie); got != c.want {
			t.Errorf("%s: user %d, want %d", what, got, c.want)
		}
	}
	revoked := slices.DeleteFunc(events, func(e runtime.Event) bool { return e.Kind != runtime.EventRevoked })
	if len(revoked) != 1 || revoked[0].Field != "user_id" || revoked[0].Count != 1 {
		t.Errorf("events %+v, want that one session of a user was revoked", revoked)
	}

	now = now.Add(time.Minute)
	renewed, _ := visitLimited(m, third, func(s *LimitedSession) { s.SetUserID(7) })
	if user(renewed) != 7 || user(first) != 7 || user(fourth) != 7 {
		t.Error("who signs in again, without another session, ends one")
	}
	moved, _ := visitLimited(m, other, func(s *LimitedSession) { s.SetUserID(7) })
	if user(moved) != 7 || user(first) != 0 {
		t.Errorf("a session that comes to another user: user %d, and the one used longest ago %d, want 7 and 0", user(moved), user(first))
	}
}

// stuck is a store that may be unable to trim.
type stuck struct {
	runtime.Store
	failure error // nil: it can
}

func (s *stuck) Unwrap() runtime.Store { return s.Store }

func (s *stuck) Trim(ctx context.Context, values []runtime.IndexValue, most int, keep runtime.ID, now time.Time) (int, error) {
	if s.failure != nil {
		return 0, s.failure
	}
	return s.Store.(runtime.Limiter).Trim(ctx, values, most, keep, now)
}

func TestALimitThatCannotBeKeptIsMadeUpForByTheNextSignIn(t *testing.T) {
	store := &stuck{Store: memstore.New()}
	var failed []error
	m, err := NewLimitedSessions(store, func(c *runtime.Config) {
		c.OnError = func(_ context.Context, err error) { failed = append(failed, err) }
	})
	if err != nil {
		t.Fatal(err)
	}
	signIn := func() string {
		cookie, status := visitLimited(m, "", func(s *LimitedSession) { s.SetUserID(7) })
		if status != http.StatusOK {
			t.Errorf("a sign-in is answered %d", status)
		}
		return cookie
	}
	left := func() (n int) {
		for _, err := range m.FindByUserID(t.Context(), 7) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	for range 4 {
		signIn()
	}
	store.failure = errors.New("stuck")
	signIn()
	var failure *runtime.Error
	if len(failed) != 1 || !errors.As(failed[0], &failure) || failure.Op != "limit" || !errors.Is(failure, store.failure) || left() != 4 {
		t.Errorf("errors %v and %d sessions, want that of the limit and 4", failed, left())
	}
	store.failure = nil
	signIn()
	if left() != 3 || len(failed) != 1 {
		t.Errorf("%d sessions, want 3, and errors %v", left(), failed)
	}
}

// lamp is a live connection that says when its session has ended it.
type lamp struct {
	socket
	out atomic.Bool
}

func (l *lamp) CloseLively(end runtime.LivelyEnd) { l.out.Store(end == runtime.LivelyEnded) }

func TestASessionBeyondTheLimitLosesItsSockets(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b backend) {
		m, err := NewLimitedSessions(b.open(t))
		if err != nil {
			t.Fatal(err)
		}
		signIn := func(s *LimitedSession) { s.SetUserID(7) }
		cookie, _ := visitLimited(m, "", signIn)
		conn := &lamp{}
		visitLimited(m, cookie, func(s *LimitedSession) {
			disconnect, err := m.LivelyConnect(t.Context(), conn, s)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(disconnect)
		})
		for range 3 {
			time.Sleep(2 * time.Millisecond) // later, by a clock of milliseconds
			visitLimited(m, "", signIn)
		}
		for deadline := time.Now().Add(20 * time.Second); !conn.out.Load(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the connection of a session that a limit has ended stays open")
			}
		}
	})
}

// bare is a store that can do no more than it must.
type bare struct{ runtime.Store }

func TestAStoreWithoutTheAbilitySaysSo(t *testing.T) {
	_, err := NewLimitedSessions(bare{memstore.New()})
	if !errors.Is(err, runtime.ErrNoLimit) || !strings.Contains(fmt.Sprint(err), "user_id") {
		t.Errorf("sessions with a limit on a store that cannot limit them: %v", err)
	}
	m, err := NewVisitorSessions(bare{memstore.New()}, func(c *runtime.Config) { c.Keys = [][]byte{[]byte("0123456789abcdef0123456789abcdef")} })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Find(t.Context(), "00"); !errors.Is(err, runtime.ErrNoList) {
		t.Errorf("Find: %v", err)
	}
	if _, err := m.RevokeAll(t.Context()); !errors.Is(err, runtime.ErrNoList) {
		t.Errorf("RevokeAll: %v", err)
	}
	var said error
	for _, said = range m.All(t.Context()) {
	}
	if !errors.Is(said, runtime.ErrNoList) {
		t.Errorf("All: %v", said)
	}
	if err := m.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func TestV7ALimitOfOneHolds(t *testing.T) {
	m, err := NewLimitedSessions(memstore.New())
	if err != nil {
		t.Fatal(err)
	}
	some := []string{"a", "b"}
	for what, write := range map[string]func(s *LimitedSession, n int){
		"the bytes of a string":  func(s *LimitedSession, n int) { s.SetInitial(strings.Repeat("a", n)) },
		"the elements of a list": func(s *LimitedSession, n int) { s.SetChoice(some[:n]) },
		"the elements of a map": func(s *LimitedSession, n int) {
			for _, key := range some[:n] {
				s.SetOpenItem(key, true)
			}
		},
	} {
		for n, want := range []int{http.StatusOK, http.StatusOK, http.StatusRequestEntityTooLarge} {
			if _, got := visitLimited(m, "", func(s *LimitedSession) { write(s, n) }); got != want {
				t.Errorf("%s: status %d with %d, want %d", what, got, n, want)
			}
		}
	}
	visitLimited(m, "", func(s *LimitedSession) {
		s.AppendLast(some...)
		if got := s.LastSlice(); !slices.Equal(got, some[1:]) {
			t.Errorf("the newest one of %q is %q", some, got)
		}
	})
}
