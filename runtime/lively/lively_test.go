package lively_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func asClose(err error, end *websocket.CloseError) bool { return errors.As(err, end) }

func wantFrame(t *testing.T, got []any, want ...any) {
	t.Helper()
	if text := fmt.Sprint(got...); text != fmt.Sprint(want...) {
		t.Errorf("frame %v, want %v", got, want)
	}
}

func TestAnEventMeetsTheSessionAndPatchesThePage(t *testing.T) {
	s := newSite(t)
	var got lively.Event
	s.live.Handle("greet", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		got = e
		return c.Patch(ctx, lively.Text("name", v.Name()), lively.Remove("form"))
	})
	p := s.known().open()
	p.send(100, "shop", "greeting", "greet", map[string]any{"word": "hello", "times": 3}, true)
	wantFrame(t, p.receive(), 1, []any{[]any{3, "name", "Ada"}, []any{1, "form"}})
	want := lively.Event{Root: "shop", Component: "greeting", Name: "greet", Document: true,
		Value: map[string]any{"word": "hello", "times": int64(3)}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the handler got %#v, want %#v", got, want)
	}
	if got.Field("word") != "hello" || got.Field("times") != "" || got.Field("none") != "" {
		t.Error("Field gives other than the text of a field")
	}
}

func TestWhatAnEventChangesIsStoredBeforeTheNext(t *testing.T) {
	s := newSite(t)
	s.handle("name", func(v *visitor) { v.SetName(v.Name() + "!") })
	s.show()
	b := s.known()
	p := b.open()
	for range 20 {
		p.event("name", nil)
	}
	p.event("show", nil)
	wantFrame(t, p.receive(), 1, []any{[]any{3, "name", "Ada" + strings.Repeat("!", 20)}})
	if got := b.name(); got != "Ada"+strings.Repeat("!", 20) {
		t.Errorf("a request finds %q", got)
	}
}

func TestANewVisitorsEventBringsAnHttpOnlyCookie(t *testing.T) {
	s := newSite(t)
	s.handle("name", func(v *visitor) { v.SetName("Grace") })
	s.show()
	b := s.browser()
	p := b.open()
	p.event("name", nil)
	frame := p.receive()
	path, _ := frame[1].(string)
	if len(frame) != 2 || fmt.Sprint(frame[0]) != "170" || !strings.HasPrefix(path, "/lively/sync?ticket=") {
		t.Fatalf("frame %v, want the order to fetch the cookie", frame)
	}
	res := b.fetch(path)
	cookies := res.Cookies()
	if res.StatusCode != http.StatusNoContent || len(cookies) != 1 || !cookies[0].HttpOnly {
		t.Fatalf("the fetch: status %d, cookies %v", res.StatusCode, cookies)
	}
	if got := b.name(); got != "Grace" {
		t.Errorf("a request with the cookie finds %q", got)
	}
	p.event("show", nil)
	wantFrame(t, p.receive(), 1, []any{[]any{3, "name", "Grace"}})
	b.open() // with the new cookie
}

func TestTheEndOfTheSessionClosesItsSockets(t *testing.T) {
	s := newSite(t)
	for _, end := range []func(b *browser){
		func(b *browser) { b.post("/sign-out", "") },
		func(*browser) {
			if n, err := s.sessions.RevokeByUserID(t.Context(), 7); n != 1 || err != nil {
				t.Fatalf("RevokeByUserID = %d, %v", n, err)
			}
		},
	} {
		b := s.known()
		b.post("/sign-in", "")
		one, two := b.open(), b.open()
		s.wait(2)
		end(b)
		one.wantClosed(1008, "session ended")
		two.wantClosed(1008, "session ended")
		s.wait(0)
	}
}

