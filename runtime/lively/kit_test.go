package lively_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/tinylib/msgp/msgp"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func TestMain(m *testing.M) {
	testtier.WaitTogether()
	os.Exit(m.Run())
}

// testKey opens and seals the secret fields of every test.
var testKey = []byte("0123456789abcdef0123456789abc\x00\x01\x02")

// soon bounds every wait of a test; what works takes far less.
const soon = time.Minute

// next returns what a channel has, or gets soon; nothing if it is closed.
func next[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(soon):
		t.Fatalf("nothing came within %v", soon)
	}
	return v
}

type (
	visitor  = sessiontest.VisitorSession
	endpoint = lively.Endpoint[visitor]
)

// A site is a program with a live endpoint behind a real server.
type site struct {
	t        *testing.T
	sessions *sessiontest.VisitorSessions
	live     *endpoint
	server   *httptest.Server
	expiry   atomic.Int64 // nanoseconds, of what POST /expire sets

	mu   sync.Mutex
	errs []error
}

func newSite(t *testing.T, configure ...func(*lively.Config)) *site {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	return newSiteOn(t, store, configure...)
}

// newSiteOn returns one of the processes whose sessions are in the store.
func newSiteOn(t *testing.T, store runtime.Store, configure ...func(*lively.Config)) *site {
	t.Helper()
	s := &site{t: t}
	sessions, err := sessiontest.NewVisitorSessions(store, func(c *runtime.Config) {
		c.Cookie.Secure = false // the test server speaks plain HTTP
		c.Keys = [][]byte{testKey}
		c.OnEvent = func(context.Context, runtime.Event) {}
		c.OnError = s.onError
	})
	if err != nil {
		t.Fatal(err)
	}
	s.sessions = sessions
	quiet := func(c *lively.Config) { c.OnError = s.onError }
	s.live = lively.New(sessions, sessiontest.VisitorFrom, append([]func(*lively.Config){quiet}, configure...)...)
	mux := http.NewServeMux()
	mux.Handle("GET /lively", s.live)
	mux.Handle("POST /lively/sync", sessions.SyncHandler())
	mux.Handle("POST /lively/upload/", s.live.Uploads())
	mux.HandleFunc("POST /name", func(_ http.ResponseWriter, r *http.Request) {
		sessiontest.VisitorFrom(r.Context()).SetName(r.PostFormValue("name"))
	})
	mux.HandleFunc("GET /name", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(sessiontest.VisitorFrom(r.Context()).Name()))
	})
	mux.HandleFunc("POST /renew", func(_ http.ResponseWriter, r *http.Request) {
		sessiontest.VisitorFrom(r.Context()).Renew()
	})
	mux.HandleFunc("POST /sign-in", func(_ http.ResponseWriter, r *http.Request) {
		sessiontest.VisitorFrom(r.Context()).SetUserID(7)
	})
	mux.HandleFunc("POST /expire", func(_ http.ResponseWriter, r *http.Request) {
		sessiontest.VisitorFrom(r.Context()).SetExpiry(time.Now().Add(time.Duration(s.expiry.Load())))
	})
	mux.HandleFunc("POST /sign-out", func(_ http.ResponseWriter, r *http.Request) {
		sessiontest.VisitorFrom(r.Context()).Destroy()
	})
	s.server = httptest.NewServer(sessions.Middleware(mux))
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

// show registers the event "show", which patches the page with the name.
func (s *site) show() {
	s.live.Handle("show", func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
		return c.Patch(ctx, lively.Text("name", v.Name()))
	})
}

func (s *site) onError(_ context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// reported returns what the program heard of, as one text.
func (s *site) reported() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text []string
	for _, err := range s.errs {
		text = append(text, err.Error())
	}
	return strings.Join(text, "\n")
}

// handle registers a handler that uses the session alone.
func (s *site) handle(event string, do func(v *visitor)) {
	s.live.Handle(event, func(_ context.Context, _ *lively.Conn, _ lively.Event, v *visitor) error {
		do(v)
		return nil
	})
}

// A browser keeps its cookies.
type browser struct {
	site   *site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, Timeout: soon}}
}

// known is a browser with a stored session whose name is Ada.
func (s *site) known() *browser {
	s.t.Helper()
	b := s.browser()
	b.post("/name", "name=Ada")
	if len(b.cookies()) != 1 {
		s.t.Fatalf("a new session set %d cookies", len(b.cookies()))
	}
	return b
}

func (b *browser) cookies() []*http.Cookie {
	u, err := url.Parse(b.site.server.URL)
	if err != nil {
		b.site.t.Fatal(err)
	}
	return b.client.Jar.Cookies(u)
}

