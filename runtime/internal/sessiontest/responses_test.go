package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

func TestR9APageThatReadsItsSessionLateVariesByCookie(t *testing.T) {
	write := func(w http.ResponseWriter) { _, _ = io.WriteString(w, "begun") }
	for name, c := range map[string]struct {
		header map[string]string // that the handler sets
		begin  func(w http.ResponseWriter, v *VisitorSession)
		vary   string
		events []runtime.EventKind // when it reads then
	}{
		"untouched":           {nil, func(w http.ResponseWriter, _ *VisitorSession) { write(w) }, "Cookie", nil},
		"written":             {nil, func(w http.ResponseWriter, v *VisitorSession) { v.AddViews(1); write(w) }, "Cookie", nil},
		"by a status":         {nil, func(w http.ResponseWriter, _ *VisitorSession) { w.WriteHeader(http.StatusOK) }, "Cookie", nil},
		"by a flush":          {nil, func(w http.ResponseWriter, _ *VisitorSession) { w.(http.Flusher).Flush() }, "Cookie", nil},
		"beside another":      {map[string]string{"Vary": "Origin"}, func(w http.ResponseWriter, _ *VisitorSession) { write(w) }, "Origin, Cookie", nil},
		"with Cache-Control":  {map[string]string{"Cache-Control": "public"}, func(w http.ResponseWriter, _ *VisitorSession) { write(w) }, "", late},
		"with Expires":        {map[string]string{"Expires": "0"}, func(w http.ResponseWriter, _ *VisitorSession) { write(w) }, "", late},
		"with an ETag":        {map[string]string{"ETag": `"1"`}, func(w http.ResponseWriter, _ *VisitorSession) { write(w) }, "", late},
		"with Last-Modified":  {map[string]string{"Last-Modified": "now"}, func(w http.ResponseWriter, _ *VisitorSession) { write(w) }, "", late},
		"cacheable, written":  {map[string]string{"ETag": `"1"`}, func(w http.ResponseWriter, v *VisitorSession) { v.AddViews(1); write(w) }, "", late},
		"cacheable, varied":   {map[string]string{"ETag": `"1"`, "Vary": "Cookie"}, func(w http.ResponseWriter, _ *VisitorSession) { write(w) }, "Cookie", nil},
		"cacheable, but read": {map[string]string{"ETag": `"1"`}, func(w http.ResponseWriter, v *VisitorSession) { v.Name(); write(w) }, "Cookie", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			res := b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
				for field, value := range c.header {
					w.Header().Set(field, value)
				}
				c.begin(w, v)
				if v.Name() != "Ada" || v.Theme() != "light" {
					t.Error("the session cannot be read any more")
				}
			})
			if got := strings.Join(res.Header["Vary"], ", "); got != c.vary {
				t.Errorf("Vary %q, want %q", got, c.vary)
			}
			wantEvents(t, s, c.events...)
		})
	}
}

var late = []runtime.EventKind{runtime.EventVaryLate}

