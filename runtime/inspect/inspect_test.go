package inspect_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/inspect"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// quiet drops what the server says of panics.
var quiet = log.New(io.Discard, "", 0)

func TestWhatRequestsDoIsNoted(t *testing.T) {
	s := newSite(t)
	s.handle("/untouched", func(*sessiontest.VisitorSession) {})
	s.handle("/write", func(v *sessiontest.VisitorSession) { v.AddCartItem("duck", 1); v.SetTheme("dark") })
	s.handle("/read", func(v *sessiontest.VisitorSession) { v.Theme(); v.CartItem("duck"); v.Theme() })
	s.handle("/same", func(v *sessiontest.VisitorSession) { v.Theme(); v.SetTheme("dark") })
	s.handle("/take", func(v *sessiontest.VisitorSession) { v.TakeNotice() })
	s.handle("/sign-in", func(v *sessiontest.VisitorSession) { v.SetUserID(7) })
	s.handle("/destroy", func(v *sessiontest.VisitorSession) { v.Destroy() })
	s.handle("/panic", func(v *sessiontest.VisitorSession) { v.Views(); panic(http.ErrAbortHandler) })
	s.mux.HandleFunc("/teapot", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	b := s.browser()
	page := b.listen()
	for _, c := range []struct{ path, want string }{
		{"/untouched", "GET /untouched 200 reads [] writes [] calls [] notices []"},
		{"/write", "GET /write 200 reads [] writes [cart theme] calls [create ok;] notices [created ;]"},
		{"/read?ticket=shh", "GET /read 200 reads [theme cart] writes [] calls [load ok;] notices []"},
		{"/same", "GET /same 200 reads [theme] writes [] calls [load ok;] notices []"},
		{"/take", "GET /take 200 reads [notice] writes [] calls [load ok;] notices []"},
		{"/teapot", "GET /teapot 418 reads [] writes [] calls [] notices []"},
		{"/sign-in", "GET /sign-in 200 reads [] writes [user_id] calls [update ok;] notices [signed_in ;]"},
		{"/panic", "GET /panic 0 reads [views] writes [] calls [load ok;] notices [error the handler has panicked;]"},
		{"/destroy", "GET /destroy 200 reads [] writes [] calls [load ok;delete ok;] notices [destroyed ;]"},
	} {
		b.get(c.path)
		e := page.want(c.want)
		if e.Took <= 0 || e.Session != "sessiontest.Visitor" {
			t.Errorf("%s took %v ms with a session of %s", c.path, e.Took, e.Session)
		}
	}
	for _, e := range page.entries() {
		for _, c := range e.Calls {
			if c.Op == "create" && c.Bytes != 27 { // of "cart:duck" with a counter, and "theme" with its value
				t.Errorf("creating is noted with %d bytes", c.Bytes)
			}
		}
		if strings.HasPrefix(e.Name, mount) {
			t.Errorf("the inspector shows itself: %v", e)
		}
	}
}

func TestAFailureIsNoted(t *testing.T) {
	s := newSite(t)
	s.handle("/write", func(v *sessiontest.VisitorSession) { v.SetTheme("dark") })
	s.handle("/both", func(v *sessiontest.VisitorSession) { v.SetTheme(v.Name()) })
	b := s.browser()
	page := b.listen()
	b.get("/write")
	s.down.Store(true)
	b.get("/both")
	e := page.want("GET /both 503 reads [name] writes [] calls [load error;] notices [error load " +
		handleOf(t, b.token()) + ": the store is down;]")
	if !e.Notices[0].Error {
		t.Error("the failure is no error")
	}
	if _, body := b.get(mount + "session"); !strings.Contains(body, "the store is down") {
		t.Errorf("the page is told %s, want the failure", body)
	}
}

// handleOf returns how errors name the session that a token opens.
func handleOf(t *testing.T, token string) string {
	t.Helper()
	return "sessiontest.Visitor(" + idOf(t, token) + ")"
}

func TestAFrameworkWithoutHandlersIsNoted(t *testing.T) {
	s := newSite(t)
	page := s.browser().listen()
	r := s.ProcessRequest(httptest.NewRequest("GET", "/framework", nil))
	sessiontest.VisitorFrom(r.Context()).SetTheme("dark")
	if err := s.ProcessResponse(httptest.NewRecorder(), r); err != nil {
		t.Fatal(err)
	}
	page.want("GET /framework 0 reads [] writes [theme] calls [create ok;] notices [created ;]")
}

func TestWhatIsReportedOutsideRequestsIsNoted(t *testing.T) {
	s := newSite(t)
	s.handle("/sign-in", func(v *sessiontest.VisitorSession) { v.SetUserID(7) })
	b := s.browser()
	page := b.listen()
	b.get("/sign-in")
	if n, err := s.RevokeByUserID(t.Context(), 7); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	page.want("  0 reads [] writes [] calls [] notices [revoked user_id;]")
}

// conn is a live connection.
type conn struct{}

func (conn) ExecuteJS(context.Context, string) error        { return nil }
func (conn) SyncBrowserState(context.Context, string) error { return nil }

func TestWhatLiveEventsDoIsNoted(t *testing.T) {
	s := newSite(t)
	errNo := errors.New("no such duck")
	s.mux.HandleFunc("/live", func(_ http.ResponseWriter, r *http.Request) {
		v := sessiontest.VisitorFrom(r.Context())
		_ = s.LivelyEvent(r.Context(), conn{}, v, func(ctx context.Context) error {
			inspect.Name(ctx, "cart.add")
			v.AddCartItem(v.Theme(), 1)
			return nil
		})
		_ = s.LivelyEvent(r.Context(), conn{}, v, func(context.Context) error { v.SetTheme("dark"); return errNo })
	})
	b := s.browser()
	page := b.listen()
	b.get("/live")
	page.want("EVENT cart.add 0 reads [theme] writes [cart] calls [create ok;] notices [created ;]")
	page.want("EVENT  0 reads [] writes [] calls [] notices [error no such duck;]")
}

func TestARequestThatGoesOnIsShown(t *testing.T) {
	s := newSite(t)
	goOn := make(chan struct{})
	s.mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { <-goOn })
	b := s.browser()
	page := b.listen()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.get("/slow")
	}()
	for page.next() && len(page.known) == 0 {
	}
	if list := page.entries(); len(list) != 1 || list[0].Ended || list[0].Name != "/slow" {
		t.Errorf("the page knows of %v, want of a request that goes on", list)
	}
	close(goOn)
	<-done
	page.want("GET /slow 200 reads [] writes [] calls [] notices []")
}

