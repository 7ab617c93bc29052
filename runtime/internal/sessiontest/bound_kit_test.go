package sessiontest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/lively"
)

// boundCookieName is that of the bound cookie beside the cookie "shop".
const boundCookieName = "__Host-bound_shop"

// A boundServer serves a program whose sessions are bound to their browser's device,
// at one address for all of its processes, and notes what came.
type boundServer struct {
	*site
	url         string
	certificate *httptest.Server
	ahead       atomic.Int64 // of the real clock
	handler     atomic.Pointer[http.Handler]

	mu       sync.Mutex
	requests []boundRequest
	meddle   func(w http.ResponseWriter, r *http.Request, next http.Handler) // with BindHandler; nil: nothing
}

// A boundRequest is one request and what was answered.
type boundRequest struct {
	method, path string
	header       http.Header
	status       int
	answer       http.Header
}

func (r boundRequest) String() string {
	text := fmt.Sprintf("%s %s: %d", r.method, r.path, r.status)
	for _, field := range []string{"Sec-Fetch-Site", "Sec-Secure-Session-Id", "Secure-Session-Skipped"} {
		if value := r.header.Get(field); value != "" {
			text += fmt.Sprintf(" %s=%s", field, value)
		}
	}
	if strings.Contains(r.header.Get("Cookie"), boundCookieName) {
		text += " bound"
	}
	if len(r.header["Secure-Session-Response"]) > 0 {
		text += " proof"
	}
	return text
}

func serveBound(t *testing.T, configure ...func(*runtime.Config)) *boundServer {
	t.Helper()
	b := &boundServer{}
	b.site = newSite(t, append([]func(*runtime.Config){b.bind}, configure...)...)
	b.serve(b.pages(b.site))
	b.certificate = httptest.NewTLSServer(http.HandlerFunc(b.answer))
	t.Cleanup(b.certificate.Close)
	u, err := url.Parse(b.certificate.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.url = "https://localhost:" + u.Port()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what came:\n%s", strings.Join(b.log(), "\n"))
		}
	})
	return b
}

// bind is the configuration of the processes.
func (b *boundServer) bind(c *runtime.Config) {
	c.Bound = runtime.BoundSignIn
	c.Grace = 0
	c.Now = func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }
}

// serve makes the handler the running process.
func (b *boundServer) serve(h http.Handler) { b.handler.Store(&h) }

