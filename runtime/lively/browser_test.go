package lively_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// strict lets a page load its own script and connect to its own origin, nothing
// else.
const strict = "default-src 'none'; script-src 'self'; connect-src 'self'"

// A web is a program whose pages a real browser shows, over HTTPS.
type web struct {
	t      *testing.T
	store  closingStore
	server *httptest.Server
	mux    *http.ServeMux
	live   *endpoint
	url    string

	policy  string // of the pages
	attrs   string // of their html element
	body    string // what else they have
	later   atomic.Int64
	faults  chan error                // of scripts
	patches map[string][]lively.Patch // by the value of the event "patch"
	told    chan lively.Event         // the events "tell"
	door    *door
	cable   *cuttingListener
	counted int // clicks that the visitor's session has to have counted
	onEvent func(context.Context, lively.Report)
}

func newWeb(t *testing.T, configure ...func(*runtime.Config)) *web {
	t.Helper()
	w := newWebOn(t, memstore.New())
	w.door = newDoor(t)
	w.start(configure...)
	t.Cleanup(w.stop)
	return w
}

// newWebOn returns a program that is not started yet.
func newWebOn(t *testing.T, store closingStore) *web {
	t.Helper()
	t.Cleanup(func() { store.Close() })
	return &web{t: t, store: store, policy: strict, faults: make(chan error, 8), told: make(chan lively.Event, 8),
		onEvent: func(context.Context, lively.Report) {}}
}

// start serves at the door, over and over with the same sessions.
func (w *web) start(configure ...func(*runtime.Config)) {
	w.t.Helper()
	w.cable = w.door.open()
	w.serve(w.cable, configure...)
}

func (w *web) serve(listener net.Listener, configure ...func(*runtime.Config)) {
	w.t.Helper()
	basics := func(c *runtime.Config) {
		c.Cookie.Name = "" // the default for HTTPS
		c.Keys = [][]byte{testKey}
		c.Now = func() time.Time { return time.Now().Add(time.Duration(w.later.Load())) }
		c.OnEvent = func(context.Context, runtime.Event) {}
		c.OnError = func(_ context.Context, err error) { w.t.Logf("reported: %v", err) }
	}
	sessions, err := sessiontest.NewVisitorSessions(w.store, append([]func(*runtime.Config){basics}, configure...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.live = lively.New(sessions, sessiontest.VisitorFrom, func(c *lively.Config) {
		c.OnEvent = w.onEvent
		c.OnError = func(_ context.Context, err error) { w.t.Logf("reported: %v", err) }
	})
	w.handlers()
	mux := http.NewServeMux()
	w.mux = mux
	mux.Handle("GET /lively", w.live)
	mux.Handle("GET /lively/client.js", lively.Client())
	mux.Handle("POST /lively/sync", sessions.SyncHandler())
	mux.Handle("POST /lively/upload/", w.live.Uploads())
	mux.HandleFunc("GET /{$}", w.page)
	w.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: sessions.Middleware(mux)}}
	w.server.TLS = &tls.Config{NextProtos: []string{"http/1.1"}}
	w.server.StartTLS()
	w.url = w.server.URL
}

func (w *web) stop() {
	if w.server == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = w.live.Shutdown(ctx) // the browser is gone, mostly
	w.server.CloseClientConnections()
	w.server.Close()
	w.server = nil
}

func (w *web) page(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Security-Policy", w.policy)
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(rw, `<!doctype html><html %s data-live-load="show" data-live-root="page">
<title>page</title><script type="module" src="/lively/client.js"></script>
<p data-live-key="name">none</p>
<form data-live-submit="name" data-live-key="form"><input name="name" value="Ada"><button name="sure" value="yes">Name</button></form>
<button id="renew" data-live-click="renew">Renew</button><button id="leave" data-live-click="leave">Leave</button>
<button id="script" data-live-click="script">Script</button>%s`, w.attrs, w.body)
}

