package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/examples/oauth/provider"
	"github.com/duckgen/duckgen/examples/oauth/web"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A site is the program and the identity provider, each on a server of its own.
type site struct {
	*testing.T
	program  *httptest.Server
	provider *httptest.Server
	late     atomic.Int64 // how far the program's clock has gone
	traded   atomic.Int64 // codes that the program has traded
}

const secret = "known to program and provider"

func newSite(t *testing.T) *site {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	s := &site{T: t, program: httptest.NewUnstartedServer(nil)}
	callback := "https://" + s.program.Listener.Addr().String() + web.CallbackPath
	idp := provider.New(provider.Client{ID: "the example", Secret: secret, Callback: callback})
	s.provider = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			s.traded.Add(1)
		}
		idp.ServeHTTP(w, r)
	}))
	t.Cleanup(s.provider.Close)
	begun := time.Now()
	program, err := web.New(store, &web.Provider{
		AuthorizeURL: s.provider.URL + "/authorize",
		TokenURL:     s.provider.URL + "/token",
		UserURL:      s.provider.URL + "/user",
		ClientID:     "the example",
		ClientSecret: secret,
		Callback:     callback,
		HTTP:         s.provider.Client(),
	}, func(c *runtime.Config) {
		c.Now = func() time.Time { return begun.Add(time.Duration(s.late.Load())) }
	})
	if err != nil {
		t.Fatal(err)
	}
	s.program.Config.Handler = program
	s.program.StartTLS()
	t.Cleanup(s.program.Close)
	return s
}

// A browser keeps cookies and follows redirects.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	client := *s.program.Client() // both servers have its certificate
	client.Jar = jar
	return &browser{s, &client}
}

// A shown is the page that a browser shows in the end.
type shown struct {
	url    *url.URL
	status int
	text   string
}

func (b *browser) get(address string) shown {
	b.Helper()
	return b.open(b.client.Get(b.of(address)))
}

// post sends a form, given as name and value in turn.
func (b *browser) post(address string, form ...string) shown {
	b.Helper()
	return b.open(b.client.PostForm(b.of(address), values(form)))
}

func values(form []string) url.Values {
	v := url.Values{}
	for i := 0; i < len(form); i += 2 {
		v.Set(form[i], form[i+1])
	}
	return v
}

// of returns the URL of a path of the program; any other URL is itself.
func (b *browser) of(address string) string {
	if strings.HasPrefix(address, "/") {
		return b.program.URL + address
	}
	return address
}

func (b *browser) open(res *http.Response, err error) shown {
	b.Helper()
	if err != nil {
		b.Error(err) // not Fatal: browsers are also used by other goroutines
		return shown{url: &url.URL{}}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.Error(err)
	}
	return shown{res.Request.URL, res.StatusCode, string(text)}
}

// begin presses "Sign in" and returns the URL of the provider's question.
func (b *browser) begin(next string) string {
	b.Helper()
	question := b.post("/sign-in", "next", next)
	if question.status != http.StatusOK || !strings.HasPrefix(question.url.String(), b.provider.URL) {
		b.Fatalf("the sign-in leads to %s with status %d", question.url, question.status)
	}
	return question.url.String()
}

// answer says at the provider who somebody is, and returns where the browser is sent
// back to.
func (b *browser) answer(question, name string) (callback string) {
	b.Helper()
	stays := *b.client
	stays.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := stays.PostForm(question, url.Values{"name": {name}})
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	return res.Header.Get("Location")
}

func (b *browser) signIn(name string) shown {
	b.Helper()
	return b.get(b.answer(b.begin("/account"), name))
}

func (b *browser) wantPage(got shown, path string, status int, text string) {
	b.Helper()
	if got.url.Path != path || got.status != status || !strings.Contains(got.text, text) {
		b.Errorf("%s has status %d:\n%s\nwant %s with %d and %q", got.url, got.status, got.text, path, status, text)
	}
}

func (b *browser) wantStranger() {
	b.Helper()
	b.wantPage(b.get("/account"), "/sign-in", http.StatusOK, "Please sign in")
}

func TestASignInLeadsToThePageThatWantedIt(t *testing.T) {
	b := newSite(t).browser()
	b.wantPage(b.get("/account"), "/sign-in", http.StatusOK, `name="next" value="/account"`)
	if at, _ := url.Parse(b.program.URL); len(b.client.Jar.Cookies(at)) > 0 {
		t.Error("a page begins a session")
	}
	b.wantPage(b.signIn("Ada"), "/account", http.StatusOK, "You are ada.")
	b.wantPage(b.get("/"), "/", http.StatusOK, "Sign out, Ada")
	b.wantPage(b.post("/sign-out"), "/", http.StatusOK, "Sign in")
	b.wantStranger()
}

