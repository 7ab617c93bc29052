package sessiontest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// signedUp returns a browser whose session has the name Ada, and forgets how it
// came to that. The clock has moved on since.
func (s *site) signedUp() *browser {
	b := s.browser()
	b.visit(func(s *VisitorSession) { s.SetName("Ada") })
	s.store.took()
	s.wait(time.Second)
	return b
}

func (s *site) wait(d time.Duration) { s.now = s.now.Add(d) }

// tab returns a second tab of the browser, which shares nothing but the cookie
// that it begins with.
func (b *browser) tab() *browser { return &browser{site: b.site, cookie: b.cookie} }

// process serves a request as a framework without http.Handler does.
func (b *browser) process(do func(*VisitorSession)) (*http.Response, error) {
	r := httptest.NewRequest("GET", "https://shop.example/a/b", nil)
	b.bring(r)
	r = b.site.ProcessRequest(r)
	do(VisitorFrom(r.Context()))
	w := httptest.NewRecorder()
	err := b.site.ProcessResponse(w, r)
	b.last = w.Result()
	b.take(b.last)
	return b.last, err
}

func wantCalls(t *testing.T, s *site, want string) {
	t.Helper()
	if got := s.store.took(); got != want {
		t.Errorf("store calls %q, want %q", got, want)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func wantAnswer(t *testing.T, res *http.Response, want int) {
	t.Helper()
	if res.StatusCode != want {
		t.Errorf("status %d, want %d", res.StatusCode, want)
	}
}

func wantCookies(t *testing.T, res *http.Response, want int) {
	t.Helper()
	if got := ownCookies(res); len(got) != want {
		t.Errorf("%d cookies, want %d: %q", len(got), want, res.Header["Set-Cookie"])
	}
}

// changes are all the ways to write to a session.
var changes = map[string]func(*VisitorSession){
	"SetName":       func(s *VisitorSession) { s.SetName("Ada") },
	"ClearName":     func(s *VisitorSession) { s.ClearName() },
	"AddViews":      func(s *VisitorSession) { s.AddViews(1) },
	"SetCartItem":   func(s *VisitorSession) { s.SetCartItem("sku", 1) },
	"DeletePref":    func(s *VisitorSession) { s.DeletePrefsItem(1) },
	"SetCart":       func(s *VisitorSession) { s.SetCart(map[string]int{"sku": 1}) },
	"AppendRecent":  func(s *VisitorSession) { s.AppendRecent("x") },
	"SetTags":       func(s *VisitorSession) { s.SetTags([]string{"x"}) },
	"SetUserID":     func(s *VisitorSession) { s.SetUserID(7) },
	"Renew":         func(s *VisitorSession) { s.Renew() },
	"SetExpiry":     func(s *VisitorSession) { s.SetExpiry(begin.Add(time.Hour)) },
	"SetIdle":       func(s *VisitorSession) { s.SetIdle(time.Hour) },
	"SetPersistent": func(s *VisitorSession) { s.SetPersistent(true) },
	"SetExpiryPast": func(s *VisitorSession) { s.SetExpiry(begin.Add(-time.Hour)) },
	"Destroy":       func(s *VisitorSession) { s.Destroy() },
}

func TestR1OutsideTheMiddlewareReadsGiveDefaultsAndErrSaysSo(t *testing.T) {
	s := VisitorFrom(context.Background())
	if s == nil {
		t.Fatal("VisitorFrom returned nil")
	}
	if s.Theme() != "light" || s.Name() != "" || s.CartLen() != 0 || !s.IsNew() || s.Dirty() ||
		s.Handle() != "" || !s.CreatedAt().IsZero() || !s.ExpiresAt().IsZero() || !s.RenewedAt().IsZero() || s.TakeNotice() != "" {
		t.Error("a read gave something else than the default")
	}
	for name, err := range map[string]error{
		"Err": s.Err(), "Load": s.Load(context.Background()), "Save": s.Save(context.Background()),
		"Err as the first call": VisitorFrom(context.Background()).Err(),
	} {
		if !errors.Is(err, runtime.ErrNoMiddleware) || !strings.Contains(err.Error(), "Middleware") {
			t.Errorf("%s: %v, want an error that names Middleware", name, err)
		}
	}
}

func TestR1OutsideTheMiddlewareTheFirstWritePanicsNamingMiddleware(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := VisitorFrom(context.Background())
			defer func() {
				text, _ := recover().(string)
				if !strings.Contains(text, "Middleware") {
					t.Errorf("panic %q, want one that names Middleware", text)
				}
				s.Name() // the session is not locked for good
			}()
			change(s)
		})
	}
}