// pages are those of one process.
func (b *boundServer) pages(s *site) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/session/bind", s.BindHandler())
	page := func(path string, do func(*VisitorSession)) {
		mux.Handle(path, s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
			do(v)
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprintf(w, "user %d, bound %v", v.UserID(), v.Bound())
		}))
	}
	page("/", func(*VisitorSession) {})
	page("/sign-in", func(v *VisitorSession) { v.SetUserID(7) })
	page("/sign-out", func(v *VisitorSession) { v.Destroy() })
	page("/renew", func(v *VisitorSession) { v.Renew() })
	mux.Handle("/count", s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.AddViews(1) // and reads nothing
		_, _ = fmt.Fprint(w, "counted")
	}))
	mux.Handle("/enter", s.behind(func(w http.ResponseWriter, r *http.Request, v *VisitorSession) {
		v.SetUserID(7)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	mux.Handle("/stream", s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "data: user %d\n\n", v.UserID())
	}))
	mux.HandleFunc("/framework", func(w http.ResponseWriter, r *http.Request) {
		r = s.ProcessRequest(r)
		v := VisitorFrom(r.Context())
		text := fmt.Sprintf("user %d, bound %v", v.UserID(), v.Bound())
		if err := s.ProcessResponse(w, r); err != nil {
			http.Error(w, err.Error(), runtime.StatusOf(err))
			return
		}
		_, _ = fmt.Fprint(w, text)
	})
	live := lively.New(s.VisitorSessions, VisitorFrom, func(c *lively.Config) { c.OnError = func(context.Context, error) {} })
	count := func(ctx context.Context, c *lively.Conn, e lively.Event, v *VisitorSession) error {
		if e.Name == "count" {
			v.AddViews(1)
		}
		return c.Patch(ctx, lively.Text("views", fmt.Sprintf("user %d, %d views", v.UserID(), v.Views())))
	}
	live.Handle("show", count)
	live.Handle("count", count)
	mux.Handle("/lively", s.Middleware(live))
	mux.Handle("/lively/client.js", lively.Client())
	mux.HandleFunc("/live", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<!doctype html><html data-live-load="show"><script type="module" src="/lively/client.js"></script>
<button data-live-click="count">Count</button><p data-live-key="views"></p>`)
	})
	return mux
}

func (b *boundServer) answer(w http.ResponseWriter, r *http.Request) {
	next := *b.handler.Load()
	b.mu.Lock()
	meddle := b.meddle
	b.mu.Unlock()
	x := &noted{w, boundRequest{r.Method, r.URL.Path, r.Header.Clone(), http.StatusOK, nil}}
	defer func() {
		x.answer = w.Header().Clone()
		b.mu.Lock()
		b.requests = append(b.requests, x.boundRequest)
		b.mu.Unlock()
	}()
	if meddle != nil && r.URL.Path == "/session/bind" {
		meddle(x, r, next)
		return
	}
	next.ServeHTTP(x, r)
}

// noted keeps the status of a response.
type noted struct {
	http.ResponseWriter
	boundRequest
}

func (n *noted) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// with meddles with BindHandler from now on.
func (b *boundServer) with(meddle func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.meddle = meddle
}

func (b *boundServer) log() (lines []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.requests {
		lines = append(lines, r.String())
	}
	return lines
}

// binds returns the statuses that BindHandler has answered with since the last call,
// and forgets them.
func (b *boundServer) binds() (statuses []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = slices.DeleteFunc(b.requests, func(r boundRequest) bool {
		if r.path != "/session/bind" {
			return false
		}
		statuses = append(statuses, r.status)
		return true
	})
	return statuses
}

// A boundTab is a page of the site in a browser.
type boundTab struct {
	*chromium.Tab
	t    *testing.T
	site *boundServer
}

func (b *boundServer) open(browser *chromium.Browser) *boundTab {
	b.t.Helper()
	return &boundTab{browser.Open(b.url + "/"), b.t, b}
}

// enter signs in, and waits until the browser has presented its bound cookie.
func (tab *boundTab) enter() {
	tab.t.Helper()
	tab.Go(tab.site.url + "/enter")
	tab.until("/", "user 7, bound true")
	tab.site.binds()
	tab.site.kinds()
}

// until fetches a page until it says what is wanted.
func (tab *boundTab) until(path, want string) {
	tab.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for got := ""; got != want; got = tab.fetch(path) {
		if time.Now().After(deadline) {
			tab.t.Fatalf("%s says %q, want %q", path, got, want)
		}
	}
}

func (tab *boundTab) fetch(path string) string {
	tab.t.Helper()
	return tab.Eval(fmt.Sprintf("fetch(%q).then((r) => r.text())", path))
}

// says checks what a page says.
func (tab *boundTab) says(path, want string) {
	tab.t.Helper()
	if got := tab.fetch(path); got != want {
		tab.t.Errorf("%s says %q, want %q", path, got, want)
	}
}

// followsALink opens a page by a link on another site, without a bound cookie.
func (tab *boundTab) followsALink(path string) {
	tab.t.Helper()
	tab.expire()
	tab.Go(strings.Replace(tab.site.url, "localhost", "127.0.0.1", 1))
	tab.Eval(`location.href = "` + tab.site.url + path + `"`)
	tab.Wait(`location.hostname === "localhost" && document.body.innerText === "user 7, bound true"`)
	if kinds := tab.site.kinds(); slices.Contains(kinds, runtime.EventUnbound) {
		tab.t.Errorf("a link on another site is reported as %v", kinds)
	}
}

// expire does with the bound cookie what its end would do.
func (tab *boundTab) expire() {
	tab.t.Helper()
	if !tab.expireIfThere() {
		tab.t.Fatal("the browser has no bound cookie")
	}
}

func (tab *boundTab) expireIfThere() bool {
	tab.t.Helper()
	for _, c := range tab.Cookies() {
		if c.Name == boundCookieName {
			tab.Forget(c)
			return true
		}
	}
	return false
}

// stolen returns the browser's cookies as a thief sends them.
func (tab *boundTab) stolen(names ...string) string {
	var pairs []string
	for _, c := range tab.Cookies() {
		if slices.Contains(names, c.Name) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

// thief fetches a page with the cookies, and returns what it says.
func (b *boundServer) thief(path, cookies string) string {
	b.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), "GET", "https://localhost"+path, nil)
	r.Header.Set("Cookie", cookies)
	w := httptest.NewRecorder()
	(*b.handler.Load()).ServeHTTP(w, r)
	return strings.TrimSpace(w.Body.String())
}
