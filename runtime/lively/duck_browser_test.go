package lively_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// duckClient is the environment variable that names a folder with lively.js and
// msgpack.min.js, the client of the Duck framework 2.3.
const duckClient = "DUCKGEN_DUCK_CLIENT"

// A pond is a program whose pages have Duck's client.
type pond struct {
	t      *testing.T
	live   *endpoint
	server *httptest.Server
	act    map[string]func(context.Context, *lively.Conn, lively.Event, *visitor) error // by the component of a click
	news   chan lively.Event
	files  chan string
}

// newPond begins by a page with a button for each act.
func newPond(t *testing.T) *pond {
	t.Helper()
	folder := os.Getenv(duckClient)
	if folder == "" {
		t.Skipf("%s names no folder with the client of the Duck framework", duckClient)
	}
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	sessions, err := sessiontest.NewVisitorSessions(store, func(c *runtime.Config) {
		c.Keys = [][]byte{testKey}
		c.OnEvent = func(context.Context, runtime.Event) {}
		c.OnError = func(_ context.Context, err error) { t.Logf("reported: %v", err) }
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &pond{t: t, news: make(chan lively.Event, 64), files: make(chan string, 1)}
	p.live = lively.New(sessions, sessiontest.VisitorFrom, func(c *lively.Config) {
		c.Duck, c.UploadPath = true, "/lively/ws-file/"
		c.OnError = func(_ context.Context, err error) { t.Logf("reported: %v", err) }
	})
	mux := http.NewServeMux()
	mux.Handle("GET /ws/lively/", p.live)
	mux.Handle("POST /lively/ws-file/", p.live.Uploads())
	mux.Handle("GET /lively/sync", lively.DuckSync(sessions.SyncHandler()))
	mux.Handle("GET /duck/", http.StripPrefix("/duck/", http.FileServer(http.Dir(folder))))
	mux.HandleFunc("GET /begin", p.begin)
	mux.HandleFunc("GET /{page}", p.page)
	p.server = httptest.NewTLSServer(sessions.Middleware(mux))
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	p.live.Handle("click", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		return p.act[e.Component](ctx, c, e, v)
	})
	return p
}

// begin begins a session.
func (p *pond) begin(_ http.ResponseWriter, r *http.Request) {
	sessiontest.VisitorFrom(r.Context()).SetName("Ada")
}

// page has what Duck's client needs of one.
func (p *pond) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><title>duck</title><body data-uid="page" data-document-events="DOMContentLoaded">
<p data-uid="name">name: %s</p><ul data-uid="list"><li data-uid="x" class="a">x</li></ul>`, sessiontest.VisitorFrom(r.Context()).Name())
	for name := range p.act {
		fmt.Fprintf(w, `<button id="%s" data-uid="%[1]s" data-events="click">%[1]s</button>`, name)
	}
	_, _ = io.WriteString(w, `<form id="form"><input type="file" id="file" name="file"></form>
<div id="page-snackbar"><span class="snackbar-label"></span></div>
<div id="page-progress-bar"><div class="progress-bar-inner" style="transition: transform 10ms"></div></div>
<script>
	window.shown = [];
	function showSnackbar(bar, kind) { shown.push(kind + ": " + bar.textContent.trim()) }
	function updateProgressBar(bar, percent) { bar.firstElementChild.style.transform = "scaleX(" + percent / 100 + ")" }
	function hideProgressBar(bar) { bar.firstElementChild.style.transform = "" }
	window.PAGE_UID = "page"; window.LIVELY_DEBUG = false; window.LIVELY_WS_URL = "wss://" + location.host + "/ws/lively/";
</script><script src="/duck/msgpack.min.js"></script><script src="/duck/lively.js"></script>`)
}

func (p *pond) open(browser *chromium.Browser) *chromium.Tab {
	p.t.Helper()
	tab := browser.Open(p.server.URL + "/home")
	p.connected(tab)
	tab.Eval("window.mark = 1")
	return tab
}

func (p *pond) connected(tab *chromium.Tab) {
	p.t.Helper()
	tab.Wait("window.LIVELY_APPLICATION?.websocketClient?.socket?.readyState === 1")
}

// quiet demands that the page was not loaded again and has shown no message.
func (p *pond) quiet(tab *chromium.Tab, after string) {
	p.t.Helper()
	if got := tab.Eval(`[window.mark, ...(window.shown || [])].join()`); got != "1" {
		p.t.Errorf("after %s the page's mark and messages are %q, want 1", after, got)
	}
}

func patching(patches ...lively.Patch) func(context.Context, *lively.Conn, lively.Event, *visitor) error {
	return func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		return c.Patch(ctx, patches...)
	}
}

func TestInDuckEachPatchChangesThePage(t *testing.T) {
	t.Parallel()
	evil := `<img src=x onerror="document.title = 'spoilt'">&amp;`
	node := lively.Node{Tag: "li", Key: "n", Text: "<b>", Attributes: map[string]string{"class": "n"}, Children: []lively.Node{
		{Tag: "script", Text: "document.title = 'spoilt'"}, {Tag: "i", Key: "child", Text: evil}}}
	steps := []struct {
		name  string
		patch lively.Patch
		is    string // true once it is applied
	}{
		{"text", lively.Text("x", evil), `x.textContent === ` + "`" + evil + "`"},
		{"plain", lively.Text("x", "it's 1 < 2"), `x.textContent === "it's 1 < 2"`},
		{"html", lively.HTML("x", `<b>b</b><script>document.title = "spoilt"</script><img src=x onerror="document.title = 'spoilt'">`), `x.querySelector("b").textContent === "b"`},
		{"attributes", lively.Attributes("x", map[string]string{"title": "t"}), `x.title === "t" && !x.className && x.dataset.uid === "x"`},
		{"again", lively.Text("x", "still here"), `x.textContent === "still here"`},
		{"style", lively.Style("x", map[string]string{"font-size": "9px"}), `x.style.fontSize === "9px"`},
		{"insert", lively.Insert("list", 0, node), `list.firstChild.className === "n" && list.firstChild.firstChild.data === "<b>"`},
		{"child", lively.Text("child", "patched"), `list.querySelector("i").textContent === "patched"`},
		{"replace", lively.Replace("x", lively.Node{Tag: "li", Key: "x", Text: "new"}), `list.lastChild.textContent === "new"`},
		{"new", lively.Attributes("x", map[string]string{"title": "new"}), `x.title === "new"`},
		{"markup", lively.ReplaceHTML("x", `<li class="m">a <b>b</b></li>`), `x.className === "m" && x.innerHTML === "a <b>b</b>"`},
		{"more", lively.Text("x", "of markup"), `x.textContent === "of markup"`},
		{"remove", lively.Remove("x"), `!x`},
	}
	p := newPond(t)
	p.act = map[string]func(context.Context, *lively.Conn, lively.Event, *visitor) error{}
	for _, x := range steps {
		p.act[x.name] = patching(x.patch)
	}
	tab := p.open(chromium.Start(t))
	for _, x := range steps {
		tab.Click("#" + x.name)
		tab.Wait(`((list, x) => ` + x.is + `)(document.querySelector("[data-uid=list]"), document.querySelector("[data-uid=x]"))`)
	}
	if got := tab.Eval("document.title"); got != "duck" {
		t.Errorf("the title is %q: something in a patch has run", got)
	}
	p.quiet(tab, "all patches") // nor for the document's event, which has no handler
}

func TestInDuckNavigationKeepsThePagesUid(t *testing.T) {
	t.Parallel()
	p := newPond(t)
	p.act = map[string]func(context.Context, *lively.Conn, lively.Event, *visitor) error{
		"say": func(ctx context.Context, c *lively.Conn, e lively.Event, _ *visitor) error {
			return c.Patch(ctx, lively.Text("name", "said on "+e.Root))
		},
	}
	p.live.HandleNavigation(func(ctx context.Context, c *lively.Conn, n lively.Navigation, _ *visitor) error {
		return c.Navigate(ctx, lively.Page{Path: n.Path, Patches: []lively.Patch{lively.Text("x", n.Path)}})
	})
	tab := p.open(chromium.Start(t))
	for _, path := range []string{"/cart", "/paid"} {
		tab.Eval(`duckNavigate("` + path + `")`)
		tab.Wait(`document.querySelector("[data-uid=x]").textContent === "` + path + `"`)
		tab.Click("#say")
		tab.Wait(`document.querySelector("[data-uid=name]").textContent === "said on page"`)
	}
	p.quiet(tab, "navigation")
}

// cookie waits until the browser has another cookie than that, HttpOnly, or none.
func (p *pond) cookie(tab *chromium.Tab, other string) string {
	p.t.Helper()
	for deadline := time.Now().Add(soon); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		value := ""
		for _, c := range tab.Cookies() {
			if !c.HTTPOnly {
				p.t.Fatalf("the cookie %s can be read by scripts", c.Name)
			}
			value = c.Value
		}
		if value != other {
			return value
		}
	}
	p.t.Fatal("the browser kept its cookie, or none")
	return ""
}

// visits has the buttons by which a visitor's session changes.
func (p *pond) visits() {
	show := func(ctx context.Context, c *lively.Conn, text string) error {
		return c.Patch(ctx, lively.Text("name", "name: "+text))
	}
	p.act = map[string]func(context.Context, *lively.Conn, lively.Event, *visitor) error{
		"greet": func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
			v.SetName(v.Name() + "+")
			return show(ctx, c, v.Name())
		},
		"enter": func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
			v.SetUserID(7)
			return show(ctx, c, "7")
		},
		"renew": func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
			v.Renew()
			return show(ctx, c, "renewed")
		},
		"leave": func(_ context.Context, _ *lively.Conn, _ lively.Event, v *visitor) error {
			v.Destroy()
			return nil
		},
	}
}

func (p *pond) named(tab *chromium.Tab, name string) {
	p.t.Helper()
	tab.Wait(`document.querySelector("[data-uid=name]")?.textContent === "name: ` + name + `"`)
}

func TestInDuckANewVisitorGetsACookie(t *testing.T) {
	t.Parallel()
	p := newPond(t)
	p.visits()
	tab := p.open(chromium.Start(t))
	tab.Click("#greet")
	p.named(tab, "+")
	cookie := p.cookie(tab, "")
	tab.Click("#greet") // on the same connection, with the session that it has begun
	p.named(tab, "++")
	tab.Click("#enter")
	p.named(tab, "7")
	p.cookie(tab, cookie)
	p.quiet(tab, "a first cookie and a sign-in")
}

func TestInDuckTheCookieFollowsTheSession(t *testing.T) {
	t.Parallel()
	p := newPond(t)
	p.visits()
	browser := chromium.Start(t)
	browser.Open(p.server.URL + "/begin")
	tab := p.open(browser)
	cookie := p.cookie(tab, "")
	name := "Ada"
	for _, x := range []struct{ button, shows string }{{"enter", "7"}, {"renew", "renewed"}} {
		other := p.open(browser)
		other.Eval("window.before = LIVELY_APPLICATION.websocketClient.socket")
		tab.Click("#" + x.button)
		p.named(tab, x.shows)
		cookie = p.cookie(tab, cookie)
		other.Wait("LIVELY_APPLICATION.websocketClient.socket !== before")
		p.connected(other)
		name += "+"
		other.Click("#greet")
		p.named(other, name)
		p.quiet(tab, x.button)
		p.quiet(other, x.button+" in another tab")
	}
	other := p.open(browser)
	tab.Click("#leave")
	for _, tab := range []*chromium.Tab{tab, other} {
		tab.Wait("window.mark !== 1") // it was loaded again
		p.named(tab, "")
	}
	if p.cookie(tab, cookie) != "" {
		t.Error("the browser has a cookie of a session that has ended")
	}
}

func TestInDuckAFileIsAskedFor(t *testing.T) {
	t.Parallel()
	p := newPond(t)
	p.act = map[string]func(context.Context, *lively.Conn, lively.Event, *visitor) error{
		"send": func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
			return c.RequestFile(ctx, lively.FileRequest{Upload: "photo", Form: "form", Input: "file", Types: []string{"image/png"}, Progress: true})
		},
	}
	p.live.HandleUpload("photo", lively.UploadLimits{Types: []string{"image/png"}}, func(_ context.Context, u *lively.Upload, v *visitor) error {
		content, err := io.ReadAll(u)
		v.SetName(u.Name)
		p.files <- fmt.Sprintf("%s %s %d", u.Name, u.Type, len(content))
		return err
	})
	for _, name := range []string{lively.FileStarted, lively.FileProgress, lively.FileError} {
		p.live.Handle(name, func(_ context.Context, _ *lively.Conn, e lively.Event, _ *visitor) error {
			p.news <- e
			return nil
		})
	}
	hear := func(name, value string) {
		t.Helper()
		if e := next(t, p.news); e.Name != name || e.Component != "photo" || !strings.Contains(fmt.Sprint(e.Value), value) {
			t.Errorf("the page tells %+v, want %s %s", e, name, value)
		}
	}
	write := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tab := p.open(chromium.Start(t))
	tab.Click("#send")
	hear(lively.FileError, "No file selected")
	tab.Choose("#file", write("a.txt", "text"))
	tab.Click("#send")
	hear(lively.FileError, "not allowed")
	tab.Choose("#file", write("a.png", "text"))
	tab.Click("#send")
	hear(lively.FileStarted, "")
	hear(lively.FileProgress, "100")
	hear(lively.FileError, "415")
	tab.Choose("#file", write("b.png", png))
	tab.Click("#send")
	hear(lively.FileStarted, "")
	hear(lively.FileProgress, "100")
	if got := next(t, p.files); got != "b.png image/png 8" {
		t.Errorf("the program has got %q", got)
	}
	p.quiet(tab, "uploads")
}
