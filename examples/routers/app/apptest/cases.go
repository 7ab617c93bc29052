package apptest

import (
	"context"
	"mime"
	"net/http"
)

// visit is a visit without scripts, from the first page to the sign-out.
func visit(s *site) {
	g := s.guest()
	g.get("/").want(http.StatusOK, "Sign in", "Orders so far: 0")
	if c := g.cookie(); c != nil {
		s.Errorf("a guest who did nothing has the cookie %s", c)
	}
	g.post("/cart/duck").want(http.StatusOK, "One more duck.")
	g.get("/").wantNone("One more duck.") // it was said
	before := g.thief()
	g.post("/sign-in", "name", "Ada <3").want(http.StatusOK, "Welcome, Ada &lt;3.", "Sign out")
	before.wantStored("", 0, 0) // the token of before reaches nothing
	g.wantStored("Ada <3", 1, 0)
	g.post("/cart/unicorn").want(http.StatusNotFound)

	after := g.thief()
	g.post("/sign-out").want(http.StatusOK, "See you.", "Sign in")
	after.wantStored("", 0, 0)
	g.wantStored("", 0, 0)
}

// calls holds the router to what README.md promises. The pages that posts lead to
// are not followed.
func calls(s *site) {
	g := s.known("Ada")
	g.get("/") // takes the notice
	g.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, c := range []struct {
		method, path string
		status       int
		want         int64
	}{
		{http.MethodGet, "/about", http.StatusOK, 0},
		{http.MethodGet, "/cart", http.StatusOK, 1},
		{http.MethodPost, "/cart/duck", http.StatusSeeOther, 1},
		{http.MethodGet, "/", http.StatusOK, 2}, // reads everything, and takes the notice
	} {
		before := s.store.count.Load()
		g.read(g.begin(s.Context(), c.method, c.path)).want(c.status)
		if got := s.store.count.Load() - before; got != c.want {
			s.Errorf("%s %s costs %d calls of the store, want %d", c.method, c.path, got, c.want)
		}
	}
}

// group is what the middleware of a group leaves alone.
func group(s *site) {
	stranger, g := s.guest(), s.known("Ada")
	before := s.store.count.Load()
	for _, path := range []string{"/healthz", "/kiosk.css"} {
		for _, who := range []*guest{stranger, g} {
			a := who.get(path)
			a.want(http.StatusOK)
			a.wantNone("Ada")
			if vary := a.Header.Get("Vary"); vary != "" {
				s.Errorf("%s varies with %s", path, vary)
			}
		}
	}
	if got := s.store.count.Load() - before; got != 0 {
		s.Errorf("routes without a session cost %d calls of the store", got)
	}
}

// stream is an order, whose steps the suite lets go on one by one.
func stream(s *site) {
	g := s.known("Ada")
	g.post("/cart/duck")
	g.post("/cart/swan")
	lines := s.lines(g.begin(s.Context(), http.MethodPost, "/order"))
	lines.want("taken")
	g.wantStored("Ada", 0, 1) // while the handler is under way
	s.step()
	lines.want("packed: 1 duck")
	s.step()
	lines.want("packed: 1 swan")
	lines.want("done")
	lines.wantEnd()

	// The cookie of a new session comes with the first byte as well.
	stranger := s.guest()
	s.lines(stranger.begin(s.Context(), http.MethodPost, "/order"))
	stranger.wantStored("", 0, 1)
}

// feed is a tab that follows the orders of everybody.
func feed(s *site) {
	ada, bob := s.known("Ada"), s.known("Bob")
	ctx, leave := context.WithCancel(s.Context())
	defer leave()
	res := ada.begin(ctx, http.MethodGet, "/feed")
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
		s.Errorf("the events come as %q, %v", kind, err)
	}
	events := s.lines(res)
	events.wantEvent("greeting", s.data("Ada is here"))
	if v := ada.cart(); v.Visits != 1 {
		s.Errorf("%d visits are stored once the first event is there, want 1", v.Visits)
	}
	bob.post("/order").want(http.StatusOK)
	events.wantEvent("order", s.data("Bob orders 0"))
	leave()
	ada.post("/cart/duck").want(http.StatusOK)
	ada.wantStored("Ada", 1, 0)
}

// panicOutside and panicInside are a handler that has changed the session and
// panics. The program goes on.
func panicOutside(s *site) {
	g := s.known("Ada")
	g.get("/")
	a := g.post("/panic")
	a.want(http.StatusInternalServerError)
	a.wantNone("Ada", "ghost")
	g.wantStored("Ada", 0, 0)
}

func panicInside(s *site) {
	g := s.known("Ada")
	g.get("/")
	a := g.post("/panic/inside")
	a.want(http.StatusInternalServerError)
	a.wantNone("ghost")
	g.wantStored("Ada", 0, 0)
}

// errorPage is a page that knows whose request has failed.
func errorPage(s *site) {
	g := s.known("Ada")
	a := g.post("/fail")
	a.want(http.StatusInternalServerError, "Sorry, Ada: ")
	a.wantNone()
	g.wantStored("Ada", 0, 0)

	missing := g.get("/missing")
	missing.want(http.StatusNotFound, "Sorry, Ada: ")
	missing.wantNone()

	// What nobody knows stays so: an error begins no session.
	stranger := s.guest()
	a = stranger.post("/fail")
	a.want(http.StatusInternalServerError, "Sorry, stranger: ")
	a.wantNone()
}

// outage is a store that is gone for a while.
func outage(s *site) {
	g := s.known("Ada")
	g.get("/")
	s.store.down.Store(true)
	for _, path := range []string{"/cart/duck", "/order", "/sign-out"} {
		a := g.post(path)
		a.want(http.StatusServiceUnavailable)
		a.wantNone("taken", "See you")
		if a.Header.Get("Retry-After") == "" || a.Header.Get("Location") != "" {
			s.Errorf("%s answers with the header %v", path, a.Header)
		}
	}
	g.get("/cart").want(http.StatusOK, `"name":""`) // what only reads is answered
	g.get("/healthz").want(http.StatusOK)
	s.store.down.Store(false)
	g.wantStored("Ada", 0, 0)
	g.post("/cart/duck").want(http.StatusOK)
	g.wantStored("Ada", 1, 0)
}
