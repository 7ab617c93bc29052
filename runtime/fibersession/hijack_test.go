package fibersession_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/timeout"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/fibersession"
)

// page is a live connection that only keeps what it is asked to run.
type page struct{ synced chan string }

func (p page) ExecuteJS(context.Context, string) error { return nil }
func (p page) SyncBrowserState(_ context.Context, url string) error {
	p.synced <- url
	return nil
}
func (p page) CloseLively(runtime.LivelyEnd) {}

func TestAHijackedConnectionIsALiveOne(t *testing.T) {
	s := with(t)
	p := page{make(chan string, 1)}
	ended := make(chan error, 1)
	s.app.Get("/live", func(c fiber.Ctx) error {
		v, ctx := session.VisitorFrom(c), c.Context()
		v.SetName("Ada")
		c.Status(http.StatusSwitchingProtocols).Set("Upgrade", "quack")
		c.Set("Connection", "Upgrade")
		c.RequestCtx().Hijack(func(net.Conn) {
			ended <- s.sessions.LivelyEvent(ctx, p, v, func(context.Context) error {
				v.SetTheme(v.Name())
				v.SetUserID(1)
				return nil
			})
		})
		return nil
	})
	s.app.Post("/lively/sync", fibersession.Handler(s.sessions.SyncHandler()))
	s.app.Get("/theme", func(c fiber.Ctx) error { return c.SendString(session.VisitorFrom(c).Theme()) })
	b := s.open().browser()
	res := b.send("GET", "/live", "Connection", "Upgrade", "Upgrade", "quack")
	_ = res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols || len(res.Cookies()) != 1 {
		t.Fatalf("status %d, header %v, want 101 with a cookie", res.StatusCode, res.Header)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	res = b.send("POST", <-p.synced, "Origin", s.url)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNoContent || len(res.Cookies()) == 0 {
		t.Errorf("the fetch of the cookie: status %d, header %v", res.StatusCode, res.Header)
	}
	b.wantAnswer("/theme", 200, "Ada")
}

func TestAConnectionOfASessionThatIsNotStoredIsNotHijacked(t *testing.T) {
	s := with(t)
	s.app.Get("/live", func(c fiber.Ctx) error {
		session.VisitorFrom(c).SetName("Ada")
		c.Status(http.StatusSwitchingProtocols)
		c.RequestCtx().Hijack(func(net.Conn) { t.Error("hijacked") })
		return nil
	})
	refused := make(chan error, 1)
	s.app.Get("/net", fibersession.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session.VisitorFrom(r.Context()).SetName("Ada")
		_, _, err := http.NewResponseController(w).Hijack()
		refused <- err
	})))
	b := s.open().browser()
	s.store.down.Store(true)
	b.wantAnswer("/live", 503, "Service Unavailable\n")
	b.wantAnswer("/net", 503, "Service Unavailable\n")
	b.client.CloseIdleConnections()
	if err := <-refused; err == nil {
		t.Error("the handler has got a connection")
	}
}

func TestAHandlerThatIsGivenUpGetsNoConnection(t *testing.T) {
	s := with(t)
	refused := make(chan error, 1)
	s.app.Get("/slow", timeout.New(fibersession.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		_, _, err := http.NewResponseController(w).Hijack()
		refused <- err
	})), timeout.Config{Timeout: time.Millisecond}))
	b := s.open().browser()
	if res, _ := b.get("/slow"); res.StatusCode != 408 {
		t.Errorf("status %d, want 408", res.StatusCode)
	}
	if err := <-refused; err == nil {
		t.Error("the handler has got a connection")
	}
}

func TestHandlersOfNetHTTPHaveTheSession(t *testing.T) {
	s := newShop(t)
	s.app.Use(recover.New(), fibersession.Middleware(s.sessions))
	s.app.Get("/name", func(c fiber.Ctx) error { return c.SendString(session.VisitorFrom(c).Name()) })
	s.app.Post("/echo", fibersession.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session.VisitorFrom(r.Context()).SetName("Ada")
		w.Header().Add("X-Own", "1")
		w.Header().Add("X-Own", "2")
		w.WriteHeader(http.StatusCreated)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "<!doctype html>%s %d", body, r.ContentLength)
	})))
	s.app.Get("/panic", fibersession.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") })))
	b := s.open().browser()
	res, err := b.client.Post(s.url+"/echo", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	h := res.Header
	if body := b.read(res); res.StatusCode != 201 || body != "<!doctype html>body 4" ||
		!strings.HasPrefix(h.Get("Content-Type"), "text/html") || len(h["X-Own"]) != 2 || len(res.Cookies()) != 1 {
		t.Errorf("status %d, header %v, body %q", res.StatusCode, h, body)
	}
	b.wantName("Ada")
	b.wantAnswer("/panic", 500, "sorry : oh")
}

func TestAWebSocketLibraryOfNetHTTPGetsTheConnection(t *testing.T) {
	s := with(t)
	s.app.Get("/socket", fibersession.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := session.VisitorFrom(r.Context())
		v.SetName("Ada")
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		for {
			kind, text, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			err = s.sessions.LivelyEvent(r.Context(), page{}, v, func(context.Context) error {
				v.SetName(v.Name() + string(text))
				return nil
			})
			if err != nil || ws.Write(r.Context(), kind, []byte(v.Name())) != nil {
				return
			}
		}
	})))
	b := s.open().browser()
	for _, want := range []string{"Ada", "Ada"} { // the handshake says so each time
		ws, res, err := websocket.Dial(t.Context(), s.url+"/socket", &websocket.DialOptions{HTTPClient: b.client})
		if err != nil {
			t.Fatal(err)
		}
		_ = res
		for _, more := range []string{"!", "?"} {
			if err := ws.Write(t.Context(), websocket.MessageText, []byte(more)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := ws.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		b.wantName(want + "!?")
		if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
}
