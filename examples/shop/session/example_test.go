package session_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A handler changes its session and saves nothing: the middleware commits before
// the first byte of the response. What it changed is there in the next request.
func Example() {
	sessions, err := session.NewVisitorSessions(memstore.New(), func(c *runtime.Config) {
		c.Cookie.Secure = false // the test server speaks plain HTTP
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /add/{sku}", func(w http.ResponseWriter, r *http.Request) {
		s := session.VisitorFrom(r.Context())
		s.AddCartItem(r.PathValue("sku"), 1)
		s.SetNotice("It is in your cart.")
	})
	mux.HandleFunc("GET /cart", func(w http.ResponseWriter, r *http.Request) {
		s := session.VisitorFrom(r.Context())
		fmt.Println(s.TakeNotice())
		for sku, n := range s.Cart() {
			fmt.Println(n, sku)
		}
	})
	server := httptest.NewServer(sessions.Middleware(mux))
	defer server.Close()

	jar, err := cookiejar.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	browser := &http.Client{Jar: jar}
	for _, path := range []string{"/add/captain", "/add/captain", "/cart"} {
		res, err := browser.Get(server.URL + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		res.Body.Close()
	}
	// Output:
	// It is in your cart.
	// 2 captain
}

// A test of a handler needs neither a cookie nor a store.
func ExampleWithVisitor() {
	empty := func(w http.ResponseWriter, r *http.Request) {
		session.VisitorFrom(r.Context()).ClearCart()
	}

	r := httptest.NewRequest("POST", "/empty", nil)
	ctx, s := session.WithVisitor(r.Context(), session.Visitor{Theme: "dark", Cart: map[string]int{"ghost": 1}})
	empty(httptest.NewRecorder(), r.WithContext(ctx))

	fmt.Println(s.DirtyFields(), s.CartLen(), s.Theme())
	// Output: [cart] 0 dark
}

// Whoever changes the password is signed out everywhere but here.
func ExampleVisitorSessions_RevokeByUserID() {
	sessions, err := session.NewVisitorSessions(memstore.New())
	if err != nil {
		fmt.Println(err)
		return
	}
	visit := func(cookie string, handle http.HandlerFunc) (next string) {
		r := httptest.NewRequest("POST", "https://shop.example/", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		sessions.Middleware(handle).ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			return c.Name + "=" + c.Value
		}
		return cookie
	}
	signIn := func(w http.ResponseWriter, r *http.Request) {
		session.VisitorFrom(r.Context()).SetUserID(42)
	}
	changePassword := func(w http.ResponseWriter, r *http.Request) {
		here := session.VisitorFrom(r.Context())
		n, err := sessions.RevokeByUserID(r.Context(), here.UserID(), here)
		fmt.Println("signed out elsewhere:", n, err)
	}
	show := func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("user", session.VisitorFrom(r.Context()).UserID())
	}
	laptop, phone := visit("", signIn), visit("", signIn)
	visit(laptop, changePassword)
	visit(laptop, show)
	visit(phone, show)
	// Output:
	// signed out elsewhere: 1 <nil>
	// user 42
	// user 0
}
