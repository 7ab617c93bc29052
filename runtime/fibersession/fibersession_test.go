package fibersession_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/timeout"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/fibersession"
)

func TestTheSessionIsInTheCtxAndItsContext(t *testing.T) {
	s := with(t)
	s.app.Get("/both", func(c fiber.Ctx) error {
		one, other := session.VisitorFrom(c), session.VisitorFrom(c.Context())
		one.SetTheme("dark")
		return c.SendString(other.Theme())
	})
	s.app.Get("/adapted", adaptor.HTTPHandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, session.VisitorFrom(r.Context()).Theme())
	}))
	b := s.open().browser()
	b.wantAnswer("/both", 200, "dark")
	b.wantAnswer("/adapted", 200, "dark")
}

func TestAnAnswerHasWhatSessionsPutIntoHeaders(t *testing.T) {
	s := with(t)
	s.app.Get("/untouched", func(c fiber.Ctx) error { return c.SendString("hello") })
	s.app.Get("/redirect", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName("Ada")
		c.Vary("Accept")
		c.Cookie(&fiber.Cookie{Name: "other", Value: "1"})
		return c.Redirect().To("/name")
	})
	s.app.Get("/same", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName("Bob")
		return c.SendStatus(http.StatusNotModified)
	})
	b := s.open().browser()
	if res, _ := b.get("/untouched"); res.Header.Get("Vary") != "Cookie" || len(res.Cookies()) != 0 {
		t.Errorf("untouched: header %v", res.Header)
	}
	res, _ := b.get("/redirect")
	if got := fmt.Sprint(res.StatusCode, res.Header.Values("Vary"), res.Header["Cache-Control"], len(res.Cookies())); got != "303 [Accept Cookie] [no-store] 2" {
		t.Errorf("redirect: %s, header %v", got, res.Header)
	}
	b.wantName("Ada")
	if res := b.send("HEAD", "/be/Eve"); res.StatusCode != 200 || res.ContentLength != 4 {
		t.Errorf("HEAD: status %d, length %d", res.StatusCode, res.ContentLength)
	}
	b.wantName("Eve")
	b.wantAnswer("/same", http.StatusNotModified, "")
	b.wantName("Bob")
}

func TestSeveralCookiesBecomeOne(t *testing.T) {
	s := with(t)
	b := s.open().browser()
	res, _ := b.get("/be/Ada")
	name, value := res.Cookies()[0].Name, res.Cookies()[0].Value
	res, body := s.browser().get("/name", "Cookie", name+"=nonsense", "Cookie", name+"="+value)
	if body != "Ada" {
		t.Errorf("body %q, want Ada", body)
	}
	lines := res.Header["Set-Cookie"]
	if len(lines) < 2 || !strings.HasPrefix(lines[len(lines)-1], name+"="+value) {
		t.Errorf("the line that sets the cookie has to be the last one of several:\n%s", strings.Join(lines, "\n"))
	}
}

func TestAnErrorPageHasTheSessionAndItsStatusCounts(t *testing.T) {
	s := with(t)
	for _, status := range []int{404, 500} {
		s.app.Get(fmt.Sprint("/", status), func(c fiber.Ctx) error {
			session.VisitorFrom(c).SetName(fmt.Sprint(status))
			return fiber.NewError(status, "none")
		})
	}
	b := s.open().browser()
	b.wantAnswer("/404", 404, "sorry 404: none")
	b.wantAnswer("/500", 500, "sorry 500: none")
	b.wantName("404")
	b.wantAnswer("/no/such/page", 404, "sorry 404: Not Found")
}

func TestAnErrorHandlerThatFailsIsAnError(t *testing.T) {
	s := newShop(t)
	s.app = fiber.New(fiber.Config{ErrorHandler: func(_ fiber.Ctx, err error) error { return err }})
	s.app.Use(fibersession.Middleware(s.sessions))
	s.app.Get("/", func(fiber.Ctx) error { return errors.New("oh") })
	s.open().browser().wantAnswer("/", 500, "Internal Server Error")
}

