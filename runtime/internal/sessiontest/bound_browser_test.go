package sessiontest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/dbsc"
)

// TestABrowserBindsItsSession is the life of a bound session in a real browser.
func TestABrowserBindsItsSession(t *testing.T) {
	b := serveBound(t)
	tab := b.open(chromium.StartBound(t, b.certificate.Certificate()))
	tab.enter()

	tab.says("/", "user 7, bound true")
	if got := b.binds(); len(got) > 0 {
		t.Errorf("a fresh bound cookie was refreshed: %v", got)
	}
	for what, request := range map[string]string{
		"a fetch":         `fetch("/").then((r) => r.text())`,
		"an event stream": `new Promise((done) => { const s = new EventSource("/stream"); s.onmessage = (e) => { s.close(); done(e.data + ", bound true") } })`,
	} {
		tab.expire()
		if got := tab.Eval(request); got != "user 7, bound true" {
			t.Errorf("%s without a bound cookie says %q", what, got)
		}
		if got := b.binds(); !slices.Equal(got, []int{http.StatusOK}) {
			t.Errorf("%s waits for the answers %v, want one refresh in one step", what, got)
		}
	}

	tab.followsALink("/")
	b.binds()

	// Signing out takes the bound cookie, and the browser forgets its key.
	tab.says("/sign-out", "user 0, bound false")
	tab.says("/", "user 0, bound false")
	tab.says("/", "user 0, bound false")
	if got := b.binds(); !slices.Equal(got, []int{http.StatusOK}) {
		t.Errorf("after signing out the browser was answered %v, want once that there is no session", got)
	}
	if left := tab.Cookies(); len(left) > 0 {
		t.Errorf("the browser keeps %v", left)
	}
	tab.enter()
	if len(b.errs) > 0 {
		t.Errorf("the program reports %v", b.errs)
	}
}

// TestABrowserWithoutES256SignsWithRS256 offers the algorithm of devices that have no
// other.
func TestABrowserWithoutES256SignsWithRS256(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	b := serveBound(t)
	pages := *b.handler.Load()
	b.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pages.ServeHTTP(offering{w}, r) }))
	var algorithms []string
	b.with(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		var header struct{ Alg string }
		proof, _, _ := strings.Cut(strings.Trim(r.Header.Get("Secure-Session-Response"), `"`), ".")
		if text, err := base64.RawURLEncoding.DecodeString(proof); err == nil && json.Unmarshal(text, &header) == nil {
			algorithms = append(algorithms, header.Alg)
		}
		next.ServeHTTP(w, r)
	})
	tab := b.open(chromium.StartBound(t, b.certificate.Certificate()))
	tab.enter()
	tab.expire()
	tab.says("/", "user 7, bound true")
	if got := b.binds(); !slices.Equal(got, []int{http.StatusOK}) {
		t.Errorf("a refresh is answered %v, want one step", got)
	}
	if want := []string{"RS256", "RS256"}; !slices.Equal(algorithms, want) {
		t.Errorf("the browser signs with %v, want %v", algorithms, want)
	}
}

// offering is a response that invites browsers to register an RSA key alone.
type offering struct{ http.ResponseWriter }

func (o offering) WriteHeader(status int) {
	const field = "Secure-Session-Registration"
	if invitation := o.Header().Get(field); invitation != "" {
		o.Header().Set(field, strings.Replace(invitation, "ES256 RS256", "RS256", 1))
	}
	o.ResponseWriter.WriteHeader(status)
}

// TestALinkOpensABoundSessionInAFramework is the same link to a handler between
// ProcessRequest and ProcessResponse.
func TestALinkOpensABoundSessionInAFramework(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	b := serveBound(t)
	tab := b.open(chromium.StartBound(t, b.certificate.Certificate()))
	tab.enter()
	tab.followsALink("/framework")
}