// A failing answer is what a handler sends after it has changed its session.
func TestR12AHandlerThatFailsCommitsOnlyWhatEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*VisitorSession)
		want string // what is stored
		user int64
	}{
		"a write":               {func(v *VisitorSession) { v.SetName("Grace") }, "Ada", 7},
		"a read and a write":    {func(v *VisitorSession) { v.SetName(v.Name() + "Grace") }, "Ada", 7},
		"a sign-in":             {func(v *VisitorSession) { v.SetUserID(8); v.SetName("Grace") }, "Ada", 7},
		"a renewal":             {func(v *VisitorSession) { v.Renew(); v.SetName("Grace") }, "Ada", 7},
		"a deadline":            {func(v *VisitorSession) { v.SetExpiry(begin.Add(time.Hour)) }, "Ada", 7},
		"what was saved":        {func(v *VisitorSession) { v.SetName("Grace"); _ = v.Save(context.Background()); v.SetName("lost") }, "Grace", 7},
		"what is too large":     {func(v *VisitorSession) { v.SetName(strings.Repeat("n", 41)) }, "Ada", 7},
		"a sign-out":            {func(v *VisitorSession) { v.SetName("Grace"); v.ClearUserID() }, "Ada", 0},
		"a destruction":         {func(v *VisitorSession) { v.Destroy() }, nothing, 0},
		"a farewell":            {func(v *VisitorSession) { v.Destroy(); v.SetNotice("good bye") }, nothing, 0},
		"an expiry in the past": {func(v *VisitorSession) { v.SetExpiry(begin.Add(-time.Hour)) }, nothing, 0},
	} {
		for how, fail := range failings {
			t.Run(name+", "+how, func(t *testing.T) {
				s := newSite(t)
				b := s.signedUp()
				b.visit(func(v *VisitorSession) { v.SetUserID(7) })
				s.wait(time.Second)
				known := b.tab()
				r := request(t, "GET", "https://shop.example/", b.cookie)
				w := httptest.NewRecorder()
				s.Middleware(fail(func(r *http.Request) { c.do(VisitorFrom(r.Context())) })).ServeHTTP(w, r)
				wantAnswer(t, w.Result(), http.StatusInternalServerError)
				b.take(w.Result())
				s.wait(time.Second)
				if c.want == nothing {
					known.visit(func(v *VisitorSession) {
						if !v.IsNew() {
							t.Error("the session has not ended")
						}
					})
					return
				}
				b.visit(func(v *VisitorSession) {
					if v.Name() != c.want || v.UserID() != c.user || !v.ExpiresAt().After(begin.Add(2*time.Hour)) {
						t.Errorf("name %q of user %d until %v, want %q of %d", v.Name(), v.UserID(), v.ExpiresAt(), c.want, c.user)
					}
				})
				if len(s.errs) > 0 {
					t.Errorf("told %v", s.errs)
				}
			})
		}
	}
}

// failings are handlers that fail after the given use of the session.
var failings = map[string]func(do func(*http.Request)) http.Handler{
	"then 500": func(do func(*http.Request)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			do(r)
			http.Error(w, "oh", http.StatusInternalServerError)
		})
	},
	"then a panic that is recovered": func(do func(*http.Request)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}()
			do(r)
			panic("oh")
		})
	},
}

func TestR12AHandlerThatFailsLateLosesWhatItDidSince(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	res := b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.AddViews(1)
		_, _ = io.WriteString(w, "begun")
		v.AddViews(1)
		w.WriteHeader(http.StatusInternalServerError) // of a recoverer, superfluous
	})
	wantAnswer(t, res, http.StatusOK)
	b.visit(func(v *VisitorSession) {
		if v.Views() != 1 {
			t.Errorf("%d views, want that of before the response", v.Views())
		}
	})
}

func TestR12CommitFailedKeepsEverything(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.CommitFailed = true })
	b := s.signedUp()
	res := b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.SetName("Grace")
		v.SetUserID(7)
		w.WriteHeader(http.StatusBadGateway)
	})
	wantAnswer(t, res, http.StatusBadGateway)
	b.visit(func(v *VisitorSession) {
		if v.Name() != "Grace" || v.UserID() != 7 {
			t.Errorf("name %q of user %d", v.Name(), v.UserID())
		}
	})
}

func TestR12AStatusBelow500IsNoFailure(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.SetName("Grace")
		w.WriteHeader(499)
	})
	wantName(t, s, b.cookie, "Grace")
}

