package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// Tests of single handlers need no server and no cookie: WithVisitor gives them
// a session with what the test is about.

// post calls a handler with a form and the visitor's session.
func post(t *testing.T, handler http.HandlerFunc, v session.Visitor, form url.Values) (*session.VisitorSession, *http.Response) {
	t.Helper()
	r := httptest.NewRequest("POST", "/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ctx, s := session.WithVisitor(r.Context(), v)
	w := httptest.NewRecorder()
	handler(w, r.WithContext(ctx))
	return s, w.Result()
}

func testShop(t *testing.T) *shop {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	s, err := newShop(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantFields(t *testing.T, s *session.VisitorSession, want ...string) {
	t.Helper()
	if got := s.DirtyFields(); !slices.Equal(got, want) {
		t.Errorf("the request writes %q, want %q", got, want)
	}
}

func wantStatus(t *testing.T, res *http.Response, want int) {
	t.Helper()
	if res.StatusCode != want {
		t.Errorf("the status is %d, want %d", res.StatusCode, want)
	}
}

func TestAddingToTheCartWritesTheCartAndANotice(t *testing.T) {
	cart := session.Visitor{Cart: map[string]int{"captain": 2, "ghost": 1}}
	s, res := post(t, testShop(t).addToCart, cart, url.Values{"sku": {"captain"}, "back": {"/cart"}})
	wantStatus(t, res, http.StatusSeeOther)
	wantFields(t, s, "cart", "notice")
	if n, _ := s.CartItem("captain"); n != 3 {
		t.Errorf("the cart has %d captains, want 3", n)
	}
	if to := res.Header.Get("Location"); to != "/cart" {
		t.Errorf("the visitor goes to %q, want /cart", to)
	}
}

func TestAnUnknownProductWritesNothing(t *testing.T) {
	s, res := post(t, testShop(t).addToCart, session.Visitor{}, url.Values{"sku": {"goose"}})
	wantStatus(t, res, http.StatusNotFound)
	wantFields(t, s)
}

func TestAHugeFormIsNotRead(t *testing.T) {
	for size, want := range map[int]int{maxBody / 2: http.StatusSeeOther, 2 * maxBody: http.StatusNotFound} {
		form := url.Values{"padding": {strings.Repeat("x", size)}, "sku": {"captain"}}
		r := httptest.NewRequest("POST", "/cart/add", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		testShop(t).handler().ServeHTTP(w, r)
		wantStatus(t, w.Result(), want)
	}
}

func TestRemovingWhatIsNotInTheCartWritesNothing(t *testing.T) {
	cart := session.Visitor{Cart: map[string]int{"ghost": 1}}
	s, _ := post(t, testShop(t).removeFromCart, cart, url.Values{"sku": {"captain"}})
	wantFields(t, s)
}

func TestEmptyingTheCartLeavesNothingInIt(t *testing.T) {
	cart := session.Visitor{Cart: map[string]int{"captain": 2, "ghost": 1}}
	s, _ := post(t, testShop(t).emptyCart, cart, nil)
	if n := s.CartLen(); n != 0 {
		t.Errorf("the cart still has %d products", n)
	}
}

func TestTheThemeIsLightOrDark(t *testing.T) {
	for theme, fields := range map[string][]string{"dark": {"theme"}, "light": nil, "mauve": nil} {
		t.Run(theme, func(t *testing.T) {
			s, _ := post(t, testShop(t).setTheme, session.Visitor{Theme: "light"}, url.Values{"theme": {theme}})
			wantFields(t, s, fields...)
		})
	}
}

func TestAFormLeadsBackIntoTheShopOnly(t *testing.T) {
	for back, want := range map[string]string{
		"/products/ghost":      "/products/ghost",
		"":                     "/",
		"https://evil.example": "/",
		"//evil.example":       "/",
		`/\evil.example`:       "/",
	} {
		t.Run(back, func(t *testing.T) {
			_, res := post(t, testShop(t).setTheme, session.Visitor{}, url.Values{"theme": {"dark"}, "back": {back}})
			if got := res.Header.Get("Location"); got != want {
				t.Errorf("the visitor goes to %q, want %q", got, want)
			}
		})
	}
}

func TestSigningInKeepsTheCart(t *testing.T) {
	s, _ := post(t, testShop(t).signIn, session.Visitor{Cart: map[string]int{"ghost": 1}}, url.Values{"name": {" Ada "}})
	wantFields(t, s, "name", "notice", "user_id")
	if s.Name() != "Ada" || s.UserID() == 0 || s.CartLen() != 1 {
		t.Errorf("the session is %+v", s.Snapshot())
	}
}

func TestSigningInAsSomebodyElseStartsAfresh(t *testing.T) {
	ada := session.Visitor{UserID: 1, Name: "Ada", Theme: "dark", Cart: map[string]int{"ghost": 1}}
	s, _ := post(t, testShop(t).signIn, ada, url.Values{"name": {"Grace"}})
	if got := s.Snapshot(); got.Name != "Grace" || got.UserID == 1 || len(got.Cart) != 0 || got.Theme != "dark" {
		t.Errorf("the session is %+v", got)
	}
}

func TestSigningInNeedsAName(t *testing.T) {
	for _, name := range []string{"", "  ", strings.Repeat("ü", 41)} {
		s, res := post(t, testShop(t).signIn, session.Visitor{}, url.Values{"name": {name}})
		wantStatus(t, res, http.StatusUnprocessableEntity)
		if s.UserID() != 0 {
			t.Errorf("%q has signed in", name)
		}
	}
}

func TestTheLongestNameFits(t *testing.T) {
	name := strings.Repeat("🦆", maxName)
	s, res := post(t, testShop(t).signIn, session.Visitor{}, url.Values{"name": {name}})
	wantStatus(t, res, http.StatusSeeOther)
	if err := s.Save(t.Context()); err != nil {
		t.Errorf("the session cannot hold it: %v", err)
	}
}

func TestWhatWasLookedAtIsShownOnceAndNewestFirst(t *testing.T) {
	v := session.Visitor{Recent: []string{"ghost", "captain", "ghost", "sold-out", "classic"}}
	_, s := session.WithVisitor(t.Context(), v)
	var got []string
	for _, p := range recentProducts(s, "classic") {
		got = append(got, p.SKU)
	}
	if want := []string{"ghost", "captain"}; !slices.Equal(got, want) {
		t.Errorf("shown are %q, want %q", got, want)
	}
}