func TestAPanicCommitsNothing(t *testing.T) {
	for _, outside := range []bool{true, false} {
		t.Run(fmt.Sprint("outside=", outside), func(t *testing.T) {
			s := newShop(t)
			recovering := recover.New()
			if outside {
				s.app.Use(recovering, fibersession.Middleware(s.sessions))
			} else {
				s.app.Use(fibersession.Middleware(s.sessions), recovering)
			}
			s.app.Get("/name", func(c fiber.Ctx) error { return c.SendString(session.VisitorFrom(c).Name()) })
			s.app.Get("/panic", func(c fiber.Ctx) error {
				v := session.VisitorFrom(c)
				v.SetUserID(1)
				v.SetName("Ada")
				if err := v.Save(c.Context()); err != nil {
					return err
				}
				v.SetName("Bob")
				panic("oh")
			})
			b := s.open().browser()
			if res, _ := b.get("/panic"); res.StatusCode != 500 || len(res.Cookies()) != 1 {
				t.Errorf("status %d, cookies %v, want 500 and what Save has set", res.StatusCode, res.Cookies())
			}
			b.wantName("Ada")
		})
	}
}

func TestAStoreThatIsDownIsSaidInsteadOfTheAnswer(t *testing.T) {
	s := newShop(t)
	s.app.Use(func(c fiber.Ctx) error {
		c.Set("X-Outer", "1")
		return c.Next()
	})
	s.app.Use(fibersession.Middleware(s.sessions))
	s.app.Get("/buffered", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName("Ada")
		c.Set("X-Inner", "1")
		c.Set("Access-Control-Allow-Origin", "*")
		c.Cookie(&fiber.Cookie{Name: "other", Value: "1"})
		return c.JSON("Ada")
	})
	s.app.Get("/streamed", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName("Ada")
		return c.SendStream(bytes.NewReader(make([]byte, 1000)))
	})
	b := s.open().browser()
	s.store.down.Store(true)
	for _, path := range []string{"/buffered", "/streamed"} {
		res, body := b.get(path)
		h := res.Header
		if res.StatusCode != 503 || strings.Contains(body, "Ada") || h.Get("Retry-After") != "1" || h.Get("X-Outer") != "1" ||
			h.Get("X-Inner") != "" || len(res.Cookies()) != 0 || !strings.HasPrefix(h.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: status %d, header %v, body %q", path, res.StatusCode, h, body)
		}
		if path == "/buffered" && h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: pages of other origins cannot read that: %v", path, h)
		}
	}
}

func TestWhatComesAfterADeadlineIsNotStored(t *testing.T) {
	s := newShop(t)
	s.app.Use(func(c fiber.Ctx) error {
		if c.Query("over") != "" {
			ctx, cancel := context.WithDeadline(c.Context(), time.Unix(0, 0))
			defer cancel()
			c.SetContext(ctx)
		}
		return c.Next()
	}, fibersession.Middleware(s.sessions))
	s.app.Get("/name", func(c fiber.Ctx) error { return c.SendString(session.VisitorFrom(c).Name()) })
	s.app.Get("/be/:name", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName(c.Params("name"))
		return nil
	})
	b := s.open().browser()
	b.get("/be/Ada")
	b.wantAnswer("/be/Bob?over=1", 503, "Service Unavailable\n")
	b.wantName("Ada")
}

func TestAHandlerThatIsGivenUpHasFailed(t *testing.T) {
	s := with(t)
	returned := make(chan struct{})
	s.app.Get("/slow", timeout.New(func(c fiber.Ctx) error {
		defer close(returned)
		session.VisitorFrom(c).SetName("late")
		<-c.Context().Done()
		return nil
	}, timeout.Config{Timeout: time.Millisecond}))
	b := s.open().browser()
	b.get("/be/Ada")
	if res, _ := b.get("/slow"); res.StatusCode != 408 {
		t.Errorf("status %d, want 408", res.StatusCode)
	}
	<-returned
	b.wantName("Ada")
}

func TestWhatEndAnswersHasNoCookie(t *testing.T) {
	s := with(t)
	s.app.Get("/end", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName("Bob")
		if err := c.SendString("over"); err != nil {
			return err
		}
		return c.End()
	})
	b := s.open().browser()
	if res := b.wantAnswer("/end", 200, "over"); len(res.Cookies()) != 0 {
		t.Errorf("header %v: docs/routers.md says otherwise", res.Header)
	}
}