func TestR13WhatIsStoredOnceTheRequestIsOver(t *testing.T) {
	hungUp := func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }
	tooSlow := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithTimeout(ctx, 0)
		return ctx, cancel
	}
	for name, c := range map[string]struct {
		over func(context.Context) (context.Context, context.CancelFunc)
		do   func(*VisitorSession)
		name string // that is stored
		user int64
		err  bool // something was dropped
	}{
		"hung up: a write":             {hungUp, func(v *VisitorSession) { v.SetName("Grace") }, "Grace", 7, false},
		"hung up: a plain renewal":     {hungUp, func(v *VisitorSession) { v.Renew(); v.SetName("Grace") }, "Grace", 7, true},
		"hung up: a sign-in":           {hungUp, func(v *VisitorSession) { v.SetUserID(8); v.SetName("Grace") }, "Ada", 7, true},
		"hung up: a saved sign-in":     {hungUp, func(v *VisitorSession) { v.SetUserID(8); _ = v.Save(context.Background()) }, "Ada", 7, true},
		"hung up: a sign-out":          {hungUp, func(v *VisitorSession) { v.ClearUserID() }, signedOut, 0, false},
		"hung up: a destruction":       {hungUp, func(v *VisitorSession) { v.Destroy() }, nothing, 0, false},
		"hung up: a farewell":          {hungUp, func(v *VisitorSession) { v.Destroy(); v.SetNotice("bye") }, nothing, 0, true},
		"too slow: a write":            {tooSlow, func(v *VisitorSession) { v.SetName("Grace") }, "Ada", 7, true},
		"too slow: a plain renewal":    {tooSlow, func(v *VisitorSession) { v.Renew(); v.SetName("Grace") }, "Ada", 7, true},
		"too slow: a sign-in":          {tooSlow, func(v *VisitorSession) { v.SetUserID(8); v.SetName("Grace") }, "Ada", 7, true},
		"too slow: a sign-out":         {tooSlow, func(v *VisitorSession) { v.SetName("Grace"); v.ClearUserID() }, signedOut, 0, true},
		"too slow: a destruction":      {tooSlow, func(v *VisitorSession) { v.Destroy() }, nothing, 0, false},
		"too slow: nothing is changed": {tooSlow, func(*VisitorSession) {}, "Ada", 7, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			b.visit(func(v *VisitorSession) { v.SetUserID(7) })
			s.wait(time.Second)
			known := b.cookie
			ctx, cancel := c.over(context.Background())
			defer cancel()
			r := request(t, "GET", "https://shop.example/", known).WithContext(ctx)
			w := httptest.NewRecorder()
			s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				c.do(VisitorFrom(r.Context()))
			})).ServeHTTP(w, r)
			wantCookies(t, w.Result(), map[bool]int{true: 1}[c.name == nothing || c.name == signedOut])
			if told := len(s.errs) > 0; told != c.err {
				t.Errorf("told %v", s.errs)
			}
			if c.err {
				wantErr(t, s.lastTold(), runtime.ErrTooLate)
				wantErr(t, s.lastTold(), ctx.Err())
			}
			s.wait(time.Second)
			if c.name == signedOut {
				if n := s.sessionsOf(t, 7); n != 0 {
					t.Errorf("%d sessions of the user", n)
				}
				return
			}
			wantName(t, s, known, c.name)
			if n := s.sessionsOf(t, 8); n != 0 {
				t.Errorf("%d sessions of the other user", n)
			}
		})
	}
}

// signedOut says that no token of the browser opens the session any more.
const signedOut = "signed out"

// sessionsOf returns how many sessions a user has.
func (s *site) sessionsOf(t *testing.T, user int64) (n int) {
	t.Helper()
	for _, err := range s.FindByUserID(context.Background(), user) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestR13NobodyLearnsOfASessionThatBeginsTooLate(t *testing.T) {
	for name, do := range map[string]func(*VisitorSession){
		"without a cookie": func(v *VisitorSession) { v.SetName("Ada") },
		"saved":            func(v *VisitorSession) { v.SetName("Ada"); _ = v.Save(context.Background()) },
		"with a sign-in":   func(v *VisitorSession) { v.SetUserID(7) },
	} {
		for _, cookie := range []string{"", unknownToken} {
			t.Run(name+cookie, func(t *testing.T) {
				s := newSite(t)
				b := s.browser()
				b.cookie = cookie
				b.hungUp(do)
				if got := s.store.took(); strings.Contains(got, "create") {
					t.Errorf("store calls %q", got)
				}
				wantErr(t, s.lastTold(), runtime.ErrTooLate)
			})
		}
	}
}

func TestR13ATimeoutHandlerAroundOrInsideKeepsTheOldToken(t *testing.T) {
	for name, around := range map[string]bool{"around": true, "inside": false} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			acted := make(chan struct{})
			slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				v := VisitorFrom(r.Context())
				v.SetName("Grace")
				v.SetUserID(7)
				close(acted)
				<-r.Context().Done()
				_, _ = io.WriteString(w, "welcome")
			})
			ended := make(chan struct{})
			h := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer close(ended)
					next.ServeHTTP(w, r)
				})
			}
			handler := s.Middleware(http.TimeoutHandler(h(slow), 50*time.Millisecond, "too slow"))
			if around {
				handler = http.TimeoutHandler(h(s.Middleware(slow)), 50*time.Millisecond, "too slow")
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, request(t, "GET", "https://shop.example/", b.cookie))
			<-ended
			wantAnswer(t, w.Result(), http.StatusServiceUnavailable)
			wantCookies(t, w.Result(), 0)
			wantName(t, s, b.cookie, "Ada")
			if n := s.sessionsOf(t, 7); n != 0 {
				t.Errorf("signed in, %d times", n)
			}
		})
	}
}