func TestR1TheSameManagerNestedIsAPassThrough(t *testing.T) {
	s := newSite(t)
	var outer *VisitorSession
	inner := s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if VisitorFrom(r.Context()) != outer {
			t.Error("the nested middleware has a session of its own")
		}
		outer.SetName("Ada")
	}))
	w := httptest.NewRecorder()
	s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer = VisitorFrom(r.Context())
		inner.ServeHTTP(w, s.ProcessRequest(r))
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	wantCalls(t, s, "create")
	wantCookies(t, w.Result(), 1)
}

func TestR1OfTwoManagersOfOneTypeTheInnerOneCounts(t *testing.T) {
	outer := newSite(t, func(c *runtime.Config) { c.Cookie.Name = "outer" })
	inner := newSite(t, func(c *runtime.Config) { c.Cookie.Name = "inner" })
	w := httptest.NewRecorder()
	outer.Middleware(inner.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		VisitorFrom(r.Context()).SetName("Ada")
	}))).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	wantCalls(t, outer, "")
	wantCalls(t, inner, "create")
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != "inner" {
		t.Errorf("cookies %v, want one of the inner manager", c)
	}
}

func TestR1TwoManagersWithOneCookieNamePanicWhenNested(t *testing.T) {
	store := memstore.New()
	defer store.Close()
	realistic, err := NewRealisticSessions(store, func(c *runtime.Config) { c.Cookie.Name = "shop" })
	if err != nil {
		t.Fatal(err)
	}
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, nested := range map[string]http.Handler{
		"of one type":  newSite(t).Middleware(newSite(t).Middleware(ok)),
		"of two types": newSite(t).Middleware(realistic.Middleware(ok)),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, `cookie "shop"`) {
					t.Errorf("panic %q, want one that names the cookie", text)
				}
			}()
			nested.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		})
	}
}

func TestR1ASessionOfATestGivesWayToTheMiddleware(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Cookie.Name = "" })
	ctx, given := WithVisitor(context.Background(), Visitor{Name: "given"})
	if VisitorFrom(ctx) != given || given.Name() != "given" || given.Dirty() || given.IsNew() {
		t.Error("the given session is not loaded and clean")
	}
	s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := VisitorFrom(r.Context()).Name(); got != "" {
			t.Errorf("behind the middleware the session of %q", got)
		}
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
}

func TestR2DirtyIncludesWhatIsPendingOfAStoredSession(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			b.visit(func(s *VisitorSession) {
				if s.Dirty() {
					t.Error("dirty before the change")
				}
				change(s)
				if !s.Dirty() {
					t.Error("not dirty after the change")
				}
				if err := s.Save(context.Background()); err != nil || s.Dirty() {
					t.Errorf("after saving: dirty %v, %v", s.Dirty(), err)
				}
			})
		})
	}
}

func TestR2RenewAndSetExpiryAloneCreateNothing(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	res := b.visit(func(s *VisitorSession) {
		s.Renew()
		s.SetExpiry(begin.Add(time.Hour))
		if s.Dirty() {
			t.Error("a new session is dirty without data")
		}
		if err := s.Save(context.Background()); err != nil {
			t.Error(err)
		}
	})
	wantCalls(t, s, "")
	wantCookies(t, res, 0)
}

func TestR2AnExpiryOfANewSessionIsThatOfItsFirstWrite(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	res := b.visit(func(s *VisitorSession) { s.SetExpiry(begin.Add(time.Hour)); s.SetName("Ada") })
	if got := res.Cookies()[0].MaxAge; got != 3600 {
		t.Errorf("Max-Age %d, want an hour", got)
	}
	b.visit(func(s *VisitorSession) {
		if got := s.ExpiresAt(); !got.Equal(begin.Add(time.Hour)) {
			t.Errorf("expires at %v", got)
		}
	})
}