func TestAVisitorHasToSignIn(t *testing.T) {
	s := with(t)
	s.app.Get("/account", fibersession.RequireSignIn(s.sessions, 0), func(c fiber.Ctx) error {
		c.Set("Cache-Control", "private")
		return c.SendString("yours")
	})
	b := s.open().browser()
	if res, body := b.get("/account"); res.StatusCode != 401 || body == "yours" {
		t.Errorf("nobody has signed in: %d %q", res.StatusCode, body)
	}
	b.get("/sign-in")
	if res := b.wantAnswer("/account", 200, "yours"); res.Header.Get("Cache-Control") != "private" {
		t.Errorf("header %v", res.Header)
	}
}

// kept is a tracer that keeps requests.
type kept struct {
	runtime.Tracer
	mu       sync.Mutex
	requests []*http.Request
	ended    []runtime.TraceEnd
}

func (k *kept) Begin(ctx context.Context, b runtime.TraceBegin) context.Context {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests = append(k.requests, b.Request)
	return ctx
}

func (k *kept) Read(context.Context, string)         {}
func (k *kept) Event(context.Context, runtime.Event) {}
func (k *kept) Error(context.Context, error)         {}

func (k *kept) End(_ context.Context, e runtime.TraceEnd) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = append(k.ended, e)
}

func (k *kept) ends() []runtime.TraceEnd {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.ended)
}

func TestARequestStaysWhatItWas(t *testing.T) {
	tracer := &kept{}
	s := with(t, func(c *runtime.Config) { c.Tracer = tracer })
	b := s.open().browser()
	b.get("/be/Ada?first", "X-Own", "aaaa", "Origin", "http://one.example", "Origin", "http://two.example")
	first := tracer.requests[0]
	before := fmt.Sprint(first.Method, first.URL, first.RequestURI, first.Host, first.RemoteAddr, first.Header)
	for range 3 {
		b.get("/be/Bob?later", "X-Own", "bbbb", "Origin", "http://xxx.example", "Origin", "http://yyy.example")
	}
	if after := fmt.Sprint(first.Method, first.URL, first.RequestURI, first.Host, first.RemoteAddr, first.Header); after != before {
		t.Errorf("a request was\n%s\nand has become\n%s", before, after)
	}
	if got := fmt.Sprint(first.URL, first.Header["X-Own"], first.Header["Origin"], "http://"+first.Host == s.url); got !=
		"/be/Ada?first [aaaa] [http://one.example http://two.example] true" {
		t.Errorf("the request is %s", got)
	}
	if ended := tracer.ends(); len(ended) < 3 || ended[0].Status != 200 || ended[0].Err != nil {
		t.Errorf("the traces end with %+v", ended)
	}
}

func TestVisitorsAtOnceKeepTheirOwnSessions(t *testing.T) {
	s := with(t)
	s.app.Get("/add", func(c fiber.Ctx) error {
		session.VisitorFrom(c).AddVisits(1)
		return nil
	})
	s.app.Get("/visits", func(c fiber.Ctx) error {
		return c.SendString(fmt.Sprint(session.VisitorFrom(c).Name(), session.VisitorFrom(c).Visits()))
	})
	s.open()
	const rounds = 20
	var all sync.WaitGroup
	for i := range 4 {
		b, name := s.browser(), fmt.Sprint("guest-", i, "-")
		b.get("/be/" + name)
		for range 2 { // of one browser at once, too
			all.Go(func() {
				for range rounds {
					b.get("/add")
					if _, got := b.get("/name"); got != name {
						t.Errorf("the session of %s is that of %q", name, got)
					}
				}
			})
		}
		defer b.wantAnswer("/visits", 200, fmt.Sprint(name, 2*rounds))
	}
	all.Wait()
}