func TestR14TheErrorHandlerAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		fail   error
		name   string
		status int
	}{
		"outage": {errOutage, "Grace", http.StatusServiceUnavailable},
		"limit":  {nil, strings.Repeat("n", 41), http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(config *runtime.Config) {
				config.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err error) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(runtime.StatusOf(err))
					_, _ = io.WriteString(w, r.URL.Path+VisitorFrom(r.Context()).Theme())
				}
			})
			b := s.signedUp()
			res := b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
				v.Theme()
				s.store.fail = func(string) error { return c.fail }
				v.SetName(c.name)
				w.Header().Set("X-Accel-Redirect", "/private")
				_, _ = io.WriteString(w, "half a page")
			})
			body, _ := io.ReadAll(res.Body)
			wantAnswer(t, res, c.status)
			if string(body) != "/a/blight" || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("X-Accel-Redirect") != "" {
				t.Errorf("body %q, header %v", body, res.Header)
			}
		})
	}
}

func TestR14AnErrorHandlerThatSaysNothingOfAStatusDoesNotAnswer200(t *testing.T) {
	for name, handle := range map[string]func(w http.ResponseWriter){
		"nothing at all": func(http.ResponseWriter) {},
		"a header":       func(w http.ResponseWriter) { w.Header().Set("X-Why", "outage") },
		"a body":         func(w http.ResponseWriter) { _, _ = io.WriteString(w, "later") },
		"a flush":        func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(config *runtime.Config) {
				config.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { handle(w) }
			})
			b := s.signedUp()
			s.store.fail = func(string) error { return errOutage }
			wantAnswer(t, b.visit(func(v *VisitorSession) { v.SetName("Grace") }), http.StatusServiceUnavailable)
		})
	}
	s := newSite(t, func(config *runtime.Config) {
		config.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusTeapot) }
	})
	b := s.signedUp()
	s.store.fail = func(string) error { return errOutage }
	wantAnswer(t, b.visit(func(v *VisitorSession) { v.SetName("Grace") }), http.StatusTeapot)
}

func TestR14EarlyHintsOfAnErrorHandlerAreNoAnswer(t *testing.T) {
	s := newSite(t, func(config *runtime.Config) {
		config.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusEarlyHints) }
	})
	s.store.fail = func(string) error { return errOutage }
	server := httptest.NewServer(s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		VisitorFrom(r.Context()).SetName("Grace")
	})))
	defer server.Close()
	res, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	wantAnswer(t, res, http.StatusServiceUnavailable)
}

func TestR14ByDefaultAnOutageSaysWhenToTryAgain(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	s.store.fail = func(string) error { return errOutage }
	res := b.visit(func(v *VisitorSession) { v.SetName("Grace") })
	if got := res.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
	s.store.fail = nil
	res = b.visit(func(v *VisitorSession) { v.SetName(strings.Repeat("n", 41)) })
	wantAnswer(t, res, http.StatusRequestEntityTooLarge)
	if got := res.Header.Get("Retry-After"); got != "" {
		t.Errorf("Retry-After %q of what cannot be mended", got)
	}
}

// The cookie of what Save has stored is the session's, not the handler's.
func TestR14WhatSaveHasStoredKeepsItsCookie(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	res := b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.SetName("Ada")
		if err := v.Save(context.Background()); err != nil {
			t.Fatal(err)
		}
		http.SetCookie(w, &http.Cookie{Name: "theirs", Value: "1"})
		v.SetName(strings.Repeat("n", 41))
		_, _ = io.WriteString(w, "half a page")
	})
	wantAnswer(t, res, http.StatusRequestEntityTooLarge)
	wantCookies(t, res, 1)
	wantName(t, s, b.cookie, "Ada")
}

