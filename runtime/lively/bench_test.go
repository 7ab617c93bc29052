package lively_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/tinylib/msgp/msgp"

	duckgen "github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// bench is an endpoint without a network: its connections are pipes.
type bench struct {
	live  *endpoint
	conns chan net.Conn
	done  chan struct{}
}

// Accept, Close and Addr make it the listener of its server.
func (b *bench) Accept() (net.Conn, error) {
	select {
	case c := <-b.conns:
		return c, nil
	case <-b.done:
		return nil, net.ErrClosed
	}
}
func (b *bench) Close() error   { close(b.done); return nil }
func (b *bench) Addr() net.Addr { return &net.UnixAddr{} }

func (b *bench) dial(context.Context, string, string) (net.Conn, error) {
	page, server := net.Pipe()
	b.conns <- server
	return page, nil
}

func newBench(t testing.TB) *bench {
	t.Helper()
	store := memstore.New()
	sessions, err := sessiontest.NewVisitorSessions(store, func(c *duckgen.Config) {
		c.Keys = [][]byte{testKey}
		c.OnEvent = func(context.Context, duckgen.Event) {}
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{live: lively.New(sessions, sessiontest.VisitorFrom, func(c *lively.Config) { c.SessionConnections = 0 }), conns: make(chan net.Conn), done: make(chan struct{})}
	b.live.Handle("add", func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
		v.AddViews(1)
		return c.Patch(ctx, lively.Text("views", v.Name()))
	})
	server := &http.Server{Handler: sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/lively" {
			b.live.ServeHTTP(w, r)
			return
		}
		sessiontest.VisitorFrom(r.Context()).SetName("Ada")
	}))}
	go func() { _ = server.Serve(b) }()
	t.Cleanup(func() {
		_ = server.Close()
		_ = store.Close()
	})
	return b
}

// cookie starts a session and returns its cookie.
func (b *bench) cookie(t testing.TB) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: b.dial}}
	res, err := client.Get("http://shop.example/")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	client.CloseIdleConnections()
	line, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	return line
}

// BenchmarkEvent is the full path of an event that reads and writes: frame, load,
// handler, delta, patch. Client and server share the processors.
func BenchmarkEvent(t *testing.B) {
	b := newBench(t)
	ws, _, err := websocket.Dial(t.Context(), "ws://shop.example/lively", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: b.dial}},
		HTTPHeader: http.Header{"Cookie": {b.cookie(t)}, "Origin": {"https://shop.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	frame, err := msgp.AppendIntf(nil, []any{100, "root", "component", "add", nil, false})
	if err != nil {
		t.Fatal(err)
	}
	t.ReportAllocs()
	for t.Loop() {
		if err := ws.Write(t.Context(), websocket.MessageBinary, frame); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.ReportMetric(float64(t.N)/t.Elapsed().Seconds(), "events/s")
}

// BenchmarkIdleConnections reports what each of 10,000 connections with a session
// holds in memory on the server, stacks included, and how many goroutines.
func BenchmarkIdleConnections(t *testing.B) {
	const count = 10_000
	for t.Loop() {
		bytes, goroutines := idle(t, count)
		t.ReportMetric(bytes, "B/connection")
		t.ReportMetric(goroutines, "goroutines/connection")
	}
}

func TestAnIdleConnectionTakesLittleMemory(t *testing.T) {
	const most = 28 << 10
	if bytes, _ := idle(t, 500); bytes > most {
		t.Errorf("an idle connection takes %.0f bytes, more than %d", bytes, most)
	}
}

// idle returns what each of so many connections holds.
func idle(t testing.TB, count int) (bytes, goroutines float64) {
	b := newBench(t)
	cookie := b.cookie(t)
	bytesBefore, goroutinesBefore := held(), runtime.NumGoroutine()
	pages := make([]net.Conn, count)
	for i := range pages {
		pages[i] = b.handshake(t, cookie, i)
	}
	bytes = float64(held()-bytesBefore) / float64(count)
	goroutines = float64(runtime.NumGoroutine()-goroutinesBefore) / float64(count)
	for _, page := range pages {
		_ = page.Close()
	}
	return bytes, goroutines
}

// handshake opens the connection of a page, as the browser client does, and keeps
// nothing of its own but the pipe.
func (b *bench) handshake(t testing.TB, cookie string, n int) net.Conn {
	page, err := b.dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = page.Write([]byte("GET /lively HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://shop.example\r\n" +
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: " + cookie + "\r\n" +
		fmt.Sprintf("Sec-WebSocket-Protocol: duckgen.live.1, duckgen.page.%032d.%032[1]d.0.0\r\n\r\n", n)))
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(page, 16)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v, %v", res, err)
	}
	var header [2]byte // of the frame that lets the page send events (RFC 6455, section 5.2)
	if _, err := io.ReadFull(r, header[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, r, int64(header[1])); err != nil {
		t.Fatal(err)
	}
	return page
}

func held() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