func TestTheSessionOfThisBrowserIsShownAndNoSecret(t *testing.T) {
	s := newSite(t)
	const key = "a key that nobody may see"
	s.handle("/write", func(v *sessiontest.VisitorSession) {
		v.SetUserID(7)
		v.SetAPIKey(key)
		v.SetName(`<img src=x onerror="hacked = true">`)
		v.SetAddress(sessiontest.Address{Street: "Pond 1"})
	})
	one, other := s.browser(), s.browser()
	page := one.listen()
	one.get("/write")
	other.get("/write")
	if _, body := other.get(mount + "session"); strings.Contains(body, idOf(t, one.token())) {
		t.Error("a browser sees the session of another one")
	}
	_, body := one.get(mount + "session")
	var list []struct {
		Type, Handle string
		SignedIn     time.Time
		Fields       []struct {
			Key, Value    string
			Secret, Renew bool
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	if got := list[0]; got.Type != "sessiontest.Visitor" || got.Handle != idOf(t, one.token()) || got.SignedIn.IsZero() {
		t.Errorf("the session is %s", body)
	}
	want := map[string]string{
		"user_id": "7", "theme": `"light"`, "api_key": "", "name": `"<img src=x onerror=\"hacked = true\">"`,
		"address": `{"Street":"Pond 1","Lines":null}`, "cart": "null", "views": "0",
	}
	for _, f := range list[0].Fields {
		if value, ok := want[f.Key]; ok && f.Value != value {
			t.Errorf("%s is %s, want %s", f.Key, f.Value, value)
		}
		delete(want, f.Key)
		if f.Secret != (f.Key == "api_key") || f.Renew != (f.Key == "user_id") {
			t.Errorf("%s is secret %t, renew %t", f.Key, f.Secret, f.Renew)
		}
	}
	if len(want) > 0 {
		t.Errorf("fields are missing: %v", want)
	}
	page.want("GET /write 200 reads [] writes [address api_key name user_id] calls [create ok;] notices [created ;signed_in ;]")
	for what, text := range map[string]string{"token": one.token(), "secret half of the token": one.token()[22:], "secret field": key} {
		if strings.Contains(body+page.raw.String(), text) {
			t.Errorf("the page is sent the %s", what)
		}
	}
}

func TestLookingIsNoUse(t *testing.T) {
	s := newSite(t)
	s.handle("/write", func(v *sessiontest.VisitorSession) { v.SetTheme("dark") })
	b := s.browser()
	for _, path := range []string{"", "session", "page.js", "page.css", "icon.svg"} {
		if status, _ := b.get(mount + path); status != http.StatusOK {
			t.Errorf("%s is answered %d", path, status)
		}
	}
	if _, body := b.get(mount + "session"); !strings.Contains(body, `"handle":""`) {
		t.Errorf("looking has begun a session: %s", body)
	}
	if status, _ := b.get(mount + "nothing"); status != http.StatusNotFound {
		t.Errorf("what is not there is answered %d", status)
	}
	if res, err := b.client.Post(s.server.URL+mount, "", nil); err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a post is answered %v, %v", res, err)
	}
}

func TestItAnswersThisMachineAlone(t *testing.T) {
	in := inspect.New()
	for _, c := range []struct {
		name, remote, host, field, value string
		want                             int
	}{
		{"this machine", "127.0.0.1:4711", "127.0.0.1:8080", "", "", 200},
		{"by name", "127.0.0.1:4711", "localhost:8080", "", "", 200},
		{"by another name", "[::1]:4711", "shop.localhost", "", "", 200},
		{"over IPv6", "[::1]:4711", "[::1]:8080", "", "", 200},
		{"a mapped address", "[::ffff:127.0.0.1]:4711", "[::1]", "", "", 200},
		{"another machine", "192.0.2.1:4711", "localhost:8080", "", "", 403},
		{"a neighbour", "10.0.0.2:4711", "10.0.0.1:8080", "", "", 403},
		{"no address", "@", "localhost", "", "", 403},
		{"a name that resolves to this machine", "127.0.0.1:4711", "rebound.example:8080", "", "", 403},
		{"a name that begins well", "127.0.0.1:4711", "localhost.example", "", "", 403},
		{"a name that ends well", "127.0.0.1:4711", "notlocalhost", "", "", 403},
		{"an address that begins well", "127.0.0.1:4711", "127.0.0.1.example", "", "", 403},
		{"no host", "127.0.0.1:4711", "", "", "", 403},
		{"a proxy", "127.0.0.1:4711", "localhost", "X-Forwarded-For", "192.0.2.1", 403},
		{"a proxy by the standard", "127.0.0.1:4711", "localhost", "Forwarded", "for=192.0.2.1", 403},
	} {
		for _, path := range []string{"", "session", "page.js"} {
			r := httptest.NewRequest("GET", mount+path, nil)
			r.RemoteAddr, r.Host = c.remote, c.host
			if c.field != "" {
				r.Header.Set(c.field, c.value)
			}
			w := httptest.NewRecorder()
			in.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s, %q: status %d, want %d", c.name, path, w.Code, c.want)
			}
			if c.want == http.StatusForbidden && !strings.Contains(w.Body.String(), "inspect.Config.Allow can let others in") {
				t.Errorf("%s: the refusal is %q", c.name, w.Body)
			}
		}
	}
}