// wait returns once the endpoint serves n connections.
func (s *site) wait(n int) {
	s.t.Helper()
	deadline := time.Now().Add(soon)
	for s.live.Len() != n {
		if time.Now().After(deadline) {
			s.t.Fatalf("there are %d connections, want %d", s.live.Len(), n)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestTheSocketThatSignsOutIsToldFirst(t *testing.T) {
	s := newSite(t)
	s.handle("leave", func(v *visitor) { v.Destroy() })
	b := s.known()
	p, other := b.open(), b.open()
	s.wait(2)
	p.event("leave", nil)
	wantFrame(t, p.receive(), 170, "/lively/sync")
	p.wantClosed(1008, "session ended")
	other.wantClosed(1008, "session ended")
	if res := b.fetch("/lively/sync"); res.StatusCode != http.StatusNoContent || len(b.cookies()) != 0 {
		t.Errorf("the fetch: status %d, cookies %v", res.StatusCode, b.cookies())
	}
}

func TestASignInSendsOtherSocketsToReconnect(t *testing.T) {
	s := newSite(t)
	s.handle("enter", func(v *visitor) { v.SetUserID(7) })
	s.show()
	b := s.known()
	p, other := b.open(), b.open()
	s.wait(2)
	p.event("enter", nil)
	path, _ := p.receive()[1].(string)
	other.wantClosed(1012, "session renewed")
	b.fetch(path)
	p.event("show", nil)
	wantFrame(t, p.receive(), 1, []any{[]any{3, "name", "Ada"}})
	if got := b.name(); got != "Ada" {
		t.Errorf("a request after the sign-in finds %q", got)
	}
}

func TestFramesThatCloseTheConnection(t *testing.T) {
	s := newSite(t)
	for name, x := range map[string]struct {
		kind  websocket.MessageType
		frame []byte
		code  websocket.StatusCode
	}{
		"text":                {websocket.MessageText, []byte("[100]"), 1003},
		"unknown opcode":      {websocket.MessageBinary, []byte{0x92, 42, 0xc0}, 1003},
		"no array":            {websocket.MessageBinary, []byte{0x64}, 1007},
		"empty":               {websocket.MessageBinary, nil, 1007},
		"too short":           {websocket.MessageBinary, []byte{0x96, 100, 0xa1, 'a'}, 1007},
		"result of no script": {websocket.MessageBinary, []byte{0x94, 111, 0xc0, 0xc0, 1}, 1007},
		"too large":           {websocket.MessageBinary, make([]byte, 64<<10+1), 1009},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.browser().open()
			p.raw(x.kind, x.frame)
			if end := p.closed(); end.Code != x.code || end.Reason == "" {
				t.Errorf("closed with %d %q, want %d and a reason", end.Code, end.Reason, x.code)
			}
		})
	}
}

func TestForeignPagesAreRefusedAtTheHandshake(t *testing.T) {
	s := newSite(t)
	b := s.known()
	for origin, allowed := range map[string]bool{
		s.server.URL:           true,
		"https://evil.example": false,
		s.server.URL + "0":     false,
		"http://sub." + s.server.URL[len("http://"):]: false,
		"": false, // the cookie came along
	} {
		ws, res, err := b.dial(origin)
		if allowed != (err == nil) || !allowed && res.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: %v, want it allowed: %v", origin, err, allowed)
		}
		if err == nil {
			_ = ws.CloseNow()
		}
	}
	if _, _, err := s.browser().dial(""); err != nil {
		t.Errorf("a program without a cookie and an Origin: %v", err)
	}
}

func TestAScriptIsAwaited(t *testing.T) {
	s := newSite(t)
	values, errs := make(chan any, 1), make(chan error, 1)
	s.live.Handle("run", func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		v, err := c.Run(ctx, "let x = 6 * 7", "x")
		values <- v
		errs <- err
		return nil
	})
	p := s.browser().open()
	p.event("run", nil)
	frame := p.receive()
	wantFrame(t, frame[:5], 101, "let x = 6 * 7", "x", 5000, true)
	p.send(111, nil, "nobody waits for this", "unknown")
	p.send(111, 42, nil, frame[5])
	if v, err := next(t, values), next(t, errs); fmt.Sprint(v) != "42" || err != nil {
		t.Errorf("the script gave %v, %v", v, err)
	}
	p.event("run", nil)
	p.send(111, nil, "EvalError: refused", p.receive()[5])
	var fault *lively.ScriptError
	if _, err := next(t, values), next(t, errs); !errors.As(err, &fault) || fault.Message != "EvalError: refused" {
		t.Errorf("a script that the page refused: %v", err)
	}
}