func TestR2DirtyFieldsAreKeysSorted(t *testing.T) {
	b := newSite(t).signedUp()
	b.visit(func(s *VisitorSession) {
		s.SetTheme("dark")
		s.AddViews(1)
		s.SetAPIKey("k")
		s.SetCartItem("sku", 2)
		s.Renew()
		if got, want := s.DirtyFields(), []string{"api_key", "cart", "theme", "views"}; !slices.Equal(got, want) {
			t.Errorf("dirty fields %q, want %q", got, want)
		}
	})
}

func TestR2IsNewLoadsIfACookieCame(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.visit(func(s *VisitorSession) {
		if !s.IsNew() {
			t.Error("no cookie, but not new")
		}
		s.SetName("Ada")
		if !s.IsNew() {
			t.Error("not stored yet, but not new")
		}
	})
	wantCalls(t, s, "create")
	b.visit(func(s *VisitorSession) {
		if s.IsNew() {
			t.Error("a stored session is new")
		}
	})
	wantCalls(t, s, "load")
	b.cookie = unknownToken
	b.visit(func(s *VisitorSession) {
		if !s.IsNew() {
			t.Error("an unknown cookie is not new")
		}
	})
	wantCalls(t, s, "load")
}

func TestR2HandleIsEmptyUntilAnIDExistsAndIsKept(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	var handle string
	b.visit(func(s *VisitorSession) {
		s.SetName("Ada")
		if got := s.Handle(); got != "" {
			t.Errorf("handle %q before there is an id", got)
		}
		if err := s.Save(context.Background()); err != nil {
			t.Fatal(err)
		}
		handle = s.Handle()
		s.Renew()
	})
	if handle == "" {
		t.Fatal("no handle after saving")
	}
	s.wait(time.Second)
	b.visit(func(s *VisitorSession) { s.SetUserID(7) })
	b.visit(func(s *VisitorSession) {
		if got := s.Handle(); got != handle {
			t.Errorf("handle %q after renewals, want %q", got, handle)
		}
	})
	b.cookie = unknownToken
	b.visit(func(s *VisitorSession) {
		if s.Name(); s.Handle() != "" {
			t.Errorf("handle %q of an unknown cookie", s.Handle())
		}
	})
}

// An id that a revocation needs before the session is stored is the one that it
// is stored under: a sign-in that ends all other sessions survives itself.
func TestR2TheIDIsMadeAtFirstNeedAndKept(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	var handle string
	b.visit(func(v *VisitorSession) {
		v.SetUserID(7)
		s.wait(time.Second)
		if _, err := s.RevokeByUserID(context.Background(), 7, v); err != nil {
			t.Fatal(err)
		}
		handle = v.Handle()
	})
	b.visit(func(s *VisitorSession) {
		if s.UserID() != 7 || handle == "" || s.Handle() != handle {
			t.Errorf("user %d, handle %q, want %q", s.UserID(), s.Handle(), handle)
		}
	})
}

func TestR3DestroyDiscardsWhatWasPendingAndEndsTheSession(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	old := b.cookie
	res := b.visit(func(s *VisitorSession) {
		s.SetTheme("dark")
		s.Renew()
		s.Destroy()
		if s.Name() != "" || s.Theme() != "light" || !s.IsNew() || s.Handle() != "" || len(s.DirtyFields()) > 0 {
			t.Error("the object is not new and empty")
		}
	})
	wantCalls(t, s, "load delete")
	wantCookies(t, res, 1)
	if b.cookie != "" || s.nameIn(old) != nothing {
		t.Errorf("cookie %q, stored %q", b.cookie, s.nameIn(old))
	}
}

func TestR3WhatIsWrittenAfterDestroyIsAFreshSessionAndTheCookieIsReplaced(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	old := b.cookie
	res := b.visit(func(s *VisitorSession) {
		s.SetTheme("dark")
		s.Destroy()
		s.SetNotice("signed out")
	})
	wantCalls(t, s, "load delete create")
	wantCookies(t, res, 1)
	if b.cookie == "" || b.cookie[:20] == old[:20] {
		t.Errorf("cookie %q after %q: want another id", b.cookie, old)
	}
	b.visit(func(s *VisitorSession) {
		if s.Name() != "" || s.Theme() != "light" || s.TakeNotice() != "signed out" {
			t.Error("the fresh session does not hold what was written after Destroy, and only that")
		}
	})
}

