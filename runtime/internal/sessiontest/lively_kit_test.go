package sessiontest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// A socket is a live connection of a browser. It records what the page is told,
// and fails or blocks where a test says so.
type socket struct {
	browser *browser
	session *VisitorSession
	ctx     context.Context // of the handshake

	mu      sync.Mutex
	scripts []string
	urls    []string
	fail    error         // nil: never
	hold    chan struct{} // nil: no call blocks
}

func (c *socket) ExecuteJS(ctx context.Context, code string) error {
	return c.tell(ctx, &c.scripts, code)
}

func (c *socket) SyncBrowserState(ctx context.Context, url string) error {
	return c.tell(ctx, &c.urls, url)
}

func (c *socket) tell(ctx context.Context, list *[]string, text string) error {
	if c.hold != nil {
		select {
		case <-c.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	*list = append(*list, text)
	return c.fail
}

// hijackable is a recorder whose connection can be taken over.
type hijackable struct{ *httptest.ResponseRecorder }

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	server, page := net.Pipe()
	_ = page.Close()
	return server, bufio.NewReadWriter(bufio.NewReader(server), bufio.NewWriter(server)), nil
}

// connect opens a live connection. The handshake's handlers run, and the session
// is loaded, before it is taken over.
func (b *browser) connect(handlers ...func(s *VisitorSession)) *socket {
	b.site.t.Helper()
	r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
	b.bring(r)
	return b.upgrade(r, handlers)
}

// header is the Cookie header of the browser's requests.
func (b *browser) header() string {
	if b.cookie == "" {
		return ""
	}
	return "shop=" + b.cookie
}

// connectWith is connect with any Cookie header, empty for none.
func (b *browser) connectWith(header string, handlers ...func(s *VisitorSession)) *socket {
	b.site.t.Helper()
	r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
	if header != "" {
		r.Header.Set("Cookie", header)
	}
	return b.upgrade(r, handlers)
}

func (b *browser) upgrade(r *http.Request, handlers []func(s *VisitorSession)) *socket {
	b.site.t.Helper()
	c := &socket{browser: b}
	w := hijackable{httptest.NewRecorder()}
	b.site.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.ctx, c.session = r.Context(), VisitorFrom(r.Context())
		for _, handle := range handlers {
			handle(c.session)
		}
		_ = c.session.Load(c.ctx)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			b.site.t.Fatal(err)
		}
		_ = conn.Close()
	})).ServeHTTP(w, r)
	b.last = w.Result()
	b.take(b.last)
	return c
}

// event runs one event that uses the session alone.
func (c *socket) event(handle func(s *VisitorSession)) error {
	return c.run(func(s *VisitorSession) error {
		handle(s)
		return nil
	})
}

// run is event for handlers that can fail.
func (c *socket) run(handle func(s *VisitorSession) error) error {
	return c.browser.site.LivelyEvent(c.ctx, c, c.session, func(ctx context.Context) error {
		return handle(VisitorFrom(ctx))
	})
}

// must is event where no error is expected.
func (c *socket) must(handle func(s *VisitorSession)) {
	c.browser.site.t.Helper()
	if err := c.event(handle); err != nil {
		c.browser.site.t.Fatalf("event: %v", err)
	}
}

// told returns what the page was told since the last time, and that it was one
// thing at most.
func (c *socket) told() string {
	c.browser.site.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := append(c.scripts, c.urls...)
	c.scripts, c.urls = nil, nil
	if len(all) > 1 {
		c.browser.site.t.Fatalf("the page was told %d things, want one: %q", len(all), all)
	}
	return strings.Join(all, "")
}

// fetch is what the page does with a sync URL: a fetch of its own origin. It
// returns the status.
func (b *browser) fetch(url string, change ...func(*http.Request)) int {
	r := httptest.NewRequest("POST", "https://shop.example"+url, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	b.bring(r)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	b.site.SyncHandler().ServeHTTP(w, r)
	b.last = w.Result()
	b.take(b.last)
	return w.Code
}

// sync lets the browser do what the page was told.
func (c *socket) sync() int {
	c.browser.site.t.Helper()
	url := c.told()
	if !strings.HasPrefix(url, "/lively/sync") {
		c.browser.site.t.Fatalf("the page was told %q, want the sync URL", url)
	}
	return c.browser.fetch(url)
}

// clone is the same browser seen by somebody who copied its cookie.
func (b *browser) clone() *browser { return &browser{site: b.site, cookie: b.cookie} }

// known is a browser with a stored session that has a name.
func (s *site) known() *browser {
	s.t.Helper()
	b := s.browser()
	b.visit(func(s *VisitorSession) { s.SetName("Ada") })
	if b.cookie == "" {
		s.t.Fatalf("no cookie for a new session: %v", s.errs)
	}
	s.store.took()
	return b
}

// name returns what a request of the browser finds.
func (b *browser) name() (name string) {
	b.site.t.Helper()
	b.visit(func(s *VisitorSession) { name = s.Name() })
	return name
}

// user returns whom a request of the browser finds signed in.
func (b *browser) user() (id int64) {
	b.site.t.Helper()
	b.visit(func(s *VisitorSession) { id = s.UserID() })
	return id
}

// scripted switches HttpOnly off.
func scripted(c *runtime.Config) { c.Cookie.HTTPOnly = false }

func wantStatus(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: status %d, want %d", what, got, want)
	}
}