func TestWhatIsStoredIsNotTheMemoryOfARequest(t *testing.T) {
	s := with(t)
	var item string // as Fiber gives it, for its request alone
	s.app.Get("/add", func(c fiber.Ctx) error {
		v := session.VisitorFrom(c)
		item = c.Query("item")
		v.AddCartItem(item, 1)
		v.SetNotice(c.Query("notice"))
		v.AppendRecent(item)
		return nil
	})
	s.app.Get("/cart", func(c fiber.Ctx) error {
		v := session.VisitorFrom(c)
		if c.Query("item") == "" || item == "duck" {
			t.Error("the memory of the other request was not used again: this shows nothing")
		}
		return c.SendString(fmt.Sprint(maps.Collect(v.Cart()), slices.Collect(v.Recent()), v.TakeNotice()))
	})
	b := s.open().browser()
	b.get("/add?item=duck&notice=good")
	b.wantAnswer("/cart?item=xxxx&notice=xxxx", 200, "map[duck:1] [duck]good")
}

func TestAMiddlewareTwiceIsOne(t *testing.T) {
	s := with(t)
	s.app.Use(fibersession.Middleware(s.sessions))
	s.app.Get("/again/:name", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetTheme("dark")
		c.Path("/be/" + c.Params("name"))
		return c.RestartRouting()
	})
	s.app.Get("/both", func(c fiber.Ctx) error {
		return c.SendString(session.VisitorFrom(c).Name() + session.VisitorFrom(c).Theme())
	})
	b := s.open().browser()
	if res := b.wantAnswer("/again/Ada", 200, "done"); len(res.Cookies()) != 1 {
		t.Errorf("the header is %v, want one cookie", res.Header)
	}
	b.wantAnswer("/both", 200, "Adadark")
}

func TestSessionsOfTwoManagersGoTogether(t *testing.T) {
	s := newShop(t)
	other := newShop(t, func(c *runtime.Config) { c.Cookie.Name = "other" })
	s.app.Use(fibersession.Middleware(other.sessions))
	s.app.Get("/outer", func(c fiber.Ctx) error { return c.SendString(session.VisitorFrom(c).Name()) })
	s.app.Get("/both", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName("outer")
		return c.Next()
	}, fibersession.Middleware(s.sessions), func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName("inner")
		return nil
	})
	b := s.open().browser()
	if res := b.wantAnswer("/both", 200, ""); len(res.Cookies()) != 2 {
		t.Errorf("the header is %v, want two cookies", res.Header)
	}
	b.wantAnswer("/outer", 200, "outer")
	s.store.down.Store(true)
	if res, _ := b.get("/both"); res.StatusCode != 503 || len(res.Cookies()) != 0 {
		t.Errorf("one store is down: %d, header %v", res.StatusCode, res.Header)
	}
}

func TestARequestOverTLSIsOne(t *testing.T) {
	s := with(t, func(c *runtime.Config) { c.Cookie.Secure = true })
	s.app.Get("/origin", func(c fiber.Ctx) error {
		r := fibersession.Request(c)
		return c.SendString(fmt.Sprint(r.TLS != nil, s.sessions.CheckOrigin(r)))
	})
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", certified.TLS)
	if err != nil {
		t.Fatal(err)
	}
	b := s.openOn(l).browser()
	b.client.Transport = certified.Client().Transport
	s.url = strings.Replace(s.url, "http:", "https:", 1)
	b.get("/be/Ada")
	b.wantName("Ada")
	if _, got := b.get("/origin", "Origin", s.url); got != "true <nil>" {
		t.Errorf("a request of a page of its own: %s", got)
	}
	if _, got := b.get("/origin", "Origin", "https://evil.example"); !strings.Contains(got, "evil") {
		t.Errorf("a request of another page: %s", got)
	}
}

func TestAnAppIsTestedWithItsSessions(t *testing.T) {
	s := with(t)
	res, err := s.app.Test(httptest.NewRequest("GET", "/be/Ada", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if len(res.Cookies()) != 1 {
		t.Fatalf("header %v, want a cookie", res.Header)
	}
	r := httptest.NewRequest("GET", "/name", nil)
	r.AddCookie(res.Cookies()[0])
	if res, err = s.app.Test(r); err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "Ada" {
		t.Errorf("body %q, %v, want Ada", body, err)
	}
}
