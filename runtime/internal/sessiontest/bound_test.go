package sessiontest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/dbsctest"
)

// A device is a browser that binds its session to a key, as the draft says.
type device struct {
	*dbsctest.Device
	t         *testing.T
	site      *site
	cookies   map[string]string
	session   string // the identifier, empty: no session is registered
	challenge string
	sent      string // the last proof
	says      string // why it could not refresh; empty: nothing
}

func newDevice(t *testing.T, s *site) *device {
	return &device{Device: dbsctest.NewDevice(), t: t, site: s, cookies: map[string]string{}}
}

// copied is another client with the same cookies.
func (d *device) copied(names ...string) *device {
	thief := newDevice(d.t, d.site)
	for _, name := range names {
		thief.cookies[name] = d.cookies[name]
	}
	return thief
}

func (d *device) request(method, path string) *http.Request {
	r := httptest.NewRequest(method, "https://shop.example"+path, nil)
	var pairs []string
	for name, value := range d.cookies {
		pairs = append(pairs, name+"="+value)
	}
	if len(pairs) > 0 {
		r.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
	if d.says != "" {
		r.Header.Set("Secure-Session-Skipped", d.says)
	}
	return r
}

// take does with a response what a browser does. It registers where it is invited.
func (d *device) take(res *http.Response) {
	d.t.Helper()
	for _, c := range ownCookies(res) {
		if c.MaxAge < 0 {
			delete(d.cookies, c.Name)
		} else {
			d.cookies[c.Name] = c.Value
		}
	}
	if challenge := dbsctest.Challenge(res.Header); challenge != "" {
		d.challenge = challenge
	}
}

// visit sends a request that the handler serves, and registers if it is invited.
func (d *device) visit(handler func(s *VisitorSession)) *http.Response {
	d.t.Helper()
	res := d.see(handler)
	d.invited(res)
	return res
}

// invited registers if the response asks for that.
func (d *device) invited(res *http.Response) {
	d.t.Helper()
	if challenge := dbsctest.Invitation(res.Header); challenge != "" {
		d.challenge = challenge
		d.register(http.StatusOK)
	}
}

// see is visit without a registration.
func (d *device) see(handler func(s *VisitorSession)) *http.Response {
	d.t.Helper()
	w := httptest.NewRecorder()
	d.site.behind(func(_ http.ResponseWriter, _ *http.Request, s *VisitorSession) { handler(s) }).ServeHTTP(w, d.request("GET", "/a/b"))
	d.take(w.Result())
	return w.Result()
}

// bind sends a request to BindHandler.
func (d *device) bind(id, proof string) *http.Response {
	r := d.request("POST", "/session/bind")
	dbsctest.Ask(r.Header, id, proof)
	if proof != "" {
		d.sent = proof
	}
	w := httptest.NewRecorder()
	d.site.BindHandler().ServeHTTP(w, r)
	res := w.Result()
	d.take(res)
	return res
}

func (d *device) register(want int) {
	d.t.Helper()
	res := d.bind("", d.Registration(d.challenge))
	d.wants(res, want)
	if want == http.StatusOK {
		if d.session = dbsctest.Session(res.Body); d.session == "" {
			d.t.Error("the instructions are no JSON with an identifier")
		}
	}
}

// refresh proves that the device has the key, in the steps that the site asks for.
func (d *device) refresh() (steps []int) {
	d.t.Helper()
	for range 3 {
		res := d.bind(d.session, d.Proof(d.challenge))
		steps = append(steps, res.StatusCode)
		if res.StatusCode != http.StatusForbidden {
			break
		}
	}
	return steps
}

func (d *device) wants(res *http.Response, want int) {
	d.t.Helper()
	if res.StatusCode != want {
		d.t.Errorf("BindHandler answers %d, want %d", res.StatusCode, want)
	}
}

// opens checks whom the session opens to.
func (d *device) opens(want bool) {
	d.t.Helper()
	d.visit(func(s *VisitorSession) {
		if got := s.UserID() == 7; got != want {
			d.t.Errorf("the session opens: %v (%v), want %v", got, s.Err(), want)
		}
	})
}

func bindSignIns(c *runtime.Config) { c.Bound, c.Grace = runtime.BoundSignIn, 0 }

// signedIn returns a device that has signed in, with a session that is bound to it.
func signedIn(t *testing.T, s *site) *device {
	t.Helper()
	d := newDevice(t, s)
	d.visit(func(s *VisitorSession) { s.SetUserID(7) })
	s.now = s.now.Add(time.Millisecond)
	d.opens(true)
	return d
}

func TestABoundSessionOpensToItsDeviceAlone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b backend) {
		s := b.site(t, bindSignIns)
		d := signedIn(t, s)
		d.visit(func(s *VisitorSession) {
			if !s.Bound() {
				t.Error("it says that it is not bound")
			}
		})

		one, both := d.copied("shop"), d.copied("shop", boundCookieName)
		one.opens(false)
		both.opens(true)
		if res := one.see(func(s *VisitorSession) { s.AddViews(1) }); res.StatusCode != http.StatusForbidden || len(res.Cookies()) > 0 {
			t.Errorf("a blind write is answered %d with %v", res.StatusCode, res.Cookies())
		}
		if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) {
			t.Errorf("a refresh takes the steps %v", steps)
		}
		both.opens(true) // what was under way during the refresh is good until it ends
		d.opens(true)
		s.now = s.now.Add(10 * time.Minute)
		both.opens(false)
		both.see(func(s *VisitorSession) { s.Destroy() })
		if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) {
			t.Errorf("after BoundAge a refresh takes the steps %v", steps)
		}
		d.opens(true)
		d.visit(func(s *VisitorSession) {
			if s.Views() != 0 {
				t.Error("the thief has written")
			}
		})

		// Renewing and signing in go on with the same key.
		d.see(func(s *VisitorSession) { s.Renew() })
		d.opens(true)
		if res := d.see(func(s *VisitorSession) { s.SetUserID(7) }); res.Header.Get("Secure-Session-Registration") != "" {
			t.Error("a sign-in to a bound session asks for another key")
		}
		d.opens(true)
		if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) {
			t.Errorf("after a sign-in a refresh takes the steps %v", steps)
		}
		d.opens(true)
		d.copied("shop").opens(false)

		d.see(func(s *VisitorSession) { s.Destroy() })
		if d.cookies[boundCookieName] != "" {
			t.Error("the bound cookie outlives the session")
		}
		if res := d.bind(d.session, d.Proof(d.challenge)); res.StatusCode != http.StatusOK || len(res.Cookies()) > 0 {
			t.Errorf("a refresh of a session that has ended is answered %d with %v", res.StatusCode, res.Cookies())
		}
	})
}