func (b *browser) post(path, form string) *http.Response {
	b.site.t.Helper()
	res, err := b.client.Post(b.site.server.URL+path, "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		b.site.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res
}

// name is what a request of the browser finds.
func (b *browser) name() string {
	b.site.t.Helper()
	res, err := b.client.Get(b.site.server.URL + "/name")
	if err != nil {
		b.site.t.Fatal(err)
	}
	defer res.Body.Close()
	var text strings.Builder
	if err := res.Write(&text); err != nil {
		b.site.t.Fatal(err)
	}
	_, body, _ := strings.Cut(text.String(), "\r\n\r\n")
	return body
}

// fetch does what the page does when it is told to fetch.
func (b *browser) fetch(path string) *http.Response {
	b.site.t.Helper()
	r, err := http.NewRequest("POST", b.site.server.URL+path, nil)
	if err != nil {
		b.site.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "same-origin")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	res, err := b.client.Do(r)
	if err != nil {
		b.site.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res
}

// A page is the browser's end of a live connection.
type page struct {
	site *site
	ws   *websocket.Conn
}

// dial makes the handshake with the browser's cookies.
func (b *browser) dial(origin string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	ctx, cancel := context.WithTimeout(b.site.t.Context(), soon)
	defer cancel()
	return websocket.Dial(ctx, "ws"+strings.TrimPrefix(b.site.server.URL, "http")+"/lively",
		&websocket.DialOptions{HTTPClient: b.client, HTTPHeader: h})
}

// A pageName is how the page of a test names itself in its handshakes, if there is
// only one.
const pageName, pageKey = "0123456789abcdef", "fedcba9876543210"

// greet opens a connection in the protocol of the browser client, of a page that has
// the answers up to that number and was told so often to fetch a cookie. It returns
// once the page may send events, with what the endpoint has taken up, nil for
// nothing that it knows, after the answers.
func (b *browser) greet(answered, fetched int) (p *page, taken any, answers [][]any) {
	b.site.t.Helper()
	p = b.openAs(fmt.Sprintf("duckgen.page.%s.%s.%d.%d", pageName, pageKey, answered, fetched))
	for {
		frame := p.receive()
		switch fmt.Sprint(frame[0]) {
		case "200":
			return p, frame[1], answers
		default:
			answers = append(answers, frame)
		}
	}
}

// openAs opens a connection of the page that names itself so.
func (b *browser) openAs(name string) *page {
	b.site.t.Helper()
	ctx, cancel := context.WithTimeout(b.site.t.Context(), soon)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(b.site.server.URL, "http")+"/lively", &websocket.DialOptions{
		HTTPClient: b.client, HTTPHeader: http.Header{"Origin": {b.site.server.URL}}, Subprotocols: []string{"duckgen.live.1", name}})
	if err != nil {
		b.site.t.Fatal(err)
	}
	b.site.t.Cleanup(func() { _ = ws.CloseNow() })
	return &page{b.site, ws}
}

// number sends a numbered event.
func (p *page) number(n int, name string) {
	p.site.t.Helper()
	p.send(100, "root", "component", name, nil, false, n, n)
}

func (b *browser) open() *page {
	b.site.t.Helper()
	ws, _, err := b.dial(b.site.server.URL)
	if err != nil {
		b.site.t.Fatal(err)
	}
	ws.SetReadLimit(16 << 20)
	b.site.t.Cleanup(func() { _ = ws.CloseNow() })
	return &page{b.site, ws}
}

func (p *page) send(frame ...any) {
	p.site.t.Helper()
	b, err := msgp.AppendIntf(nil, frame)
	if err != nil {
		p.site.t.Fatal(err)
	}
	p.raw(websocket.MessageBinary, b)
}

func (p *page) raw(kind websocket.MessageType, b []byte) {
	p.site.t.Helper()
	ctx, cancel := context.WithTimeout(p.site.t.Context(), soon)
	defer cancel()
	if err := p.ws.Write(ctx, kind, b); err != nil {
		p.site.t.Fatal(err)
	}
}

func (p *page) event(name string, value any) {
	p.site.t.Helper()
	p.send(100, "root", "component", name, value, false)
}

// receive returns the next frame.
func (p *page) receive() []any {
	p.site.t.Helper()
	ctx, cancel := context.WithTimeout(p.site.t.Context(), soon)
	defer cancel()
	_, b, err := p.ws.Read(ctx)
	if err != nil {
		p.site.t.Fatalf("no frame: %v", err)
	}
	frame, rest, err := msgp.ReadIntfBytes(b)
	list, ok := frame.([]any)
	if err != nil || !ok || len(rest) > 0 {
		p.site.t.Fatalf("frame % x: %v", b, err)
	}
	return list
}

// closed demands that no frame comes any more and returns how the connection was
// closed.
func (p *page) closed() websocket.CloseError {
	p.site.t.Helper()
	ctx, cancel := context.WithTimeout(p.site.t.Context(), soon)
	defer cancel()
	_, b, err := p.ws.Read(ctx)
	if err == nil {
		p.site.t.Fatalf("frame % x, want the end of the connection", b)
	}
	end := websocket.CloseError{Code: websocket.CloseStatus(err)}
	if !asClose(err, &end) {
		p.site.t.Fatalf("the connection broke: %v", err)
	}
	return end
}

func (p *page) wantClosed(code websocket.StatusCode, reason string) {
	p.site.t.Helper()
	if end := p.closed(); end.Code != code || !strings.Contains(end.Reason, reason) {
		p.site.t.Errorf("closed with %d %q, want %d %q", end.Code, end.Reason, code, reason)
	}
}