func TestAScriptIsNotAwaitedForever(t *testing.T) {
	s := newSite(t, func(c *lively.Config) { c.ScriptTime = 20 * time.Millisecond })
	errs := make(chan error, 1)
	s.live.Handle("run", func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		errs <- c.ExecuteJS(ctx, "hang()")
		return nil
	})
	p := s.browser().open()
	p.event("run", nil)
	if err := next(t, errs); err == nil || !strings.Contains(err.Error(), "20ms") {
		t.Errorf("a script without an answer: %v", err)
	}
	p.receive()
	p.event("run", nil)
	p.receive()
	_ = p.ws.CloseNow()
	if err := next(t, errs); err == nil {
		t.Error("a script of a page that is gone has a result")
	}
}

func TestEventsForWhichThereIsNoRoomWait(t *testing.T) {
	t.Parallel() // it waits, mostly
	s := newSite(t, func(c *lively.Config) {
		c.QueueEvents = 4
		c.PingEvery, c.PongWithin = 20*time.Millisecond, 300*time.Millisecond // whose answers nobody reads meanwhile
	})
	hold := make(chan struct{})
	s.live.Handle("hold", func(context.Context, *lively.Conn, lively.Event, *visitor) error {
		<-hold
		return nil
	})
	s.handle("count", func(v *visitor) { v.AddViews(1) })
	s.live.Handle("views", func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
		return c.Patch(ctx, lively.Text("views", strconv.FormatInt(v.Views(), 10)))
	})
	p := s.known().open()
	p.event("hold", nil)
	for range 80 {
		p.event("count", nil)
	}
	p.event("views", nil)
	time.AfterFunc(500*time.Millisecond, func() { close(hold) })
	wantFrame(t, p.receive(), 1, []any{[]any{3, "views", "80"}})
}

func TestAFailedEventIsReportedAndDiscarded(t *testing.T) {
	s := newSite(t)
	s.live.Handle("fail", func(_ context.Context, _ *lively.Conn, _ lively.Event, v *visitor) error {
		v.SetName("lost")
		return errors.New("no luck")
	})
	s.handle("panic", func(v *visitor) {
		v.SetName("lost")
		panic("boom")
	})
	s.show()
	b := s.known()
	p := b.open()
	p.event("fail", nil)
	p.event("show", nil)
	wantFrame(t, p.receive(), 1, []any{[]any{3, "name", "Ada"}})
	p.event("panic", nil)
	p.wantClosed(1011, "internal error")
	if got := b.name(); got != "Ada" {
		t.Errorf("a request finds %q", got)
	}
	if text := s.reported(); !strings.Contains(text, `event "fail": no luck`) || !strings.Contains(text, `event "panic": boom`) {
		t.Errorf("the program heard of\n%s", text)
	}
}

func TestAnUnknownEventLetsThePageLoadAgain(t *testing.T) {
	p := newSite(t).browser().open()
	p.event("from another version", nil)
	wantFrame(t, p.receive(), 150, []any{"component", true})
}

func TestNavigation(t *testing.T) {
	s := newSite(t)
	p := s.browser().open()
	p.send(120, "shop", nil, "/next?x=1", map[string]any{"referer": "/"})
	wantFrame(t, p.receive(), 121, "/next?x=1", true, nil, []any{}, true)

	s = newSite(t)
	s.live.HandleNavigation(func(ctx context.Context, c *lively.Conn, n lively.Navigation, _ *visitor) error {
		return c.Navigate(ctx, lively.Page{Path: n.Path, Component: n.Previous + n.Next + n.Headers["referer"],
			Patches: []lively.Patch{lively.Text("title", "Next")}, Partial: true})
	})
	p = s.browser().open()
	p.send(120, "shop", "cart", "/next", map[string]any{"referer": "/"})
	wantFrame(t, p.receive(), 121, "/next", false, "shopcart/", []any{[]any{3, "title", "Next"}}, false)

	s = newSite(t)
	s.live.HandleNavigation(func(context.Context, *lively.Conn, lively.Navigation, *visitor) error { return errors.New("no luck") })
	p = s.browser().open()
	for range 2 { // the second time the program has heard of the first
		p.send(120, nil, nil, "/next", nil)
		wantFrame(t, p.receive(), 121, "/next", true, nil, []any{}, true)
	}
	if text := s.reported(); !strings.Contains(text, "navigation: no luck") {
		t.Errorf("the program heard of %q, want why the page is not shown", text)
	}
}