func TestABoundSessionCostsNoFurtherCallOfTheStore(t *testing.T) {
	s := newSite(t, bindSignIns)
	d := newDevice(t, s)
	d.see(func(s *VisitorSession) { s.SetUserID(7) })
	if calls := s.store.took(); calls != "create" {
		t.Errorf("a sign-in makes the calls %q", calls)
	}
	d = signedIn(t, s)
	s.store.took()
	for name, c := range map[string]struct {
		do   func(s *VisitorSession)
		want string
	}{
		"untouched":      {func(*VisitorSession) {}, ""},
		"read":           {func(s *VisitorSession) { s.Name() }, "load"},
		"write":          {func(s *VisitorSession) { s.AddViews(1) }, "update"},
		"read and write": {func(s *VisitorSession) { s.SetViews(s.Views() + 1) }, "load update"},
		"sign in again":  {func(s *VisitorSession) { s.SetUserID(7) }, "update"},
	} {
		if d.see(c.do); s.store.took() != c.want {
			t.Errorf("%s: want the calls %q", name, c.want)
		}
	}
	d.refresh()
	if calls := s.store.took(); calls != "load update" {
		t.Errorf("a refresh makes the calls %q", calls)
	}
}

func TestProofsOfOthersAreRefused(t *testing.T) {
	s := newSite(t, bindSignIns)
	d := signedIn(t, s)
	if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) {
		t.Fatalf("a refresh takes the steps %v", steps)
	}
	replayed := d.sent
	other := signedIn(t, s)
	thief := d.copied("shop", boundCookieName)
	for _, c := range []struct {
		name      string
		id, proof string
		want      int
	}{
		{"a copied refresh", d.session, replayed, http.StatusForbidden},
		{"the key of another session", d.session, other.Proof(d.challenge), http.StatusBadRequest},
		{"a key of its own", d.session, thief.Registration(d.challenge), http.StatusBadRequest},
		{"a second registration", "", thief.Registration(d.challenge), http.StatusBadRequest},
		{"a registration without a key", "", d.Proof(d.challenge), http.StatusBadRequest},
		{"no proof", d.session, "", http.StatusForbidden},
		{"nothing", "", "", http.StatusBadRequest},
		{"no JWT", d.session, "a.b", http.StatusBadRequest},
		{"another session's identifier", other.session, d.Proof(d.challenge), http.StatusOK},
	} {
		res := thief.bind(c.id, c.proof)
		if res.StatusCode != c.want {
			t.Errorf("%s is answered %d, want %d", c.name, res.StatusCode, c.want)
		}
		if len(res.Cookies()) > 0 {
			t.Errorf("%s brings a cookie", c.name)
		}
	}
	d.opens(true)
	if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) {
		t.Errorf("afterwards a refresh takes the steps %v", steps)
	}
}

