package sessiontest

import (
	"context"
	"errors"
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

// A site is a program with sessions as a test sees it: a store that counts and
// can fail, a clock, and what the program was told.
type site struct {
	*VisitorSessions
	t      *testing.T
	store  *spyStore
	now    time.Time
	header string        // Config.Header
	ticks  *atomic.Int64 // where set, each reading of the clock is a microsecond later

	mu     sync.Mutex
	events []runtime.Event
	errs   []error
}

// begin is the time at which every site starts.
var begin = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func newSite(t *testing.T, configure ...func(*runtime.Config)) *site {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	return newSiteOn(t, &spyStore{Store: store}, configure...)
}

// newSiteOn is a further process on the same store.
func newSiteOn(t *testing.T, store *spyStore, configure ...func(*runtime.Config)) *site {
	t.Helper()
	s := &site{t: t, store: store, now: begin}
	basics := func(c *runtime.Config) {
		c.Keys = [][]byte{testKey}
		c.Now = s.clock
		c.OnEvent = func(_ context.Context, e runtime.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e)
		}
		c.OnError = func(_ context.Context, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.errs = append(s.errs, err)
		}
	}
	look := func(c *runtime.Config) { s.header = http.CanonicalHeaderKey(c.Header) }
	sessions, err := NewVisitorSessions(store, slices.Concat([]func(*runtime.Config){basics}, configure, []func(*runtime.Config){look})...)
	if err != nil {
		t.Fatal(err)
	}
	s.VisitorSessions = sessions
	return s
}

func (s *site) clock() time.Time {
	if s.ticks == nil {
		return s.now
	}
	return s.now.Add(time.Duration(s.ticks.Add(1)) * time.Microsecond)
}

// life are the events of the ordinary life of sessions.
var life = []runtime.EventKind{
	runtime.EventCreated, runtime.EventSignedIn, runtime.EventRenewed, runtime.EventSignedOut, runtime.EventDestroyed,
	runtime.EventRevoked,
}

// kinds returns what the program was told besides the life of its sessions, and
// forgets it all.
func (s *site) kinds() (kinds []runtime.EventKind) {
	for _, e := range s.told() {
		if !slices.Contains(life, e.Kind) {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// told returns what the program was told and forgets it.
func (s *site) told() []runtime.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.events
	s.events = nil
	return told
}

// A browser keeps the cookie that the site gives it.
type browser struct {
	site   *site
	cookie string // the token
	last   *http.Response
}

func (s *site) browser() *browser { return &browser{site: s} }

// do sends a request that the handler serves.
func (b *browser) do(handler func(w http.ResponseWriter, r *http.Request, s *VisitorSession)) *http.Response {
	b.site.t.Helper()
	r := httptest.NewRequest("GET", "https://shop.example/a/b", nil)
	b.bring(r)
	w := httptest.NewRecorder()
	b.site.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler(w, r, VisitorFrom(r.Context()))
	})).ServeHTTP(w, r)
	b.last = w.Result()
	b.take(b.last)
	return b.last
}

// visit is do for handlers that need the session alone.
func (b *browser) visit(handler func(s *VisitorSession)) *http.Response {
	b.site.t.Helper()
	return b.do(func(_ http.ResponseWriter, _ *http.Request, s *VisitorSession) { handler(s) })
}

// bring puts the token into a request, in the cookie or the site's header.
func (b *browser) bring(r *http.Request) {
	switch {
	case b.cookie == "":
	case b.site.header == "":
		r.Header.Set("Cookie", "shop="+b.cookie)
	case b.site.header == "Authorization":
		r.Header.Set("Authorization", "Bearer "+b.cookie)
	default:
		r.Header.Set(b.site.header, b.cookie)
	}
}

// take does with the response's cookie what a browser does, and with the site's
// header what a program does.
func (b *browser) take(res *http.Response) {
	if lines := res.Header[b.site.header]; len(lines) > 0 {
		b.cookie = strings.TrimPrefix(lines[0], "Bearer ")
	}
	for _, c := range ownCookies(res) {
		if c.Name == "shop" {
			b.cookie = c.Value
		}
	}
}

// ownCookies returns the cookies that the response sets, without the removal of
// the session's at other scopes than the usual one.
func ownCookies(res *http.Response) []*http.Cookie {
	return slices.DeleteFunc(res.Cookies(), func(c *http.Cookie) bool {
		return c.Name == "shop" && c.Value == "" && (c.Path != "/" || c.Domain != "" || c.Partitioned)
	})
}

// spyStore counts the calls, keeps the deltas and fails where a test says so.
type spyStore struct {
	runtime.Store
	mu     sync.Mutex
	calls  []string
	deltas []*runtime.Delta
	fail   func(call string) error // nil: never
	before func(call string)       // nil: nothing
}

// Unwrap keeps the abilities of the store.
func (s *spyStore) Unwrap() runtime.Store { return s.Store }

func (s *spyStore) note(call string, d *runtime.Delta) error {
	if s.before != nil {
		s.before(call)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	if d != nil {
		s.deltas = append(s.deltas, d)
	}
	if s.fail != nil {
		return s.fail(call)
	}
	return nil
}

// setFail sets fail while others may use the store.
func (s *spyStore) setFail(fail func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// took returns the calls since the last time.
func (s *spyStore) took() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := strings.Join(s.calls, " ")
	s.calls, s.deltas = nil, nil
	return calls
}

func (s *spyStore) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if err := s.note("load", nil); err != nil {
		return nil, err
	}
	return s.Store.Load(ctx, key)
}

func (s *spyStore) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	if err := s.note("create", nil); err != nil {
		return err
	}
	return s.Store.Create(ctx, key, r)
}

func (s *spyStore) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if err := s.note("update", d); err != nil {
		return nil, err
	}
	return s.Store.Update(ctx, key, d)
}

func (s *spyStore) Delete(ctx context.Context, key runtime.Key) error {
	if err := s.note("delete", nil); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}

var errOutage = errors.New("store is down")