func TestTheProgramCanLetOthersIn(t *testing.T) {
	in := inspect.New(func(c *inspect.Config) {
		c.Allow = func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer developer" }
	})
	for authorization, want := range map[string]int{"": 403, "Bearer developer": 200} {
		r := httptest.NewRequest("GET", "https://shop.example"+mount, nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		in.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("with %q the status is %d, want %d", authorization, w.Code, want)
		}
	}
}

func TestPagesOfOtherSitesLearnNothing(t *testing.T) {
	in := inspect.New()
	for _, path := range []string{"session", "events"} {
		r := httptest.NewRequest("GET", mount+path, nil)
		r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		in.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%s is answered %d, %v", path, w.Code, w.Header())
		}
	}
}

func TestThePageSetsItsOwnPolicy(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Security-Policy", "default-src 'none'") // of the program
	r := httptest.NewRequest("GET", mount, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
	inspect.New().ServeHTTP(w, r)
	policies := w.Header().Values("Content-Security-Policy")
	if len(policies) != 1 || !strings.Contains(policies[0], "script-src 'self'") || strings.Contains(policies[0], "unsafe") {
		t.Errorf("the policy is %q", policies)
	}
	if body := w.Body.String(); strings.Contains(body, "://") || strings.Contains(body, "onclick") || strings.Contains(body, "style=") {
		t.Error("the page has what its policy forbids")
	}
}

func TestWithoutMiddlewareThereIsNoSession(t *testing.T) {
	r := httptest.NewRequest("GET", mount+"session", nil)
	r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
	w := httptest.NewRecorder()
	inspect.New().ServeHTTP(w, r)
	if w.Body.String() != "[]\n" {
		t.Errorf("the page is told %q", w.Body)
	}
	inspect.Name(t.Context(), "nobody listens")
}

func TestSessionsOfTwoTypesAreShown(t *testing.T) {
	store := memstore.New()
	defer store.Close()
	in := inspect.New()
	type manager interface {
		Middleware(http.Handler) http.Handler
	}
	var handler http.Handler = in
	for _, name := range []string{"one", "two"} {
		var sessions manager
		sessions, err := sessiontest.NewVisitorSessions(in.Store(store), in.Configure, func(c *runtime.Config) {
			c.Cookie.Name, c.Namespace, c.Keys = name, name, [][]byte{newKey()}
		})
		if err != nil {
			t.Fatal(err)
		}
		handler = sessions.Middleware(handler)
	}
	r := httptest.NewRequest("GET", mount+"session", nil)
	r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if n := strings.Count(w.Body.String(), `"type":"sessiontest.Visitor"`); n != 2 {
		t.Errorf("%d sessions are shown, want 2: %s", n, w.Body)
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	s := newSite(t, func(c *inspect.Config) { c.Keep = 3 })
	s.mux.HandleFunc("/load/", func(_ http.ResponseWriter, r *http.Request) {
		for range 60 {
			_ = sessiontest.VisitorFrom(r.Context()).Reload(r.Context())
		}
	})
	s.handle("/write", func(v *sessiontest.VisitorSession) { v.SetTheme("dark") })
	b := s.browser()
	for range 5 {
		b.get("/write")
	}
	b.get("/load/" + strings.Repeat("x", 5000))
	page := b.listen()
	page.next()
	list := page.entries()
	if len(list) != 3 || list[2].ID < 6 {
		t.Fatalf("%d are kept, want the last 3: %v", len(list), list)
	}
	if e := list[2]; len(e.Name) > 400 || len(e.Calls) != 50 || e.Left != 10 {
		t.Errorf("of a long request %d bytes of its name are kept, %d calls, and %d are left out", len(e.Name), len(e.Calls), e.Left)
	}
}

func TestAPageLooksAsLongAsTheServerServes(t *testing.T) {
	s := newSite(t)
	server := &http.Server{Handler: s.Middleware(s.mux), ReadTimeout: 300 * time.Millisecond, WriteTimeout: 300 * time.Millisecond}
	plain := httptest.NewUnstartedServer(nil)
	plain.Config = server
	plain.Start()
	defer plain.Close()
	s.server = plain
	b := s.browser()
	page := b.listen()
	for range 8 { // longer than requests may take
		time.Sleep(100 * time.Millisecond)
		b.get("/nowhere")
		if !page.next() {
			t.Fatal("the server has ended the stream of a page")
		}
	}
	began := time.Now()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for page.next() {
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("shutting down took %v", took)
	}
}

func idOf(t *testing.T, token string) string {
	t.Helper()
	return hex.EncodeToString(decode(t, token)[:16])
}
