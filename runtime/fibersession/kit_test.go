package fibersession_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"sync/atomic"
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/fibersession"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A shop is an app with sessions, on loopback.
type shop struct {
	t        *testing.T
	app      *fiber.App
	sessions *session.VisitorSessions
	store    *shelf
	url      string

	events chan runtime.EventKind
	errors chan error
}

// A shelf is a store that can be made to fail.
type shelf struct {
	runtime.Store
	down atomic.Bool
}

var errDown = errors.New("the store is down")

func (s *shelf) Unwrap() runtime.Store { return s.Store }

func (s *shelf) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if s.down.Load() {
		return nil, errDown
	}
	return s.Store.Load(ctx, key)
}

func (s *shelf) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	if s.down.Load() {
		return errDown
	}
	return s.Store.Create(ctx, key, r)
}

func (s *shelf) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if s.down.Load() {
		return nil, errDown
	}
	return s.Store.Update(ctx, key, d)
}

// newShop returns an app without handlers, not yet open.
func newShop(t *testing.T, configure ...func(*runtime.Config)) *shop {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	s := &shop{t: t, store: &shelf{Store: store}, events: make(chan runtime.EventKind, 100), errors: make(chan error, 100)}
	own := func(c *runtime.Config) {
		c.Cookie.Secure = false
		c.OnError = func(_ context.Context, err error) { s.errors <- err }
		c.OnEvent = func(_ context.Context, e runtime.Event) { s.events <- e.Kind }
	}
	var err error
	if s.sessions, err = session.NewVisitorSessions(s.store, append([]func(*runtime.Config){own}, configure...)...); err != nil {
		t.Fatal(err)
	}
	s.app = fiber.New(fiber.Config{ErrorHandler: apologise})
	return s
}

// with is newShop with the middleware.
func with(t *testing.T, configure ...func(*runtime.Config)) *shop {
	t.Helper()
	s := newShop(t, configure...)
	s.app.Use(fibersession.Middleware(s.sessions))
	s.app.Get("/name", func(c fiber.Ctx) error { return c.SendString(session.VisitorFrom(c).Name()) })
	s.app.Get("/be/:name", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName(c.Params("name"))
		return c.SendString("done")
	})
	s.app.Get("/sign-in", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetUserID(1)
		return nil
	})
	return s
}

// apologise is an error page that says who has the session.
func apologise(c fiber.Ctx, err error) error {
	status := fiber.StatusInternalServerError
	if known := (*fiber.Error)(nil); errors.As(err, &known) {
		status = known.Code
	}
	return c.Status(status).SendString("sorry " + session.VisitorFrom(c).Name() + ": " + err.Error())
}

// open serves the app.
func (s *shop) open() *shop {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	return s.openOn(l)
}

func (s *shop) openOn(l net.Listener) *shop {
	s.t.Helper()
	served := make(chan error, 1)
	go func() { served <- s.app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) }()
	s.t.Cleanup(func() {
		if err := errors.Join(s.app.Shutdown(), <-served); err != nil {
			s.t.Error(err)
		}
	})
	s.url = "http://" + l.Addr().String()
	return s
}

// A browser has cookies and connections of its own.
type browser struct {
	*shop
	client *http.Client
}

func (s *shop) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{s, &http.Client{Jar: jar, Transport: transport, CheckRedirect: stay}}
}

func (b *browser) send(method, path string, fields ...string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

// get returns the answer, with its body.
func (b *browser) get(path string, fields ...string) (*http.Response, string) {
	b.t.Helper()
	res := b.send("GET", path, fields...)
	return res, b.read(res)
}

func (b *browser) read(res *http.Response) string {
	b.t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(body)
}

// wantName checks what is stored.
func (b *browser) wantName(want string) {
	b.t.Helper()
	if _, got := b.get("/name"); got != want {
		b.t.Errorf("the session has the name %q, want %q", got, want)
	}
}

// wantAnswer checks status and body.
func (b *browser) wantAnswer(path string, status int, body string) *http.Response {
	b.t.Helper()
	res, got := b.get(path)
	if res.StatusCode != status || got != body {
		b.t.Errorf("%s: %d %q, want %d %q", path, res.StatusCode, got, status, body)
	}
	return res
}