func (w *web) handlers() {
	show := func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
		return c.Patch(ctx, lively.Text("name", "name: "+v.Name()))
	}
	w.live.Handle("show", show)
	w.live.Handle("name", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		v.SetName(e.Field("name") + " " + e.Field("sure") + " " + e.Component)
		return show(ctx, c, e, v)
	})
	w.live.Handle("renew", func(_ context.Context, _ *lively.Conn, _ lively.Event, v *visitor) error {
		v.Renew()
		return nil
	})
	w.live.Handle("leave", func(_ context.Context, _ *lively.Conn, _ lively.Event, v *visitor) error {
		v.Destroy()
		return nil
	})
	w.live.Handle("script", func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		v, err := c.Run(ctx, "globalThis.answer = 6 * 7", "globalThis.answer")
		if err == nil && fmt.Sprint(v) != "42" {
			err = fmt.Errorf("the script gave %v", v)
		}
		w.faults <- err
		return nil
	})
	w.live.Handle("patch", func(ctx context.Context, c *lively.Conn, e lively.Event, _ *visitor) error {
		return c.Patch(ctx, w.patches[e.Value.(string)]...)
	})
	w.live.Handle("tell", func(_ context.Context, _ *lively.Conn, e lively.Event, _ *visitor) error {
		w.told <- e
		return nil
	})
}

// cookie returns the session's cookie, "" where there is none.
func (w *web) cookie(tab *chromium.Tab) string {
	w.t.Helper()
	cookies := tab.Cookies()
	if len(cookies) == 0 {
		return ""
	}
	if len(cookies) != 1 || cookies[0].Name != "__Host-Http-session_id" || !cookies[0].HTTPOnly || !cookies[0].Secure {
		w.t.Fatalf("the browser has the cookies %+v, want the session's alone, HttpOnly and Secure", cookies)
	}
	if seen := tab.Eval("document.cookie"); seen != "" {
		w.t.Errorf("a script sees the cookie %q", seen)
	}
	return cookies[0].Value
}

// changed waits until the browser has another cookie than that, and returns it.
func (w *web) changed(tab *chromium.Tab, from string) string {
	w.t.Helper()
	for deadline := time.Now().Add(2 * soon); time.Now().Before(deadline); {
		if now := w.cookie(tab); now != from {
			return now
		}
	}
	w.t.Fatalf("the browser kept its cookie, or none: %v", from == "")
	return ""
}

func named(tab *chromium.Tab, name string) {
	tab.Wait(`document.querySelector("[data-live-key=name]").textContent === "name: ` + name + `"`)
}

func TestInABrowserTheCookieFollowsTheSession(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	named(tab, "")
	if w.cookie(tab) != "" {
		t.Fatal("a page that does not touch the session sets a cookie")
	}

	// A new visitor's event.
	tab.Click("form button")
	first := w.changed(tab, "")
	named(tab, "Ada yes form")
	tab.Go(w.url)
	named(tab, "Ada yes form")

	// The way of the origin: script cannot replace an HttpOnly cookie.
	tab.Eval(`document.cookie = "__Host-Http-session_id=planted; path=/; Secure"`)
	if got := w.cookie(tab); got != first {
		t.Error("a script replaced the cookie")
	}

	// A renewal.
	tab.Live()
	tab.Click("#renew")
	second := w.changed(tab, first)
	tab.Go(w.url)
	named(tab, "Ada yes form")

	// An expired session.
	w.later.Store(int64(8 * 24 * time.Hour))
	tab.Go(w.url)
	named(tab, "")
	tab.Click("form button")
	third := w.changed(tab, second)
	if third[:21] == second[:21] {
		t.Error("an expired session came back under its id")
	}
	tab.Go(w.url)
	named(tab, "Ada yes form")

	// The end.
	tab.Live()
	tab.Click("#leave")
	if got := w.changed(tab, third); got != "" {
		t.Error("a destroyed session has a cookie")
	}
	tab.Live()
	named(tab, "")
}