func TestShutdownLetsEventsFinishAndPagesReconnect(t *testing.T) {
	s := newSite(t)
	running, hold := make(chan struct{}), make(chan struct{})
	s.live.Handle("slow", func(_ context.Context, _ *lively.Conn, _ lively.Event, v *visitor) error {
		close(running)
		<-hold
		v.SetName("finished")
		return nil
	})
	b := s.known()
	p, idle := b.open(), b.open()
	s.wait(2)
	p.event("slow", nil)
	next(t, running)
	done := make(chan error)
	go func() { done <- s.live.Shutdown(t.Context()) }()
	idle.wantClosed(1012, "the server restarts")
	if _, res, err := b.dial(s.server.URL); err == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a handshake during the shutdown: %v", err)
	}
	close(hold)
	p.wantClosed(1012, "the server restarts")
	if err := next(t, done); err != nil {
		t.Error(err)
	}
	if got := b.name(); got != "finished" {
		t.Errorf("a request finds %q, want what the running event wrote", got)
	}
}

func TestShutdownCutsOffWhatIsLeft(t *testing.T) {
	s := newSite(t)
	running, ended := make(chan struct{}), make(chan struct{})
	s.live.Handle("stuck", func(ctx context.Context, _ *lively.Conn, _ lively.Event, _ *visitor) error {
		close(running)
		<-ctx.Done()
		close(ended)
		return nil
	})
	p := s.browser().open()
	p.event("stuck", nil)
	next(t, running)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.live.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	next(t, ended)
}

func TestClosedConnectionsLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Goroutines that are left at its end fail the test.
		store := memstore.New()
		defer store.Close()
		sessions, err := sessiontest.NewVisitorSessions(store, func(c *runtime.Config) {
			c.Keys = [][]byte{testKey}
		})
		if err != nil {
			t.Fatal(err)
		}
		live := lively.New(sessions, sessiontest.VisitorFrom)
		page, conn := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			sessions.Middleware(live).ServeHTTP(lively.PipeWriter{ResponseRecorder: httptest.NewRecorder(), Conn: conn}, lively.Handshake())
		}()
		go func() { _, _ = io.Copy(io.Discard, page) }()
		synctest.Wait()
		if n := live.Len(); n != 1 {
			t.Fatalf("%d connections, want 1", n)
		}
		time.Sleep(time.Hour) // no ping is answered
		<-served
		if n := live.Len(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// The handler of the handshake has returned, and the request's context is over.
func TestBetweenEventsTheSessionCanBeRead(t *testing.T) {
	s := newSite(t)
	visitors := make(chan *visitor, 1)
	s.live.Handle("keep", func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
		visitors <- v
		return nil
	})
	p, _, _ := s.known().greet(0, 0)
	p.number(1, "keep")
	p.receive() // the answer
	v := next(t, visitors)
	if got := v.Name(); got != "Ada" || v.Err() != nil {
		t.Errorf("the name is %q, %v, want Ada", got, v.Err())
	}
}

func TestASilentPageIsDisconnected(t *testing.T) {
	s := newSite(t, func(c *lively.Config) { c.PingEvery, c.PongWithin = 10*time.Millisecond, 20*time.Millisecond })
	s.browser().open() // and never reads, so that no ping is answered
	s.wait(1)
	s.wait(0)
}