func TestR14TheCookieOfAnOuterManagerStays(t *testing.T) {
	outer := newSite(t, func(c *runtime.Config) { c.Cookie.Name = "outer" })
	inner := newSite(t)
	w := httptest.NewRecorder()
	var outside *VisitorSession
	outer.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outside = VisitorFrom(r.Context())
		inner.behind(func(http.ResponseWriter, *http.Request, *VisitorSession) {
			outside.SetName("Ada")
			if err := outside.Save(context.Background()); err != nil {
				t.Fatal(err)
			}
			inner.store.fail = func(string) error { return errOutage }
			VisitorFrom(r.Context())
		}).ServeHTTP(w, r)
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != "outer" {
		t.Errorf("cookies %v", c)
	}
}

func TestR15AFirstReadAfterTheEndIsTooLate(t *testing.T) {
	for name, serve := range map[string]func(*testing.T, *browser, func(*VisitorSession)){
		"a goroutine": func(t *testing.T, b *browser, read func(*VisitorSession)) {
			var left *VisitorSession
			b.visit(func(v *VisitorSession) { left = v })
			read(left)
		},
		"after a blind write": func(t *testing.T, b *browser, read func(*VisitorSession)) {
			var left *VisitorSession
			b.visit(func(v *VisitorSession) { v.AddViews(1); left = v })
			read(left)
		},
		"an error page outside": func(t *testing.T, b *browser, read func(*VisitorSession)) {
			var inside context.Context
			h := b.site.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = r.Context() }))
			h.ServeHTTP(httptest.NewRecorder(), request(t, "GET", "https://shop.example/", b.cookie))
			read(VisitorFrom(inside))
		},
		"after ProcessResponse": func(t *testing.T, b *browser, read func(*VisitorSession)) {
			var left *VisitorSession
			if _, err := b.process(func(v *VisitorSession) { left = v }); err != nil {
				t.Error(err)
			}
			read(left)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			serve(t, b, func(v *VisitorSession) {
				s.store.took()
				if v.Name() != "" || v.UserID() != 0 || v.Theme() != "light" {
					t.Error("not the defaults")
				}
				wantErr(t, v.Err(), runtime.ErrTooLate)
				wantErr(t, v.Load(context.Background()), runtime.ErrTooLate)
			})
			wantCalls(t, s, "")
			wantEvents(t, s, runtime.EventClosedRead)
		})
	}
}

func TestR15ANewVisitorsSessionIsKnownToBeEmpty(t *testing.T) {
	s := newSite(t)
	var left *VisitorSession
	s.browser().visit(func(v *VisitorSession) { left = v })
	if left.Name() != "" || !left.IsNew() {
		t.Error("not a new session")
	}
	wantErr(t, left.Err(), nil)
	wantEvents(t, s)
}

func TestR15TheCookieIsWhatTheRequestBrought(t *testing.T) {
	for name, change := range map[string]func(http.Header){
		"deleted":           func(h http.Header) { h.Del("Cookie") },
		"replaced":          func(h http.Header) { h.Set("Cookie", "shop="+unknownToken) },
		"replaced in place": func(h http.Header) { h["Cookie"][0] = "" },
		"joined by another": func(h http.Header) { h.Add("Cookie", "shop="+unknownToken) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			b.do(func(_ http.ResponseWriter, r *http.Request, v *VisitorSession) {
				change(r.Header)
				v.SetTheme("dark")
			})
			wantCalls(t, s, "update")
			wantEvents(t, s)
			b.visit(func(v *VisitorSession) {
				if v.Name() != "Ada" || v.Theme() != "dark" {
					t.Errorf("name %q, theme %q", v.Name(), v.Theme())
				}
			})
		})
	}
}

// frozen is a store that answers nobody, as a server that is stopped.
type frozen struct{ runtime.Store }

func (frozen) Load(ctx context.Context, _ runtime.Key) (*runtime.Record, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (frozen) Update(ctx context.Context, _ runtime.Key, _ *runtime.Delta) (*runtime.Result, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestR5ConfigTimeoutBoundsEveryCallOfTheStore(t *testing.T) {
	for name, do := range map[string]func(*VisitorSession){
		"a read":  func(v *VisitorSession) { v.Name() },
		"Load":    func(v *VisitorSession) { _ = v.Load(context.Background()) },
		"a write": func(v *VisitorSession) { v.AddViews(1) },
		"Save":    func(v *VisitorSession) { v.AddViews(1); _ = v.Save(context.Background()) },
		"Destroy": func(v *VisitorSession) { v.Destroy() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(c *runtime.Config) { c.Timeout = 20 * time.Millisecond })
			b := s.signedUp()
			s.store.Store = frozen{s.store.Store}
			b.visit(do)
			wantErr(t, s.lastTold(), context.DeadlineExceeded)
		})
	}
}