func TestAnAnswerCountsOnce(t *testing.T) {
	b := newSite(t).browser()
	callback := b.answer(b.begin("/account"), "Ada")
	var all sync.WaitGroup
	var passed atomic.Int64
	for range 16 {
		all.Go(func() {
			if b.get(callback).status == http.StatusOK {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 1 || b.traded.Load() != 1 {
		t.Errorf("%d of 16 requests passed, %d codes were traded", passed.Load(), b.traded.Load())
	}
	b.wantPage(b.get(callback), web.CallbackPath, http.StatusForbidden, "over, or was begun in another browser")
	b.wantPage(b.get("/account"), "/account", http.StatusOK, "You are ada.")
}

// Otherwise somebody could sign a visitor in as himself, and see what they do.
func TestTheAnswerOfAnotherBrowserSignsNobodyIn(t *testing.T) {
	s := newSite(t)
	eve, ada := s.browser(), s.browser()
	callback := eve.answer(eve.begin("/"), "Eve")
	ada.wantPage(ada.get(callback), web.CallbackPath, http.StatusForbidden, "begun in another browser")
	ada.wantStranger()
	question := ada.begin("/") // also not while a sign-in of her own is under way
	ada.wantPage(ada.get(callback), web.CallbackPath, http.StatusForbidden, "begun in another browser")
	ada.wantPage(ada.get(ada.answer(question, "Ada")), "/", http.StatusOK, "Sign out, Ada")
}

// Whoever sees a callback, in a log or by another app on a phone, lacks the verifier.
func TestAStolenCodeIsWorthNothing(t *testing.T) {
	s := newSite(t)
	ada, eve := s.browser(), s.browser()
	stolen, err := url.Parse(ada.answer(ada.begin("/"), "Ada"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := url.Parse(eve.answer(eve.begin("/"), "Eve"))
	if err != nil {
		t.Fatal(err)
	}
	mixed := url.Values{"state": own.Query()["state"], "code": stolen.Query()["code"]}
	eve.wantPage(eve.get(web.CallbackPath+"?"+mixed.Encode()), web.CallbackPath, http.StatusBadGateway, "You are not signed in")
	eve.wantStranger()
}

func TestTwoTabsSignInBesideEachOther(t *testing.T) {
	b := newSite(t).browser()
	one, other := b.begin("/account"), b.begin("/")
	b.wantPage(b.get(b.answer(one, "Ada")), "/account", http.StatusOK, "You are ada.")
	b.wantPage(b.get(b.answer(other, "Ada")), "/", http.StatusOK, "Sign out, Ada")
}

func TestASignInHasTenMinutes(t *testing.T) {
	b := newSite(t).browser()
	late, early := b.begin("/account"), b.begin("/account")
	b.late.Store(int64(10*time.Minute - time.Millisecond))
	b.wantPage(b.get(b.answer(early, "Ada")), "/account", http.StatusOK, "You are ada.")
	b.late.Store(int64(10 * time.Minute))
	b.wantPage(b.get(b.answer(late, "Ada")), web.CallbackPath, http.StatusForbidden, "is over")
}

func TestWhoCancelsIsNotSignedIn(t *testing.T) {
	b := newSite(t).browser()
	b.wantPage(b.post(b.begin("/"), "refused", "yes"), web.CallbackPath, http.StatusForbidden, "You have cancelled it.")
	b.wantStranger()
}

func TestASignInLeadsIntoTheProgramOnly(t *testing.T) {
	b := newSite(t).browser()
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, ""} {
		b.wantPage(b.get(b.answer(b.begin(next), "Ada")), "/", http.StatusOK, "Sign out, Ada")
	}
}

func TestTheTokenOfBeforeOpensNothing(t *testing.T) {
	s := newSite(t)
	b, planted := s.browser(), s.browser()
	question := b.begin("/account")
	at, err := url.Parse(s.program.URL)
	if err != nil {
		t.Fatal(err)
	}
	planted.client.Jar.SetCookies(at, b.client.Jar.Cookies(at))
	b.wantPage(b.get(b.answer(question, "Ada")), "/account", http.StatusOK, "You are ada.")
	planted.wantStranger()
}

func TestTheSixthBrowserSignsTheFirstOut(t *testing.T) {
	s := newSite(t)
	var browsers []*browser
	for range 6 {
		b := s.browser()
		b.signIn("Ada")
		browsers = append(browsers, b)
		s.late.Add(int64(time.Second))
	}
	browsers[0].wantStranger()
	for _, b := range browsers[1:] {
		b.wantPage(b.get("/account"), "/account", http.StatusOK, "You are ada.")
	}
}