func TestInABrowserTwoTabs(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	browser := chromium.Start(t)
	one := browser.Open(w.url)
	one.Live()
	one.Click("form button")
	cookie := w.changed(one, "")
	two := browser.Open(w.url)
	named(two, "Ada yes form")
	two.Live()
	two.Eval(`document.addEventListener("lively:open", () => { window.again = true })`)
	two.Eval(`window.mark = 1`)
	one.Go(w.url) // the connection of before may still be about to end
	one.Live()
	one.Click("#renew")
	w.changed(one, cookie)
	two.Wait("window.again")
	if two.Eval("window.mark") != "1" {
		t.Error("a renewal in another tab loaded the page again")
	}
	one.Go(w.url)
	one.Live()
	one.Click("#leave")
	two.Wait("window.mark !== 1") // its page was loaded again
	named(two, "")
}

func TestInABrowserAPageReconnectsAfterARestart(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Click("form button")
	w.changed(tab, "")
	tab.Live()
	tab.Eval(`window.mark = 1`)
	w.stop()
	tab.Wait(`document.documentElement.dataset.liveState === "closed"`)
	tab.Eval(`document.querySelector("[data-live-key=name]").innerText = "stale"`)
	w.start()
	named(tab, "Ada yes form")
	if tab.Eval("window.mark") != "1" {
		t.Error("the page was loaded again")
	}
}

func TestInABrowserScriptsRunOnlyWhereThePageAllowsIt(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t)
	browser := chromium.Start(t)
	run := func(policy, attrs string) error {
		w.policy, w.attrs = policy, attrs
		tab := browser.Open(w.url)
		tab.Live()
		tab.Click("#script")
		return next(t, w.faults)
	}
	evil := strings.Replace(strict, "script-src 'self'", "script-src 'self' 'unsafe-eval'", 1)
	var fault *lively.ScriptError
	if err := run(evil, ""); !errors.As(err, &fault) || !strings.Contains(err.Error(), "runs no scripts") {
		t.Errorf("a page that does not allow it: %v", err)
	}
	if err := run(strict, `data-live-script="allow"`); !errors.As(err, &fault) || !strings.Contains(err.Error(), "EvalError") {
		t.Errorf("a page whose policy forbids it: %v", err)
	}
	if err := run(evil, `data-live-script="allow"`); err != nil {
		t.Errorf("a page that allows it: %v", err)
	}
}

func TestInABrowserWithoutHttpOnlyTheCookieGoesByScript(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	w := newWeb(t, func(c *runtime.Config) { c.Cookie.Name, c.Cookie.HTTPOnly = "shop", false })
	w.policy = strings.Replace(strict, "script-src 'self'", "script-src 'self' 'unsafe-eval'", 1)
	w.attrs = `data-live-script="allow"`
	tab := chromium.Start(t).Open(w.url)
	tab.Live()
	tab.Click("form button")
	tab.Wait(`document.cookie.startsWith("shop=")`)
	tab.Go(w.url)
	named(tab, "Ada yes form")
}

func TestInABrowserForeignPagesCannotConnect(t *testing.T) {
	t.Parallel()
	shop, evil := newWeb(t), newWeb(t)
	evil.policy = "" // it allows itself everything
	port := shop.url[strings.LastIndex(shop.url, ":"):]
	evilPort := evil.url[strings.LastIndex(evil.url, ":"):]
	browser := chromium.Start(t)
	connect := func(tab *chromium.Tab, host string) string {
		return tab.Eval(`new Promise((done) => {
			const socket = new WebSocket("wss://` + host + `/lively");
			socket.onopen = () => done("open");
			socket.onerror = () => done("refused");
		})`)
	}
	tab := browser.Open("https://shop.localhost" + port)
	tab.Live()
	tab.Click("form button")
	shop.changed(tab, "")
	if got := connect(tab, "shop.localhost"+port); got != "open" {
		t.Errorf("the shop's own page: %s", got)
	}
	for name, page := range map[string]string{
		"another site":        "https://127.0.0.1" + evilPort,
		"a sibling subdomain": "https://evil.localhost" + evilPort,
		"a subdomain":         "https://evil.shop.localhost" + evilPort,
		"another port":        "https://shop.localhost" + evilPort,
	} {
		if got := connect(browser.Open(page), "shop.localhost"+port); got != "refused" {
			t.Errorf("a page of %s: %s", name, got)
		}
	}
}
