package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/duckgen/duckgen/examples/shop/web"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A site is the whole shop behind a real server, as several browsers see it.
type site struct {
	*testing.T
	server *httptest.Server
	store  *testStore
}

func newSite(t *testing.T) *site {
	t.Helper()
	memory := memstore.New()
	t.Cleanup(func() { memory.Close() })
	store := &testStore{Store: memory, pair: make(chan struct{})}
	shop, err := web.New(store, nil, func(c *runtime.Config) {
		c.Cookie.Secure = false // the test server speaks plain HTTP
		c.OnError = func(context.Context, error) {}
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(shop)
	t.Cleanup(server.Close)
	return &site{t, server, store}
}

// testStore fails, or lets updates through only two at a time, where a test says
// so.
type testStore struct {
	runtime.Store
	down    atomic.Bool
	inPairs atomic.Bool
	pair    chan struct{} // one update sends, the other receives
}

var errDown = errors.New("the store is down")

// Unwrap keeps the index of the store.
func (s *testStore) Unwrap() runtime.Store { return s.Store }

func (s *testStore) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if s.down.Load() {
		return nil, errDown
	}
	return s.Store.Load(ctx, key)
}

func (s *testStore) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if s.down.Load() {
		return nil, errDown
	}
	if s.inPairs.Load() {
		select {
		case s.pair <- struct{}{}:
		case <-s.pair:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.Store.Update(ctx, key, d)
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
	return &browser{s, &http.Client{Jar: jar}}
}

// get returns the page.
func (b *browser) get(path string) string {
	b.Helper()
	res, err := b.client.Get(b.server.URL + path)
	return b.page(path, http.StatusOK, res, err)
}

// post sends a form, given as name and value in turn, and returns the page that
// it leads to.
func (b *browser) post(path string, form ...string) string {
	b.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	res, err := b.client.PostForm(b.server.URL+path, values)
	return b.page(path, http.StatusOK, res, err)
}

func (b *browser) page(path string, status int, res *http.Response, err error) string {
	b.Helper()
	if err != nil {
		b.Error(err) // not Fatal: browsers are also used by other goroutines
		return ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		b.Errorf("%s: status %d, want %d, %v\n%s", path, res.StatusCode, status, err, body)
	}
	return string(body)
}

// token returns the session cookie's value.
func (b *browser) token() string {
	b.Helper()
	at, err := url.Parse(b.server.URL)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == "session_id" {
			return c.Value
		}
	}
	return ""
}

// withToken is another browser that has got hold of a token.
func (s *site) withToken(token string) *browser {
	b := s.browser()
	at, err := url.Parse(s.server.URL)
	if err != nil {
		s.Fatal(err)
	}
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "session_id", Value: token}})
	return b
}

func (s *site) wantText(page, text string) {
	s.Helper()
	if !strings.Contains(page, text) {
		s.Errorf("the page does not say %q:\n%s", text, page)
	}
}

func (s *site) wantNoText(page, text string) {
	s.Helper()
	if strings.Contains(page, text) {
		s.Errorf("the page says %q:\n%s", text, page)
	}
}

var (
	handle = regexp.MustCompile(`<dt>Handle</dt><dd><code>([0-9a-f]{32})</code>`)
	pieces = regexp.MustCompile(`<td class="number">(\d+)</td>`)
)

func (s *site) find(page string, what *regexp.Regexp) string {
	s.Helper()
	m := what.FindStringSubmatch(page)
	if m == nil {
		s.Fatalf("the page has no %v:\n%s", what, page)
	}
	return m[1]
}

func TestTwoBrowsersHaveSessionsOfTheirOwn(t *testing.T) {
	s := newSite(t)
	ada, grace := s.browser(), s.browser()
	ada.post("/cart/add", "sku", "captain")
	grace.post("/theme", "theme", "dark")
	s.wantText(ada.get("/cart"), "The Captain")
	s.wantText(ada.get("/cart"), `class="light"`)
	s.wantText(grace.get("/cart"), "There is nothing in it")
	s.wantText(grace.get("/cart"), `class="dark"`)
}

func TestSigningInRenewsTheTokenAndKeepsTheSession(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.post("/cart/add", "sku", "captain")
	before, was := b.token(), s.find(b.get("/session"), handle)
	s.wantText(b.post("/sign-in", "name", "Ada"), "Welcome, Ada.")
	if b.token() == before {
		t.Error("the token is the same after the sign-in")
	}
	if is := s.find(b.get("/session"), handle); is != was {
		t.Errorf("the session is another one: %s was %s", is, was)
	}
	s.wantText(b.get("/cart"), "The Captain")
}

