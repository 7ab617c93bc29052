package ginsession_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/duckgen/duckgen/examples/routers/app/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/ginsession"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	gin.DefaultWriter, gin.DefaultErrorWriter = io.Discard, io.Discard // the panics are wanted
	os.Exit(m.Run())
}

// A brittle store stores nothing while it is down.
type brittle struct {
	runtime.Store
	down atomic.Bool
}

func (b *brittle) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	if b.down.Load() {
		return errors.New("nobody answers")
	}
	return b.Store.Create(ctx, key, r)
}

// A site is an engine behind a server, with one browser.
type site struct {
	*testing.T
	*gin.Engine
	store    *brittle
	sessions gin.HandlerFunc
	url      string
	browser  *http.Client
}

// newSite has what the browser's session has counted at /visits.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, Engine: gin.New(), store: &brittle{Store: memstore.New()}}
	sessions, err := session.NewGuestSessions(s.store, func(c *runtime.Config) { c.Cookie.Secure = false })
	if err != nil {
		t.Fatal(err)
	}
	s.sessions = ginsession.Middleware(sessions.Middleware)
	s.GET("/visits", s.sessions, func(c *gin.Context) { c.JSON(http.StatusOK, guest(c).Visits()) })
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.url, s.browser = server.URL, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s
}

func guest(c *gin.Context) *session.GuestSession { return session.GuestFrom(c.Request.Context()) }

// visit counts a visit in a session that may be new.
func visit(c *gin.Context) { guest(c).AddVisits(1) }

// open begins a request, and the response ends with the test.
func (s *site) open(path string) *http.Response {
	s.Helper()
	res, err := s.browser.Get(s.url + path)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// get returns a response and its body.
func (s *site) get(path string) (*http.Response, string) {
	s.Helper()
	res := s.open(path)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res, string(body)
}

// wantVisits checks what is stored of the browser.
func (s *site) wantVisits(want string) {
	s.Helper()
	if _, got := s.get("/visits"); got != want {
		s.Errorf("%s visits are stored, want %s", got, want)
	}
}