// TestR3DestroyingTwiceEndsTheSessionThatThisRequestBegan is about a browser whose own
// cookie opens nothing.
func TestR3DestroyingTwiceEndsTheSessionThatThisRequestBegan(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	stale := b.clone()
	b.visit(func(v *VisitorSession) { v.Destroy() })
	s.wait(time.Hour)
	stale.visit(func(v *VisitorSession) {
		v.SetUserID(7)
		if err := v.Save(t.Context()); err != nil {
			t.Error(err)
		}
		v.Destroy()
		v.Destroy()
	})
	if n := len(s.find(7)); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestR3DestroyingTwiceEndsOneSession(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(func(s *VisitorSession) {
		s.Destroy()
		s.SetName("Grace")
		s.Destroy()
	})
	wantCalls(t, s, "load delete")
	if b.cookie != "" {
		t.Errorf("cookie %q", b.cookie)
	}
}

func TestR4SaveSendsTheDeltaAndFoldsItIntoTheView(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(func(v *VisitorSession) {
		v.Name()
		v.AddViews(2)
		v.SetCartItem("sku", 1)
		if err := v.Save(context.Background()); err != nil {
			t.Fatal(err)
		}
		wantCalls(t, s, "load update")
		if v.Views() != 2 || v.CartLen() != 1 || v.Dirty() {
			t.Errorf("views %d, cart %d after saving", v.Views(), v.CartLen())
		}
		wantCalls(t, s, "")
		v.SetTheme("dark")
		v.AddViews(1)
	})
	if n := len(s.store.deltas[0].Ops); n != 2 {
		t.Errorf("the second delta has %d operations, want those since the first", n)
	}
	wantCalls(t, s, "update")
	b.visit(func(s *VisitorSession) {
		if s.Views() != 3 || s.Theme() != "dark" {
			t.Errorf("views %d, theme %s", s.Views(), s.Theme())
		}
	})
}

func TestR4WhatSaveHasCreatedIsReadWithoutALoad(t *testing.T) {
	s := newSite(t)
	s.browser().visit(func(v *VisitorSession) {
		v.SetName("Ada")
		if err := v.Save(context.Background()); err != nil {
			t.Fatal(err)
		}
		if v.Name() != "Ada" || !v.CreatedAt().Equal(begin) {
			t.Errorf("name %q, created at %v after saving", v.Name(), v.CreatedAt())
		}
	})
	wantCalls(t, s, "create")
}

func TestR4SaveSetsTheHeaderAtOnce(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	save := func(w http.ResponseWriter, v *VisitorSession) string {
		if err := v.Save(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := len(w.Header()["Set-Cookie"]); n != 1 {
			t.Fatalf("%d Set-Cookie lines after saving", n)
		}
		return w.Header().Get("Set-Cookie")
	}
	b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.SetName("Ada")
		created := save(w, v)
		v.SetUserID(7)
		signedIn := save(w, v)
		v.SetTheme("dark")
		if save(w, v) != signedIn || signedIn == created {
			t.Error("the header does not carry the newest token, and only that")
		}
		w.Header().Set("Cache-Control", "public, max-age=3600")
	})
	wantCookies(t, b.last, 1)
	if got := b.last.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q of a response with the cookie", got)
	}
	b.visit(func(s *VisitorSession) {
		if s.UserID() != 7 || s.Theme() != "dark" {
			t.Error("the cookie does not open the session")
		}
	})
}

func TestR4WithoutAWriterTheCookieIsKeptUntilProcessResponse(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	res, err := b.process(func(v *VisitorSession) {
		v.SetName("Ada")
		if err := v.Save(context.Background()); err != nil {
			t.Fatal(err)
		}
		wantCalls(t, s, "create")
	})
	wantErr(t, err, nil)
	wantCalls(t, s, "")
	wantCookies(t, res, 1)
	if got := s.nameIn(b.cookie); got != "Ada" {
		t.Errorf("the cookie opens %q", got)
	}
}