func TestAnAnswerThatIsLostLocksNobodyOut(t *testing.T) {
	s := newSite(t, bindSignIns)
	d := newDevice(t, s)
	res := d.see(func(s *VisitorSession) { s.SetUserID(7) })
	lost := d.copied("shop")
	lost.Device, lost.challenge = d.Device, dbsctest.Invitation(res.Header)
	lost.register(http.StatusOK)
	s.now = s.now.Add(time.Hour)
	d.opens(true) // the browser has not had the answer
	d.see(func(s *VisitorSession) {
		if s.Bound() {
			t.Error("a session whose browser has no bound cookie says that it is bound")
		}
	})

	// The next sign-in asks again.
	d.visit(func(s *VisitorSession) { s.SetUserID(7) })
	d.opens(true)
	d.copied("shop").opens(false)

	// Of a refresh, twice in a row: the browser still has its cookie and an answered
	// challenge.
	for range 2 {
		lost = d.copied("shop", boundCookieName)
		lost.Device, lost.challenge, lost.session = d.Device, d.challenge, d.session
		lost.refresh()
		d.opens(true)
	}
	if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusForbidden, http.StatusOK}) {
		t.Errorf("after lost answers a refresh takes the steps %v", steps)
	}
	d.opens(true)
}

func TestASignInOnAnotherDeviceBeginsASessionOfItsOwn(t *testing.T) {
	for name, signIn := range map[string]func(s *VisitorSession){
		"blind":        func(s *VisitorSession) { s.SetUserID(8) },
		"after a read": func(s *VisitorSession) { s.Name(); s.SetUserID(8) },
		"with a fold":  func(s *VisitorSession) { s.AppendRecent("a"); s.SetUserID(8) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, bindSignIns)
			d := signedIn(t, s)
			other := d.copied("shop")
			other.visit(signIn)
			other.visit(func(s *VisitorSession) {
				if s.UserID() != 8 {
					t.Errorf("it is the session of %d: %v", s.UserID(), s.Err())
				}
			})
			d.opens(true)
			if other.session == "" || other.session == d.session {
				t.Errorf("the sessions are %q and %q", other.session, d.session)
			}
		})
	}
}

func TestASignInOnAnotherDeviceRemovesTheBoundCookieOfTheSessionItLeaves(t *testing.T) {
	s := newSite(t, bindSignIns)
	d := signedIn(t, s)
	s.now = s.now.Add(10 * time.Minute) // no bound cookie is good any more
	other := d.copied("shop", boundCookieName)
	other.see(func(s *VisitorSession) { s.SetUserID(8) })
	if other.cookies[boundCookieName] != "" {
		t.Error("the bound cookie stays")
	}
	if other.cookies["shop"] == d.cookies["shop"] {
		t.Error("the sign-in has begun no session of its own")
	}
}

func TestARequestUnderWayAtTheRegistrationIsServed(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Bound = runtime.BoundSignIn })
	d := signedIn(t, s)
	d.copied("shop").opens(true)
	d.copied("shop").see(func(s *VisitorSession) { s.AddViews(1) })
	s.now = s.now.Add(31 * time.Second)
	d.copied("shop").opens(false)
	d.visit(func(s *VisitorSession) {
		if s.Views() != 1 {
			t.Errorf("%d views", s.Views())
		}
	})
}

// What was under way until the browser had its bound cookie was sent soon after the
// registration, whenever the browser comes next.
func TestACopiedSessionCookieOpensNothingFromTheFirstBoundRequestOn(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Bound = runtime.BoundSignIn })
	d := newDevice(t, s)
	d.visit(func(s *VisitorSession) { s.SetUserID(7) })
	s.now = s.now.Add(31 * time.Second)
	d.copied("shop").opens(true) // the browser may not have had the answer to its registration
	d.opens(true)
	d.copied("shop").opens(false)

	d = newDevice(t, s)
	d.visit(func(s *VisitorSession) { s.SetUserID(7) })
	s.now = s.now.Add(31 * time.Second)
	if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) { // shows it, too
		t.Errorf("a refresh takes the steps %v", steps)
	}
	d.copied("shop").opens(false)
}