// TestAThiefOfCookiesHasNothing is what a stolen session is worth.
func TestAThiefOfCookiesHasNothing(t *testing.T) {
	b := serveBound(t)
	tab := b.open(chromium.StartBound(t, b.certificate.Certificate()))
	tab.enter()

	one, both := tab.stolen("shop"), tab.stolen("shop", boundCookieName)
	if got := b.thief("/", one); got != "user 0, bound false" {
		t.Errorf("the session cookie alone opens %q", got)
	}
	if got := b.thief("/count", one); got != "Forbidden" {
		t.Errorf("a write with the session cookie alone is answered %q", got)
	}
	if got := b.thief("/", both); got != "user 7, bound true" {
		t.Errorf("both cookies open %q: that is what BoundAge bounds", got)
	}
	b.ahead.Store(int64(10 * time.Minute))
	for _, cookies := range []string{one, both} {
		for path, want := range map[string]string{"/": "user 0, bound false", "/count": "Forbidden", "/sign-out": "user 0, bound false"} {
			if got := b.thief(path, cookies); got != want {
				t.Errorf("%s after BoundAge says %q", path, got)
			}
		}
	}
	tab.expire() // as the browser's clock would have it
	tab.says("/", "user 7, bound true")
	if got := b.thief("/", both); got != "user 0, bound false" {
		t.Errorf("after a refresh the stolen cookies open %q", got)
	}
}

// TestABrowserThatCannotBindHasASessionAsBefore is Chromium as most people have it.
func TestABrowserThatCannotBindHasASessionAsBefore(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	b := serveBound(t)
	tab := b.open(chromium.Start(t))
	tab.Go(b.url + "/enter")
	tab.says("/", "user 7, bound false")
	tab.says("/count", "counted")
	b.ahead.Store(int64(time.Hour))
	tab.says("/renew", "user 7, bound false")
	tab.says("/", "user 7, bound false")
	if got := b.binds(); len(got) > 0 || len(b.errs) > 0 {
		t.Errorf("the browser was answered %v, and the program reports %v", got, b.errs)
	}
	tab.says("/sign-out", "user 0, bound false")
}

// TestAnOutageDuringARefreshEndsNoSession has the store fail while the browser
// proves that it has its key, then the answer is lost, then a challenge is too old.
func TestAnOutageDuringARefreshEndsNoSession(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	b := serveBound(t)
	tab := b.open(chromium.StartBound(t, b.certificate.Certificate()))
	tab.enter()

	b.with(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		b.store.setFail(func(string) error { return errOutage })
		defer b.store.setFail(nil)
		next.ServeHTTP(w, r)
	})
	tab.expire()
	tab.says("/", "user 0, bound false")
	if got := b.binds(); !slices.Contains(got, http.StatusServiceUnavailable) {
		t.Errorf("the browser was answered %v, want 503", got)
	}
	b.with(nil)
	tab.until("/", "user 7, bound true")
	b.binds()

	lost := 0
	b.with(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if lost++; lost > 1 {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(nowhere{http.Header{}}, r)
		panic(http.ErrAbortHandler)
	})
	tab.expire()
	tab.until("/", "user 7, bound true")
	b.with(nil)
	if got := b.binds(); !slices.Contains(got, http.StatusForbidden) {
		t.Errorf("after a lost answer the browser was answered %v, want another challenge", got)
	}
}

// nowhere is a response that nobody gets.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// TestABoundSessionLivesInSeveralTabsAndProcesses has two tabs whose cookie ends at
// once, served by two processes in turns, of which one starts anew.
func TestABoundSessionLivesInSeveralTabsAndProcesses(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	b := serveBound(t)
	browser := chromium.StartBound(t, b.certificate.Certificate())
	tab := b.open(browser)
	tab.enter()
	second := b.pages(newSiteOn(t, b.store, b.bind))
	first := *b.handler.Load()
	turn := 0
	b.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		turn++
		next := first
		if turn%2 == 0 {
			next = second
		}
		b.mu.Unlock()
		next.ServeHTTP(w, r)
	}))
	other := b.open(browser)
	tab.expire()
	const three = `Promise.all(["/", "/", "/"].map((p) => fetch(p).then((r) => r.text()))).then((all) => all.join("; "))`
	answers := make(chan string, 2)
	go func() { answers <- other.Eval(three) }()
	answers <- tab.Eval(three)
	want := strings.Repeat("user 7, bound true; ", 2) + "user 7, bound true"
	for range 2 {
		if got := <-answers; got != want {
			t.Errorf("a tab says %q", got)
		}
	}
	if got := b.binds(); len(got) == 0 || slices.Contains(got, http.StatusBadRequest) {
		t.Errorf("the browser was answered %v", got)
	}
	b.serve(b.pages(newSiteOn(t, b.store, b.bind))) // a restart
	tab.expire()
	tab.says("/", "user 7, bound true")
	other.says("/", "user 7, bound true")
}