func TestR4AfterTheFirstByteWhatNeedsACookieIsTooLateAndNothingIsStored(t *testing.T) {
	for name, c := range map[string]struct {
		begin  func(*browser)
		change func(*VisitorSession)
	}{
		"create":         {func(b *browser) { b.cookie = "" }, func(s *VisitorSession) { s.SetName("Grace") }},
		"create, cookie": {func(b *browser) { b.cookie = unknownToken }, func(s *VisitorSession) { s.SetName("Grace") }},
		"renew":          {func(*browser) {}, func(s *VisitorSession) { s.Renew(); s.SetName("Grace") }},
		"sign in":        {func(*browser) {}, func(s *VisitorSession) { s.SetUserID(7); s.SetName("Grace") }},
	} {
		for _, when := range []string{"by Save", "at the end"} {
			t.Run(name+" "+when, func(t *testing.T) {
				s := newSite(t)
				known := s.signedUp()
				b := known.tab()
				c.begin(b)
				b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
					_, _ = io.WriteString(w, "begun")
					c.change(v)
					if when == "by Save" {
						wantErr(t, v.Save(context.Background()), runtime.ErrTooLate)
						wantErr(t, v.Err(), runtime.ErrTooLate)
					}
				})
				wantErr(t, s.lastTold(), runtime.ErrTooLate)
				if len(s.errs) != 1 {
					t.Errorf("told %d times: %v", len(s.errs), s.errs)
				}
				wantCookies(t, b.last, 0)
				if got := s.nameIn(known.cookie); got != "Ada" || strings.Contains(s.store.took(), "create") {
					t.Errorf("stored %q", got)
				}
			})
		}
	}
}

func TestR4AfterTheFirstByteWhatNeedsNoCookieIsStored(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		_, _ = io.WriteString(w, "begun")
		v.SetName("Grace")
	})
	wantCalls(t, s, "update")
	if got := s.nameIn(b.cookie); got != "Grace" || len(s.errs) > 0 {
		t.Errorf("stored %q, errors %v", got, s.errs)
	}
}

func TestR4ASessionEndedAfterTheFirstByteIsEndedAndTheLateCookieTold(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		_, _ = io.WriteString(w, "begun")
		v.Destroy()
	})
	wantCalls(t, s, "load delete")
	wantCookies(t, b.last, 0)
	if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventCookieLate}) {
		t.Errorf("events %q", got)
	}
}

// obedient is a store that heeds its context, as one over a network does.
type obedient struct{ runtime.Store }

func (o obedient) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return o.Store.Load(ctx, key)
}

func (o obedient) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return o.Store.Update(ctx, key, d)
}

func (o obedient) Delete(ctx context.Context, key runtime.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return o.Store.Delete(ctx, key)
}

// hungUp serves a request of a visitor who hangs up before the handler does
// anything.
func (b *browser) hungUp(do func(*VisitorSession)) {
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequest("GET", "https://shop.example/", nil).WithContext(ctx)
	r.Header.Set("Cookie", "shop="+b.cookie)
	b.site.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		do(VisitorFrom(r.Context()))
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestR5AVisitorWhoHangsUpDoesNotCancelACommit(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*VisitorSession)
		want string
	}{
		"sign out by Destroy": {func(s *VisitorSession) { s.Destroy() }, nothing},
		"write":               {func(s *VisitorSession) { s.SetName("Grace") }, "Grace"},
		"clear":               {func(s *VisitorSession) { s.ClearName() }, blank},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.store.Store = obedient{s.store.Store}
			b := s.signedUp()
			b.hungUp(c.do)
			if got := s.nameIn(b.cookie); got != c.want || len(s.errs) > 0 {
				t.Errorf("stored %q, want %q, errors %v", got, c.want, s.errs)
			}
		})
	}
}

// deadlines is a store that notes how much time its calls have.
type deadlines struct {
	runtime.Store
	left []time.Duration
}

func (d *deadlines) Update(ctx context.Context, key runtime.Key, delta *runtime.Delta) (*runtime.Result, error) {
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(time.Hour)
	}
	d.left = append(d.left, time.Until(end))
	return d.Store.Update(ctx, key, delta)
}