func TestBoundAlwaysBindsEverySession(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Bound, c.Grace = runtime.BoundAlways, 0 })
	d := newDevice(t, s)
	d.visit(func(s *VisitorSession) { s.AddViews(1) })
	d.visit(func(s *VisitorSession) {
		if s.Views() != 1 {
			t.Errorf("%d views", s.Views())
		}
	})
	d.copied("shop").see(func(s *VisitorSession) {
		if s.Views() != 0 || s.Err() == nil {
			t.Error("a stolen cookie opens it")
		}
	})
}

func TestBoundSkippedDecides(t *testing.T) {
	for _, open := range []bool{false, true} {
		s := newSite(t, bindSignIns, func(c *runtime.Config) {
			c.BoundSkipped = func(r *http.Request) bool { return open && r.Header.Get("Secure-Session-Skipped") != "" }
		})
		d := signedIn(t, s)
		s.kinds()
		skipped := d.copied("shop")
		skipped.says = `quota_exceeded;session_identifier="` + d.session + `"`
		s.behind(func(_ http.ResponseWriter, _ *http.Request, s *VisitorSession) {
			if got := s.UserID() == 7; got != open {
				t.Errorf("it opens: %v", got)
			}
		}).ServeHTTP(httptest.NewRecorder(), skipped.request("GET", "/"))
		want := runtime.EventUnbound
		if open {
			want = runtime.EventBoundSkipped
		}
		if kinds := s.kinds(); !slices.Contains(kinds, want) {
			t.Errorf("the events are %v", kinds)
		}
	}
}

func TestASessionThatIsNotStoredIsNotBound(t *testing.T) {
	s := newSite(t, bindSignIns)
	s.browser().visit(func(v *VisitorSession) {
		if v.Bound() {
			t.Error("a new session is bound")
		}
	})
}

// The entries of the binding are the runtime's own: no program sees them.
func TestTheBindingIsNoFieldOfTheSession(t *testing.T) {
	s := newSite(t, bindSignIns)
	d := signedIn(t, s)
	d.see(func(s *VisitorSession) {
		if text := fmt.Sprint(s.Snapshot(), s.DirtyFields(), s.Dirty()); strings.Contains(text, "@") {
			t.Errorf("a program sees %s", text)
		}
	})
}

// The name of the bound cookie is that of the session's without a prefix.
func TestManagersWithOneBoundCookiePanicWhenNested(t *testing.T) {
	named := func(name string, bound runtime.Bound) *site {
		return newSite(t, func(c *runtime.Config) { c.Cookie.Name, c.Bound = name, bound })
	}
	nested := func(outer, inner *site) (panicked any) {
		defer func() { panicked = recover() }()
		outer.Middleware(inner.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		return nil
	}
	plain := named("shop", runtime.BoundSignIn)
	if got := fmt.Sprint(nested(plain, named("__Secure-shop", runtime.BoundAlways))); !strings.Contains(got, `cookie "`+boundCookieName+`"`) {
		t.Errorf("panic %q, want one that names the cookie", got)
	}
	if got := nested(plain, named("__Secure-shop", runtime.BoundNever)); got != nil {
		t.Errorf("panic %q beside a session that is never bound", got)
	}
	if got := nested(plain, named("admin", runtime.BoundSignIn)); got != nil {
		t.Errorf("panic %q beside a session of another name", got)
	}
}

// Frameworks without the middleware answer the error themselves.
func TestProcessResponseHasALinkFromAnotherSiteLoadItselfAgain(t *testing.T) {
	s := newSite(t, bindSignIns)
	d := signedIn(t, s)
	ask := func(client *device, site string) (w *httptest.ResponseRecorder, err error) {
		r := client.request("GET", "/")
		r.Header.Set("Sec-Fetch-Site", site)
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		w = httptest.NewRecorder()
		r = s.ProcessRequest(r)
		VisitorFrom(r.Context()).Name()
		return w, s.ProcessResponse(w, r)
	}
	w, err := ask(d.copied("shop"), "cross-site")
	if !errors.Is(err, runtime.ErrUnbound) || w.Header().Get("Refresh") != "0" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("without a bound cookie: %v with %v", err, w.Header())
	}
	for what, c := range map[string]struct {
		client *device
		site   string
	}{
		"by a link of the site itself": {d.copied("shop"), "same-origin"},
		"with a bound cookie":          {d, "cross-site"},
	} {
		if w, err := ask(c.client, c.site); err != nil || w.Header().Get("Refresh") != "" {
			t.Errorf("%s: %v with %v", what, err, w.Header())
		}
	}
}