func TestR5ALoadEndsWithTheVisitor(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	s.store.Store = frozen{s.store.Store}
	b.hungUp(func(v *VisitorSession) { v.Name() })
	wantErr(t, s.lastTold(), context.Canceled)
}

// gone is what gin's Stream does with its writer.
func TestTheWriterOffersCloseNotifierAndPusherAlways(t *testing.T) {
	s := newSite(t)
	ctx, hangUp := context.WithCancel(context.Background())
	s.behind(func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) {
		//lint:ignore SA1019 it is what frameworks use
		gone := w.(http.CloseNotifier).CloseNotify()
		select {
		case <-gone:
			t.Error("gone before the visitor hung up")
		default:
		}
		hangUp()
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Error("nobody says that the visitor has hung up")
		}
		if err := w.(http.Pusher).Push("/style.css", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("push: %v", err)
		}
	}).ServeHTTP(wrapped{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
	wantCalls(t, s, "")
}

// notifier has the methods that servers offer for HTTP/2 and of old.
type notifier struct {
	http.ResponseWriter
	gone   chan bool
	pushed string
}

func (n *notifier) CloseNotify() <-chan bool { return n.gone }
func (n *notifier) Push(target string, _ *http.PushOptions) error {
	n.pushed = target
	return nil
}

func TestCloseNotifierAndPusherAreTheServers(t *testing.T) {
	s := newSite(t)
	server := &notifier{ResponseWriter: httptest.NewRecorder(), gone: make(chan bool, 1)}
	server.gone <- true
	s.behind(func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) {
		//lint:ignore SA1019 it is what frameworks use
		if !<-w.(http.CloseNotifier).CloseNotify() {
			t.Error("not the server's")
		}
		if err := w.(http.Pusher).Push("/style.css", nil); err != nil || server.pushed != "/style.css" {
			t.Errorf("pushed %q, %v", server.pushed, err)
		}
	}).ServeHTTP(wrapped{server}, httptest.NewRequest("GET", "/", nil))
}

// logged serves with the default hooks and returns what they log.
func logged(t *testing.T, serve func(s *site)) string {
	t.Helper()
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	serve(newSite(t, func(c *runtime.Config) { c.OnError, c.OnEvent = nil, nil }))
	return log.String()
}

func TestR17ErrorsNameOperationSessionAndHandle(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	for call, op := range map[string]string{"load": "load", "update": "save"} {
		s.store.fail = func(c string) error {
			if c == call {
				return errOutage
			}
			return nil
		}
		var handle string
		b.visit(func(v *VisitorSession) { handle = v.Handle(); v.Name(); v.SetTheme(op) })
		var e *runtime.Error
		if !errors.As(s.lastTold(), &e) || e.Op != op || e.Session != "sessiontest.Visitor" || e.Handle != handle || !errors.Is(e, errOutage) {
			t.Errorf("%s: %#v", call, s.lastTold())
		}
	}
}

func TestR17TheDefaultLogNamesTheRequestWithoutItsQuery(t *testing.T) {
	var handle string
	log := logged(t, func(s *site) {
		b := s.signedUp()
		s.store.fail = func(string) error { return errOutage }
		r := request(t, "POST", "https://shop.example/pay?card=4711", b.cookie)
		s.behind(func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) { handle = v.Handle(); v.Name() }).
			ServeHTTP(httptest.NewRecorder(), r)
	})
	for _, want := range []string{
		"level=ERROR", "session=sessiontest.Visitor", "op=load", "handle=" + handle, "request.method=POST", "request.path=/pay", "store is down",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in %s", want, log)
		}
	}
	if strings.Contains(log, "4711") || strings.Count(log, "\n") != 1 {
		t.Errorf("the log shows the query, or more than a line: %s", log)
	}
}