func TestR5CommitsOfTheHooksHaveFiveSeconds(t *testing.T) {
	s := newSite(t)
	store := &deadlines{Store: s.store.Store}
	s.store.Store = store
	b := s.signedUp()
	b.visit(func(s *VisitorSession) { s.SetName("Grace") })
	if len(store.left) != 1 || store.left[0] > 5*time.Second || store.left[0] < time.Second {
		t.Errorf("a commit has %v, want about 5s", store.left)
	}
}

func TestR5SaveObeysItsContext(t *testing.T) {
	s := newSite(t)
	s.store.Store = obedient{s.store.Store}
	b := s.signedUp()
	b.visit(func(s *VisitorSession) {
		s.SetName("Grace")
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := s.Save(ctx)
		wantErr(t, err, context.Canceled)
		wantErr(t, err, runtime.ErrOutcomeUnknown)
	})
	if got := s.nameIn(b.cookie); got != "Ada" {
		t.Errorf("stored %q", got)
	}
}

func TestR5ADeltaIsSentAtMostOnce(t *testing.T) {
	for name, c := range map[string]struct {
		cookie bool
		do     func(*VisitorSession)
		call   string
	}{
		"create":  {false, func(s *VisitorSession) { s.AddViews(1) }, "create"},
		"update":  {true, func(s *VisitorSession) { s.AddViews(1) }, "update"},
		"destroy": {true, func(s *VisitorSession) { s.Destroy() }, "delete"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			if !c.cookie {
				b.cookie = ""
			}
			s.store.fail = func(call string) error {
				if call == "load" {
					return nil
				}
				return errOutage
			}
			b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
				c.do(v)
				err := v.Save(context.Background())
				wantErr(t, err, runtime.ErrOutcomeUnknown)
				wantErr(t, err, errOutage)
				if v.Dirty() {
					t.Error("the delta is still pending")
				}
				_, _ = io.WriteString(w, "the program says what went wrong")
			})
			if got := s.store.took(); strings.Count(got, c.call) != 1 {
				t.Errorf("store calls %q", got)
			}
		})
	}
}

func TestR6AfterAFailedLoadNothingIsCommitted(t *testing.T) {
	for _, failClosed := range []bool{false, true} {
		for name, c := range map[string]struct {
			do     func(*VisitorSession)
			status int
		}{
			"read":           {func(s *VisitorSession) { s.Name() }, http.StatusOK},
			"read and write": {func(s *VisitorSession) { s.Name(); s.SetTheme("dark") }, http.StatusServiceUnavailable},
			"write and read": {func(s *VisitorSession) { s.SetTheme("dark"); s.Name() }, http.StatusServiceUnavailable},
			"destroy":        {func(s *VisitorSession) { s.Destroy() }, http.StatusServiceUnavailable},
			"append":         {func(s *VisitorSession) { s.AppendRecent("x") }, http.StatusServiceUnavailable},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, func(c *runtime.Config) { c.FailClosed = failClosed })
				b := s.signedUp()
				s.store.fail = func(call string) error { return errOutage }
				res := b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
					c.do(v)
					_, _ = io.WriteString(w, "half of a page")
				})
				status := c.status
				if failClosed {
					status = http.StatusServiceUnavailable
				}
				wantAnswer(t, res, status)
				wantCalls(t, s, "load")
				wantCookies(t, res, 0)
				body, _ := io.ReadAll(res.Body)
				if got := strings.Contains(string(body), "half"); got != (status == http.StatusOK) {
					t.Errorf("body %q with status %d", body, status)
				}
				if len(s.errs) != 1 || !errors.Is(s.errs[0], errOutage) {
					t.Errorf("told %v, want the outage once", s.errs)
				}
			})
		}
	}
}

func TestR6AReadDuringAnOutageGivesDefaultsAndErr(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	s.store.fail = func(string) error { return errOutage }
	b.visit(func(s *VisitorSession) {
		if s.Name() != "" || s.Theme() != "light" || s.IsNew() {
			t.Error("not the defaults, or a new session")
		}
		wantErr(t, s.Err(), errOutage)
		if errors.Is(s.Err(), runtime.ErrNotFound) {
			t.Error("an outage is reported as not found")
		}
	})
	wantCalls(t, s, "load")
	s.store.fail = nil
	if b.cookie == "" || s.nameIn(b.cookie) != "Ada" {
		t.Error("the outage logged the visitor out")
	}
}