func TestAChallengeThatIsTooOldIsReplaced(t *testing.T) {
	s := newSite(t, bindSignIns)
	d := signedIn(t, s)
	d.refresh()
	s.wait(20*time.Minute - time.Millisecond)
	if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusOK}) {
		t.Errorf("before the end of its challenge a refresh takes the steps %v", steps)
	}
	old := d.challenge
	s.wait(20 * time.Minute)
	if steps := d.refresh(); !slices.Equal(steps, []int{http.StatusForbidden, http.StatusOK}) {
		t.Errorf("afterwards a refresh takes the steps %v", steps)
	}
	if d.challenge == old {
		t.Error("the old challenge is sent again")
	}
}

// TestAnOutageCostsNoDeviceItsKey fails each call of the store that BindHandler makes: the
// browser is asked to try again, and does so with success.
func TestAnOutageCostsNoDeviceItsKey(t *testing.T) {
	for name, c := range map[string]struct {
		fails  string
		age    time.Duration // of the challenge
		before bool          // the registration
	}{
		"a registration that loads":  {"load", 0, true},
		"a registration that stores": {"update", 0, true},
		"a refresh that loads":       {"load", 0, false},
		"a refresh that stores":      {"update", 0, false},
		"a fresh challenge":          {"update", time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, bindSignIns)
			d := newDevice(t, s)
			d.challenge = dbsctest.Invitation(d.see(func(s *VisitorSession) { s.SetUserID(7) }).Header)
			if !c.before {
				d.register(http.StatusOK)
			}
			s.wait(c.age)
			bind := func() *http.Response {
				if c.before {
					return d.bind("", d.Registration(d.challenge))
				}
				return d.bind(d.session, d.Proof(d.challenge))
			}
			s.store.fail = func(call string) error {
				if call == c.fails {
					return errOutage
				}
				return nil
			}
			res := bind()
			d.wants(res, http.StatusServiceUnavailable)
			if res.Header.Get("Retry-After") != "1" || len(res.Cookies()) > 0 {
				t.Errorf("it is answered with %v", res.Header)
			}
			if len(s.errs) != 1 || !errors.Is(s.errs[0], errOutage) {
				t.Errorf("the program is told of %v, want the outage once", s.errs)
			}
			s.store.fail = nil
			for res = bind(); res.StatusCode == http.StatusForbidden; {
				res = bind()
			}
			d.wants(res, http.StatusOK)
			if !c.before {
				d.opens(true)
			}
		})
	}
}

// TestOfTwoProofsAtOnceTheSecondIsAskedAgain has another proof count while one is judged.
func TestOfTwoProofsAtOnceTheSecondIsAskedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		reload error // of the load after the conflict
		want   int
	}{
		"the store answers": {nil, http.StatusForbidden},
		"it does not":       {errOutage, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, bindSignIns)
			d := signedIn(t, s)
			d.refresh()
			twin := d.copied("shop", boundCookieName)
			twin.Device, twin.session, twin.challenge = d.Device, d.session, d.challenge
			s.store.before = func(call string) {
				if call == "update" {
					s.store.before = nil
					twin.wants(twin.bind(twin.session, twin.Proof(twin.challenge)), http.StatusOK)
					s.store.fail = func(call string) error {
						if call == "load" {
							return c.reload
						}
						return nil
					}
				}
			}
			res := d.bind(d.session, d.Proof(d.challenge))
			d.wants(res, c.want)
			if asked := len(res.Header["Secure-Session-Challenge"]) > 0; asked != (c.want == http.StatusForbidden) || len(res.Cookies()) > 0 {
				t.Errorf("it is answered with %v", res.Header)
			}
			s.store.fail = nil
			d.challenge = twin.challenge
			d.wants(d.bind(d.session, d.Proof(d.challenge)), http.StatusOK)
		})
	}
}

func TestWhatBindHandlerDoesIsToldOnce(t *testing.T) {
	s := newSite(t, bindSignIns)
	d := newDevice(t, s)
	d.challenge = dbsctest.Invitation(d.see(func(s *VisitorSession) { s.SetUserID(7) }).Header)
	s.told()
	d.wants(d.bind("", "no token"), http.StatusBadRequest)
	wantEvents(t, s, runtime.EventProofRefused)
	d.wants(newDevice(t, s).bind("", d.Registration(d.challenge)), http.StatusBadRequest) // of no session
	wantEvents(t, s, runtime.EventProofRefused)
	d.register(http.StatusOK)
	wantEvents(t, s)
	d.wants(d.bind(d.session, d.Proof(d.challenge)), http.StatusOK)
	wantEvents(t, s, runtime.EventRefreshed)
}