func TestAnIdlePageIsDisconnected(t *testing.T) {
	s := newSite(t, func(c *lively.Config) { c.PingEvery, c.Idle = 10*time.Millisecond, 30*time.Millisecond })
	s.browser().open().wantClosed(1001, "idle")
}

func TestASlowReaderHoldsUpWhoSends(t *testing.T) {
	s := newSite(t, func(c *lively.Config) { c.WriteTime = 50 * time.Millisecond; c.EventTime = soon })
	sent := make(chan int, 1)
	s.live.Handle("flood", func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		text := strings.Repeat("x", 64<<10)
		for n := range 10_000 {
			if err := c.Patch(ctx, lively.Text("log", text)); err != nil {
				sent <- n
				return err
			}
		}
		sent <- 10_000
		return nil
	})
	p := s.browser().open()
	p.event("flood", nil) // and nothing is read
	if n := next(t, sent); n == 10_000 {
		t.Error("640 MB were taken for a page that reads nothing")
	}
	s.wait(0)
}

func TestPushingFromOutsideAnEvent(t *testing.T) {
	s := newSite(t)
	conns := make(chan *lively.Conn, 1)
	s.live.Handle("subscribe", func(_ context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		conns <- c
		return nil
	})
	p := s.browser().open()
	p.event("subscribe", nil)
	c := next(t, conns)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := c.Patch(t.Context(), lively.Text("n", strconv.Itoa(i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var got []string
	for range 8 {
		got = append(got, fmt.Sprint(p.receive()...))
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 8 {
		t.Errorf("frames %q, want 8 different ones", got)
	}
	_ = p.ws.CloseNow()
	next(t, c.Context().Done())
	if err := c.Patch(t.Context(), lively.Text("n", "late")); !errors.Is(err, lively.ErrClosed) {
		t.Errorf("a patch after the end: %v, want ErrClosed", err)
	}
}

func TestWithoutTheMiddlewareTheConnectionIsRefused(t *testing.T) {
	s := newSite(t)
	panicked := make(chan any, 1)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { panicked <- recover() }()
		s.live.ServeHTTP(w, r)
	}))
	defer bare.Close()
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(bare.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = ws.Read(t.Context())
	if websocket.CloseStatus(err) != 1013 || !strings.Contains(s.reported(), "Middleware") {
		t.Errorf("closed with %v, the program heard %q", err, s.reported())
	}
	if fault := next(t, panicked); fault != nil {
		t.Errorf("the endpoint panics: %v", fault)
	}
}

func TestTheClientIsServedOnce(t *testing.T) {
	get := func(tag string) *http.Response {
		r := httptest.NewRequest("GET", "/lively/client.js", nil)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		lively.Client().ServeHTTP(w, r)
		return w.Result()
	}
	size := func(res *http.Response) int64 {
		n, err := io.Copy(io.Discard, res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := get("")
	tag := first.Header.Get("ETag")
	if first.StatusCode != http.StatusOK || tag == "" || !strings.HasPrefix(first.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("status %d, header %v", first.StatusCode, first.Header)
	}
	if again := get(tag); again.StatusCode != http.StatusNotModified || size(again) > 0 {
		t.Errorf("with the tag: status %d, want 304 without a body", again.StatusCode)
	}
	if other := get(`"old"`); other.StatusCode != http.StatusOK {
		t.Errorf("with another tag: status %d, want 200", other.StatusCode)
	}
}

func TestTheClientIsSmall(t *testing.T) {
	const most = 8 << 10
	w := httptest.NewRecorder()
	lively.Client().ServeHTTP(w, httptest.NewRequest("GET", "/lively/client.js", nil))
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Body.WriteTo(zip); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if packed.Len() > most {
		t.Errorf("the client has %d bytes, compressed, more than %d", packed.Len(), most)
	}
}

func TestAConfigurationThatCannotBeMeantPanics(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "PingEvery is 0") || !strings.Contains(text, "Idle is -1ns") {
			t.Errorf("panic %q, want everything that is wrong", text)
		}
	}()
	newSite(t, func(c *lively.Config) { c.PingEvery, c.Idle = 0, -1 })
}