func TestATokenFromBeforeTheSignInOpensNothing(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.post("/cart/add", "sku", "captain")
	thief := s.withToken(b.token())
	b.post("/sign-in", "name", "Ada")
	page := thief.get("/cart")
	s.wantNoText(page, "Ada")
	s.wantNoText(page, "The Captain")
	s.wantText(b.get("/cart"), "The Captain")
}

func TestAdditionsFromTwoTabsAtOnceBothCount(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.post("/cart/add", "sku", "captain")
	b.post("/cart/add", "sku", "ghost")

	// Both updates are on their way before the store applies the first one.
	s.store.inPairs.Store(true)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var tabs sync.WaitGroup
	for range 2 {
		tabs.Go(func() {
			res, err := b.client.PostForm(s.server.URL+"/cart/add", url.Values{"sku": {"captain"}})
			b.page("/cart/add", http.StatusSeeOther, res, err)
		})
	}
	tabs.Wait()
	s.store.inPairs.Store(false)
	cart := b.get("/cart")
	if n := s.find(cart, pieces); n != "3" {
		t.Errorf("the cart has %s captains, want 3", n)
	}
	s.wantText(cart, "The Ghost")
}

func TestANoticeIsShownOnce(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	const notice = "The Ghost is in your cart."
	s.wantText(b.post("/cart/add", "sku", "ghost"), notice)
	s.wantNoText(b.get("/"), notice)
}

func TestLookedAtProductsAreRemembered(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	s.wantNoText(b.get("/products/ghost"), "You looked at")
	page := b.get("/products/captain")
	s.wantText(page, "You looked at")
	s.wantText(page, "/products/ghost")
}

func TestPagesAreCounted(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	for range 2 {
		b.get("/")
	}
	s.wantText(b.get("/cart"), "Pages seen in this session: 3.")
}

func TestSigningOutEndsTheSession(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.post("/theme", "theme", "dark")
	b.post("/cart/add", "sku", "captain")
	b.post("/sign-in", "name", "Ada")
	thief := s.withToken(b.token())
	page := b.post("/sign-out")
	s.wantText(page, "You are signed out.")
	s.wantText(page, "Nobody has signed in.")
	s.wantText(page, `class="dark"`)
	s.wantText(b.get("/cart"), "There is nothing in it")
	s.wantText(thief.get("/cart"), "Nobody has signed in.")
}

func TestSigningOutEverywhereEndsAllSessionsOfTheUserAndNoOthers(t *testing.T) {
	s := newSite(t)
	laptop, phone, grace := s.browser(), s.browser(), s.browser()
	laptop.post("/sign-in", "name", "Ada")
	phone.post("/sign-in", "name", "ada")
	grace.post("/sign-in", "name", "Grace")
	s.wantText(laptop.post("/sign-out-everywhere"), "You are signed out here and in 1 other places.")
	s.wantText(laptop.get("/"), "Nobody has signed in.")
	s.wantText(phone.get("/"), "Nobody has signed in.")
	s.wantText(grace.get("/"), "Signed in as Grace.")
}

func TestAnotherSiteCannotPost(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.post("/sign-in", "name", "Ada")
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.server.URL+"/sign-out", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := b.client.Do(r)
	b.page("/sign-out", http.StatusForbidden, res, err)
	s.wantText(b.get("/"), "Signed in as Ada.")
}

func TestAPageLoadsNothingFromElsewhere(t *testing.T) {
	s := newSite(t)
	res, err := s.browser().client.Get(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if policy := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") ||
		strings.Contains(policy, "unsafe") {
		t.Errorf("the policy of the page is %q", policy)
	}
}

func TestAStoreOutageSignsNobodyOut(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.post("/sign-in", "name", "Ada")

	s.store.down.Store(true)
	s.wantText(b.get("/products/ghost"), "Your session cannot be read at the moment.")
	res, err := b.client.PostForm(s.server.URL+"/cart/add", url.Values{"sku": {"captain"}})
	b.page("/cart/add", http.StatusServiceUnavailable, res, err)

	s.store.down.Store(false)
	s.wantText(b.get("/"), "Signed in as Ada.")
}
