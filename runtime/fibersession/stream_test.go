package fibersession_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
)

// line sends a line of a stream.
func line(w *bufio.Writer, text string) error {
	fmt.Fprintln(w, text)
	return w.Flush()
}

// streaming has a stream that goes on after its first line once it is told to.
func streaming(
	t *testing.T, goOn <-chan struct{}, later func(*session.VisitorSession), configure ...func(*runtime.Config),
) *shop {
	s := with(t, configure...)
	s.app.Get("/stream", func(c fiber.Ctx) error {
		v := session.VisitorFrom(c)
		v.SetName("Ada")
		return c.SendStreamWriter(func(w *bufio.Writer) {
			_ = line(w, "begun")
			<-goOn
			later(v)
			_ = line(w, v.Name())
		})
	})
	return s.open()
}

// begin opens the stream and reads its first line.
func (b *browser) begin() (res *http.Response, rest *bufio.Reader) {
	b.t.Helper()
	res = b.send("GET", "/stream")
	rest = bufio.NewReader(res.Body)
	if got, err := rest.ReadString('\n'); err != nil || got != "begun\n" {
		b.t.Fatalf("the stream begins with %q, %v", got, err)
	}
	return res, rest
}

func TestAStreamBeginsOnceTheSessionIsStored(t *testing.T) {
	goOn := make(chan struct{})
	s := streaming(t, goOn, func(v *session.VisitorSession) { v.SetTheme("dark") })
	b := s.browser()
	res, rest := b.begin()
	defer res.Body.Close()
	if len(res.Cookies()) != 1 {
		t.Fatalf("the header is %v, want a cookie in it", res.Header)
	}
	other := s.browser()
	if _, body := other.get("/name", "Cookie", res.Cookies()[0].String()); body != "Ada" {
		t.Errorf("while the stream runs, the name is %q, want Ada", body)
	}
	close(goOn)
	if text, err := io.ReadAll(rest); err != nil || string(text) != "Ada\n" {
		t.Errorf("the stream ends with %q, %v", text, err)
	}
}

func TestWhatAStreamChangesIsStoredAtItsEnd(t *testing.T) {
	goOn := make(chan struct{})
	s := streaming(t, goOn, func(v *session.VisitorSession) { v.SetName("Bob") })
	b := s.browser()
	res, _ := b.begin()
	b.wantName("Ada")
	close(goOn)
	if text := b.read(res); text != "" && text != "Bob\n" {
		t.Errorf("the stream ends with %q", text)
	}
	// Another request of the same connection comes after the end of all that.
	b.wantName("Bob")
}

func TestATraceOfAStreamEndsWithIt(t *testing.T) {
	goOn, tracer := make(chan struct{}), &kept{}
	s := streaming(t, goOn, func(*session.VisitorSession) {}, func(c *runtime.Config) { c.Tracer = tracer })
	b := s.browser()
	res, _ := b.begin()
	if ended := tracer.ends(); len(ended) != 0 {
		t.Errorf("while the stream runs, traces have ended: %+v", ended)
	}
	close(goOn)
	b.read(res)
	b.get("/name") // after the end of all that
	if ended := tracer.ends(); len(ended) != 2 || ended[0].Status != 200 || ended[0].Err != nil {
		t.Errorf("the traces end with %+v", ended)
	}
}

func TestASignInWithinAStreamIsTooLate(t *testing.T) {
	goOn := make(chan struct{})
	s := streaming(t, goOn, func(v *session.VisitorSession) { v.SetUserID(1) })
	b := s.browser()
	res, rest := b.begin()
	defer res.Body.Close()
	close(goOn)
	if text, err := io.ReadAll(rest); err != nil || string(text) != "Ada\n" {
		t.Errorf("the stream ends with %q, %v", text, err)
	}
	if err := <-s.errors; !errors.Is(err, runtime.ErrTooLate) {
		t.Errorf("OnError gets %v, want ErrTooLate", err)
	}
	b.wantName("Ada")
}

func TestAFirstReadInAStreamSeesTheSession(t *testing.T) {
	s := with(t)
	s.app.Get("/stream", func(c fiber.Ctx) error {
		ctx := c.Context()
		return c.SendStreamWriter(func(w *bufio.Writer) {
			_ = line(w, "begun")
			_ = line(w, session.VisitorFrom(ctx).Name())
		})
	})
	b := s.open().browser()
	b.get("/be/Ada")
	res, _ := b.get("/stream")
	if res.Header.Get("Vary") != "Cookie" {
		t.Errorf("header %v, want Vary", res.Header)
	}
	b.wantAnswer("/stream", 200, "begun\nAda\n")
}

func TestBehindNetHTTPAStreamComesAfterTheSession(t *testing.T) {
	goOn := make(chan struct{})
	s := streaming(t, goOn, func(v *session.VisitorSession) { v.SetName("Bob") })
	server := httptest.NewServer(adaptor.FiberApp(s.app))
	defer server.Close()
	s.url = server.URL
	b := s.browser()
	res, _ := b.begin()
	close(goOn)
	if text := b.read(res); text != "" && text != "Ada\n" {
		t.Errorf("the stream ends with %q", text)
	}
	for kind := range s.events {
		if kind == runtime.EventClosedWrite {
			break
		}
	}
	b.wantName("Ada")
}