func TestR7ASessionSeenAliveThatIsGoneAtCommitStaysGone(t *testing.T) {
	for name, end := range map[string]func(s *site, other *browser){
		"destroyed": func(_ *site, other *browser) { other.visit(func(s *VisitorSession) { s.Destroy() }) },
		"revoked": func(s *site, _ *browser) {
			if n, err := s.RevokeByUserID(context.Background(), 7); n != 1 || err != nil {
				s.t.Fatalf("revoked %d, %v", n, err)
			}
		},
		"expired":           func(s *site, _ *browser) { s.wait(169 * time.Hour) },
		"destroyed and old": func(s *site, other *browser) { other.visit(func(s *VisitorSession) { s.Destroy() }); s.wait(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			b.visit(func(s *VisitorSession) { s.SetUserID(7); s.SetName("Ada") })
			s.wait(time.Second)
			old := b.cookie
			res := b.visit(func(v *VisitorSession) {
				v.Name()
				end(s, b.tab())
				s.store.took()
				v.SetName("Grace")
			})
			wantAnswer(t, res, http.StatusConflict)
			wantCalls(t, s, "update")
			wantCookies(t, res, 0)
			wantErr(t, s.lastTold(), runtime.ErrEnded)
			if s.nameIn(old) != nothing || b.cookie != old {
				t.Error("the session came back, or the cookie changed")
			}
		})
	}
}

func TestR7ARequestThatArrivedBeforeTheEndCreatesNothing(t *testing.T) {
	for name, do := range map[string]func(*VisitorSession){
		"blind write":    func(s *VisitorSession) { s.SetName("Grace") },
		"sign in":        func(s *VisitorSession) { s.SetUserID(7) },
		"read and write": func(s *VisitorSession) { s.Name(); s.SetName("Grace") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			res := b.tab().visit(func(v *VisitorSession) {
				s.wait(time.Second)
				b.visit(func(s *VisitorSession) { s.Destroy() })
				s.wait(time.Second)
				s.store.took()
				do(v)
			})
			wantAnswer(t, res, http.StatusConflict)
			wantCookies(t, res, 0)
			wantErr(t, s.lastTold(), runtime.ErrEnded)
			if got := s.store.took(); strings.Contains(got, "create") {
				t.Errorf("store calls %q", got)
			}
		})
	}
}

func TestR7OneNeverSeenAliveIsCreatedAfreshWithOnlyWhatWasWrittenNow(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	old := b.cookie
	b.tab().visit(func(s *VisitorSession) { s.Destroy() })
	s.wait(time.Second)
	res := b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
	wantAnswer(t, res, http.StatusOK)
	wantCookies(t, res, 1)
	if b.cookie[:20] == old[:20] {
		t.Error("under the old id")
	}
	b.visit(func(s *VisitorSession) {
		if s.Name() != "" || s.Theme() != "dark" {
			t.Errorf("name %q, theme %q", s.Name(), s.Theme())
		}
	})
}

func TestR7ReadingASessionThatEndedMeanwhileIsAnsweredAsUsual(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	res := b.tab().visit(func(v *VisitorSession) {
		s.wait(time.Second)
		b.visit(func(s *VisitorSession) { s.Destroy() })
		s.wait(time.Second)
		if v.Name() != "" {
			t.Error("data of an ended session")
		}
		wantErr(t, v.Err(), runtime.ErrEnded)
	})
	wantAnswer(t, res, http.StatusOK)
	wantCookies(t, res, 0)
}

func TestR8ASessionIsSafeForTheGoroutinesOfOneRequest(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(func(s *VisitorSession) {
		var group sync.WaitGroup
		for i := range 64 {
			group.Go(func() {
				s.AddViews(1)
				s.AddCartItem("sku", 1)
				s.SetTheme([]string{"dark", "blue"}[i%2])
				_, _, _ = s.Name(), s.Dirty(), s.Handle()
				for range s.Cart() {
					s.SetAvatar([]byte{1})
				}
			})
		}
		group.Wait()
	})
	b.visit(func(s *VisitorSession) {
		if n, _ := s.CartItem("sku"); s.Views() != 64 || n != 64 {
			t.Errorf("views %d, cart %d, want 64 of each", s.Views(), n)
		}
	})
}