// TestABrowserWhoseQuotaIsUsedUpSaysSo has a bound cookie that lives too short.
func TestABrowserWhoseQuotaIsUsedUpSaysSo(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	for _, open := range []bool{false, true} {
		b := serveBound(t, func(c *runtime.Config) {
			c.BoundSkipped = func(r *http.Request) bool {
				for skip := range dbsc.Skipped(r.Header) {
					if skip.Reason == "quota_exceeded" && skip.Session != "" {
						return open
					}
				}
				return false
			}
		})
		tab := b.open(chromium.StartBound(t, b.certificate.Certificate()))
		tab.enter()
		used := func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return slices.ContainsFunc(b.requests, func(r boundRequest) bool { return r.header.Get("Secure-Session-Skipped") != "" })
		}
		for range 20 {
			if tab.expireIfThere(); used() {
				break
			}
			tab.fetch("/")
		}
		want := "user 0, bound false"
		if open {
			want = "user 7, bound true"
		}
		tab.says("/", want)
	}
}

// TestAWebSocketHandshakeWaitsForTheRefresh is what live connections rely on.
func TestAWebSocketHandshakeWaitsForTheRefresh(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	b := serveBound(t)
	tab := b.open(chromium.StartBound(t, b.certificate.Certificate()))
	tab.enter()
	tab.expire()
	tab.Eval(`new Promise((done) => { const s = new WebSocket(location.origin.replace("https", "wss") + "/socket"); s.onerror = s.onopen = done })`)
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.requests, func(r boundRequest) bool { return r.path == "/socket" })
	if i < 0 || !strings.Contains(b.requests[i].header.Get("Cookie"), boundCookieName) {
		t.Error("the handshake brings no bound cookie")
	}
}

// TestALivePageConnectsAgainToProveItsDevice has a page whose connection has outlived
// its bound cookie. The handshake of the next one waits for a refresh, and the event that
// was refused is sent on it.
func TestALivePageConnectsAgainToProveItsDevice(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	b := serveBound(t)
	tab := b.open(chromium.StartBound(t, b.certificate.Certificate()))
	tab.enter()
	tab.Go(b.url + "/live")
	views := func(want string) {
		t.Helper()
		tab.Wait(`document.querySelector("p").innerText === "` + want + `"`)
	}
	tab.Live()
	tab.Click("button")
	views("user 7, 1 views")

	stolen := tab.stolen("shop", boundCookieName)
	b.ahead.Store(int64(10 * time.Minute))
	tab.expire()
	b.binds()
	tab.Eval(`window.mark = 1, document.addEventListener("lively:close", (e) => { window.closedWith = e.detail.code }), ""`)
	tab.Click("button")
	tab.Wait(`window.closedWith === 1012`)
	tab.Live()
	if got := b.binds(); !slices.Equal(got, []int{http.StatusOK}) {
		t.Errorf("the handshake waits for the answers %v, want one refresh in one step", got)
	}
	views("user 7, 2 views") // the event that was refused has been sent again, once
	if tab.Eval("window.mark") != "1" {
		t.Error("the page was loaded again")
	}
	if got := b.thief("/", stolen); got != "user 0, bound false" {
		t.Errorf("the thief of that moment has %q", got)
	}
}