func TestR17WhatIsPartOfNormalWorkIsLoggedAsInformation(t *testing.T) {
	for name, serve := range map[string]func(s *site){
		"a session that has ended": func(s *site) {
			b := s.signedUp()
			b.visit(func(v *VisitorSession) {
				v.Name()
				b.tab().visit(func(v *VisitorSession) { v.Destroy() })
				v.SetName("Grace")
			})
		},
		"a token that a sign-in has superseded": func(s *site) {
			b := s.signedUp()
			signInElsewhere(s, b)
			b.visit(func(v *VisitorSession) { v.SetName("Grace") })
		},
		"a malformed cookie": func(s *site) {
			s.answer("shop=malformed", func(v *VisitorSession) { v.Name() })
		},
		"a visitor who hangs up": func(s *site) {
			b := s.signedUp()
			b.hungUp(func(v *VisitorSession) { v.SetUserID(7) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			if log := logged(t, serve); !strings.Contains(log, "level=INFO") || strings.Contains(log, "level=WARN") || strings.Contains(log, "level=ERROR") {
				t.Errorf("logged %q", log)
			}
		})
	}
}

func TestR17WhatOthersSendIsCutInLogsAndErrors(t *testing.T) {
	long := strings.Repeat("x", 900<<10)
	s := newSite(t)
	r := request(t, "GET", "https://shop.example/lively", "")
	r.Header.Set("Origin", "https://"+long)
	r.Host = "shop." + long
	err := s.CheckOrigin(r)
	if wantErr(t, err, runtime.ErrForeignOrigin); len(err.Error()) > 2000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
	log := logged(t, func(s *site) {
		r := request(t, "GET", "https://shop.example/"+long, "malformed")
		s.behind(func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) { v.Name() }).ServeHTTP(httptest.NewRecorder(), r)
	})
	if len(log) == 0 || len(log) > 2000 {
		t.Errorf("a log of %d bytes", len(log))
	}
	e := runtime.Event{Kind: runtime.EventMisfit, Field: "cart:" + long}
	if n := len(e.String()); n > 2000 {
		t.Errorf("an event of %d bytes", n)
	}
}

func TestR12DiscardDropsWhatIsNotStored(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(func(v *VisitorSession) {
		v.SetTheme("dark")
		if err := v.Save(context.Background()); err != nil {
			t.Fatal(err)
		}
		for name, change := range changes {
			change(v)
			v.Discard()
			if v.Dirty() || v.IsNew() || v.Name() != "Ada" || v.Theme() != "dark" {
				t.Errorf("after %s: dirty %v, name %q, theme %q", name, v.Dirty(), v.Name(), v.Theme())
			}
		}
	})
	wantCookies(t, b.last, 0)
	wantName(t, s, b.cookie, "Ada")
}

func TestR16ReloadSeesWhatOthersStoredAndKeepsWhatIsPending(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	b.visit(func(v *VisitorSession) {
		v.SetTheme("dark")
		if v.Name() != "Ada" {
			t.Error("not loaded")
		}
		b.tab().visit(func(v *VisitorSession) { v.SetName("Grace"); v.SetTheme("blue") })
		if err := v.Reload(context.Background()); err != nil || v.Name() != "Grace" || v.Theme() != "dark" {
			t.Errorf("name %q, theme %q, %v", v.Name(), v.Theme(), err)
		}
		b.tab().visit(func(v *VisitorSession) { v.Destroy() })
		wantErr(t, v.Reload(context.Background()), runtime.ErrEnded)
	})
	wantAnswer(t, b.last, http.StatusConflict)
	wantErr(t, VisitorFrom(context.Background()).Reload(context.Background()), runtime.ErrNoMiddleware)
}

func TestR16APassiveRequestMovesNoIdleLimit(t *testing.T) {
	for name, do := range map[string]func(*VisitorSession){
		"reads":  func(v *VisitorSession) { v.Name() },
		"writes": func(v *VisitorSession) { v.AddViews(1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *runtime.Config) { c.Idle = time.Hour })
			b := s.signedUp()
			s.wait(50 * time.Minute)
			b.visit(func(v *VisitorSession) { v.Passive(); do(v) })
			s.wait(9 * time.Minute)
			wantName(t, s, b.cookie, "Ada")
			s.wait(time.Minute)
			wantName(t, s, b.cookie, nothing)
		})
	}
}