func TestR8AfterTheLastCommitReadsGiveTheLastViewAndWritesRaiseAnEvent(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			var closed *VisitorSession
			b.visit(func(s *VisitorSession) { closed = s; s.Name(); s.AddViews(3) })
			s.store.took()
			change(closed)
			wantErr(t, closed.Save(context.Background()), runtime.ErrTooLate)
			if closed.Name() != "Ada" || closed.Views() != 3 || closed.Theme() != "light" || closed.Dirty() {
				t.Error("not the last view")
			}
			wantCalls(t, s, "")
			if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventClosedWrite}) {
				t.Errorf("events %q", got)
			}
		})
	}
}

func TestR9ACommitAddsVaryWhereTheSessionWasRead(t *testing.T) {
	for name, c := range map[string]struct {
		before string
		do     func(*VisitorSession)
		want   string
	}{
		"untouched":       {"", func(*VisitorSession) {}, ""},
		"written":         {"", func(s *VisitorSession) { s.SetName("Grace") }, ""},
		"read":            {"", func(s *VisitorSession) { s.Name() }, "Cookie"},
		"taken":           {"", func(s *VisitorSession) { s.TakeNotice() }, "Cookie"},
		"IsNew":           {"", func(s *VisitorSession) { s.IsNew() }, "Cookie"},
		"Handle":          {"", func(s *VisitorSession) { s.Handle() }, "Cookie"},
		"Load":            {"", func(s *VisitorSession) { _ = s.Load(context.Background()) }, "Cookie"},
		"beside another":  {"Accept-Encoding", func(s *VisitorSession) { s.Name() }, "Accept-Encoding, Cookie"},
		"there already":   {"accept, cookie", func(s *VisitorSession) { s.Name() }, "accept, cookie"},
		"everything does": {"*", func(s *VisitorSession) { s.Name() }, "*"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSite(t).signedUp()
			res := b.do(func(w http.ResponseWriter, _ *http.Request, s *VisitorSession) {
				if c.before != "" {
					w.Header().Set("Vary", c.before)
				}
				c.do(s)
			})
			if got := strings.Join(res.Header["Vary"], ", "); got != c.want {
				t.Errorf("Vary %q, want %q", got, c.want)
			}
		})
	}
}

func TestR10RequestsWithoutASessionEachStartOne(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	first, second := b.tab(), b.tab()
	first.visit(func(v *VisitorSession) {
		v.SetName("first")
		second.visit(func(s *VisitorSession) { s.SetName("second") })
	})
	if s.nameIn(first.cookie) != "first" || s.nameIn(second.cookie) != "second" {
		t.Error("the requests share a session")
	}
	wantCalls(t, s, "create create")
}

func TestR10AnUnknownCookieIsNeverCleared(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			b.cookie = unknownToken
			res := b.visit(change)
			for _, c := range ownCookies(res) {
				if c.Value == "" {
					t.Errorf("cleared by %v", c)
				}
			}
		})
	}
}

func TestR10ACookieThatTheHandlerSetsIsLeftAlone(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	res := b.do(func(w http.ResponseWriter, _ *http.Request, s *VisitorSession) {
		w.Header().Set("Set-Cookie", "shop=mine")
		s.SetName("Ada")
	})
	wantCookies(t, res, 1)
	if got := res.Header.Get("Set-Cookie"); got != "shop=mine" {
		t.Errorf("Set-Cookie %q", got)
	}
	if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventCookieTaken}) {
		t.Errorf("events %q", got)
	}
}

// A blind write whose session is gone begins afresh, and fails if that does.
func TestR7ABeginningAfreshThatFailsIsSaid(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.cookie = unknownToken
	s.store.fail = func(call string) error {
		if call == "create" {
			return errOutage
		}
		return nil
	}
	res := b.visit(func(v *VisitorSession) { v.SetTheme("dark") })
	if calls := s.store.took(); res.StatusCode != http.StatusServiceUnavailable || calls != "update create" || len(s.errs) != 1 {
		t.Errorf("status %d, calls %q, errors %v", res.StatusCode, calls, s.errs)
	}
}
