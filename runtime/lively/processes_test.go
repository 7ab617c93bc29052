package lively_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/memstore"
	"github.com/duckgen/duckgen/runtime/pgstore"
	"github.com/duckgen/duckgen/runtime/redisstore"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// Two processes on one server: what happens to a session in one of them reaches
// the sockets of the other.

// opener opens a store as another process would.
type opener func(t *testing.T, server string) runtime.Store

type closingStore interface {
	runtime.Store
	Close() error
}

// opening makes an opener of a store's Open.
func opening[S closingStore](open func(context.Context, string) (S, error)) opener {
	return func(t *testing.T, server string) runtime.Store {
		t.Helper()
		store, err := open(t.Context(), server)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return store
	}
}

var (
	openSQLite = opening(sqlitestore.Open)
	openRedis  = opening(func(ctx context.Context, url string) (*redisstore.Store, error) { return redisstore.Open(ctx, url) })
	openPG     = opening(func(ctx context.Context, url string) (*pgstore.Store, error) { return pgstore.Open(ctx, url) })
)

func startRedis(t *testing.T) (url string) {
	t.Helper()
	server, err := servertest.NewRedis()
	servertest.Check(t, err)
	t.Cleanup(func() { server.Close() })
	return server.URL()
}

func startPostgres(t *testing.T) (url string) {
	t.Helper()
	server, err := servertest.NewPostgres()
	servertest.Check(t, err)
	t.Cleanup(func() { server.Close() })
	return server.URL()
}

// inOther is the same browser, as a server of another process sees it.
func (b *browser) inOther(s *site) *browser { return &browser{s, b.client} }

// answers demands that the connection is open and its session has the name Ada.
func (p *page) answers(what string) {
	p.site.t.Helper()
	p.event("show", nil)
	if frame := p.receive(); fmt.Sprint(frame...) != fmt.Sprint(1, []any{[]any{3, "name", "Ada"}}) {
		p.site.t.Errorf("%s: the page got %v, want the name", what, frame)
	}
}

func TestWhatHappensInAnotherProcessReachesTheSockets(t *testing.T) {
	t.Parallel() // it waits, mostly
	for name, x := range map[string]struct {
		start func(*testing.T) string
		open  opener
		file  bool // rather than a server; it tells that a session ends earlier, too
	}{
		"SQLite":   {func(t *testing.T) string { return filepath.Join(t.TempDir(), "sessions.db") }, openSQLite, true},
		"Redis":    {startRedis, openRedis, false},
		"Postgres": {startPostgres, openPG, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := x.start(t)
			here, there := newSiteOn(t, x.open(t, server)), newSiteOn(t, x.open(t, server))
			here.show()
			t.Run("changes", func(t *testing.T) { testChangesElsewhere(t, here, there) })
			t.Run("expiry", func(t *testing.T) { testExpiry(t, here, there) })
			if x.file {
				t.Run("end brought forward", func(t *testing.T) { testEndBroughtForward(t, here, there) })
			} else {
				t.Run("missed", func(t *testing.T) { testMissed(t, server, x.open) })
			}
		})
	}
}

func testChangesElsewhere(t *testing.T, here, there *site) {
	for _, x := range []struct {
		name   string
		change func(b *browser)
		code   int
		reason string
	}{
		{"signed out", func(b *browser) { b.post("/sign-out", "") }, 1008, "session ended"},
		{"signed in", func(b *browser) { b.post("/sign-in", "") }, 1012, "session renewed"},
		{"renewed", func(b *browser) { b.post("/renew", "") }, 1012, "session renewed"},
		{"revoked", func(b *browser) {
			if n, err := there.sessions.RevokeByUserID(t.Context(), 7); n < 1 || err != nil {
				t.Fatalf("RevokeByUserID = %d, %v", n, err)
			}
		}, 1008, "session ended"},
		{"ended by its index", func(b *browser) {
			for v, err := range there.sessions.FindByUserID(t.Context(), 7) {
				if err != nil {
					t.Fatal(err)
				}
				v.Destroy()
				if err := v.Save(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}, 1008, "session ended"},
	} {
		b, other := here.known(), here.known()
		b.post("/sign-in", "")
		one, two, stranger := b.open(), b.open(), other.open()
		for _, p := range []*page{one, two, stranger} {
			p.answers(x.name + ", before")
		}
		x.change(b.inOther(there))
		for _, p := range []*page{one, two} {
			if end := p.closed(); int(end.Code) != x.code || end.Reason != x.reason {
				t.Errorf("%s in another process: closed with %d %q, want %d %q", x.name, end.Code, end.Reason, x.code, x.reason)
			}
		}
		stranger.answers(x.name + ", the socket of another session")
		if x.code == 1012 {
			b.open().answers(x.name + ", after it has connected again")
		}
	}
}

// testExpiry takes a longer life where the session was over before its socket
// was open.
func testExpiry(t *testing.T, here, there *site) {
	for life := 2 * time.Second; life < soon; life *= 2 {
		b := here.known()
		there.expiry.Store(int64(life))
		b.inOther(there).post("/expire", "")
		p := b.open()
		ctx, cancel := context.WithTimeout(t.Context(), 2*life)
		_, _, err := p.ws.Read(ctx) // which closes the connection at the end of ctx
		for err == nil {
			_, _, err = p.ws.Read(ctx)
		}
		cancel()
		if websocket.CloseStatus(err) == 1008 {
			return
		}
	}
	t.Error("no socket was closed at the end of its session")
}

func testEndBroughtForward(t *testing.T, here, there *site) {
	b := here.known()
	p := b.open()
	p.answers("before")
	there.expiry.Store(int64(time.Second))
	b.inOther(there).post("/expire", "")
	p.wantClosed(1008, "session ended")
}

// A cable leads to a server until it is cut, and again once it is mended.
type cable struct {
	to       string
	listener net.Listener

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// layCable returns a cable and the URL of its near end.
func layCable(t *testing.T, server string) (c *cable, near string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c = &cable{to: u.Host, listener: listener}
	var serving sync.WaitGroup
	serving.Go(c.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		c.set(true)
		serving.Wait()
	})
	u.Host = listener.Addr().String()
	return c, u.String()
}

func (c *cable) serve() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		if !c.connect(near) {
			_ = near.Close()
		}
	}
}

func (c *cable) connect(near net.Conn) (connected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		return false
	}
	c.conns = append(c.conns, near, far)
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_, _ = to.Close(), from.Close()
	}
	go pass(near, far)
	go pass(far, near)
	return true
}

// set cuts or mends the cable.
func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// testMissed is about what happens while the server cannot be heard.
func testMissed(t *testing.T, server string, open opener) {
	cable, near := layCable(t, server)
	here, there := newSiteOn(t, open(t, near)), newSiteOn(t, open(t, server))
	here.show()
	ended, renewed, alive := there.known(), there.known(), there.known()
	var pages []*page
	for _, b := range []*browser{ended, renewed, alive} {
		p := b.inOther(here).open()
		p.answers("before")
		pages = append(pages, p)
	}
	cable.set(true)
	ended.post("/sign-out", "")
	renewed.post("/sign-in", "")
	cable.set(false)
	pages[0].wantClosed(1008, "session ended")
	pages[1].wantClosed(1012, "session renewed")
	pages[2].answers("a session to which nothing has happened")
	alive.post("/sign-out", "")
	pages[2].wantClosed(1008, "session ended")
}

// TestAnEndElsewhereClosesTheSocketInTime counts by a clock that moves only when
// everybody waits for it: what is told takes no time at all, and a file that is
// looked at from time to time takes no more than a tenth of a second.
func TestAnEndElsewhereClosesTheSocketInTime(t *testing.T) {
	for name, x := range map[string]struct {
		open func(t *testing.T) (here, there closingStore)
		most time.Duration
	}{
		"memory": {func(*testing.T) (closingStore, closingStore) {
			store := memstore.New()
			return store, store
		}, 0},
		"SQLite": {func(t *testing.T) (closingStore, closingStore) {
			file := filepath.Join(t.TempDir(), "sessions.db")
			return openSQLite(t, file).(closingStore), openSQLite(t, file).(closingStore)
		}, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				storeHere, storeThere := x.open(t)
				defer storeHere.Close()
				defer storeThere.Close()
				here, there := managerOn(t, storeHere), managerOn(t, storeThere)
				live := lively.New(here, sessiontest.VisitorFrom)
				cookie := visit(there, "", func(v *visitor) { v.SetName("Ada") })
				page, server := net.Pipe()
				served := make(chan struct{})
				go func() {
					defer close(served)
					r := lively.Handshake()
					r.Header.Set("Cookie", cookie)
					here.Middleware(live).ServeHTTP(lively.PipeWriter{ResponseRecorder: httptest.NewRecorder(), Conn: server}, r)
				}()
				synctest.Wait()
				if live.Len() != 1 {
					t.Fatal("there is no connection")
				}
				time.Sleep(time.Second + 30*time.Millisecond) // between two looks at the file
				ended := time.Now()
				visit(there, cookie, func(v *visitor) { v.Destroy() })
				frame := make([]byte, 4) // the header of a close frame (RFC 6455, section 5.5.1), and its code
				if _, err := io.ReadFull(page, frame); err != nil || frame[0] != 0x88 || binary.BigEndian.Uint16(frame[2:]) != 1008 {
					t.Errorf("the page got % x, %v, want a close frame with 1008", frame, err)
				}
				if took := time.Since(ended); took > x.most {
					t.Errorf("it took %v, want no more than %v", took, x.most)
				}
				_ = page.Close()
				<-served
			})
		})
	}
}

func managerOn(t *testing.T, store runtime.Store) *sessiontest.VisitorSessions {
	t.Helper()
	sessions, err := sessiontest.NewVisitorSessions(store, func(c *runtime.Config) {
		c.Keys = [][]byte{testKey}
	})
	if err != nil {
		t.Fatal(err)
	}
	return sessions
}

// visit is one request with a cookie, and returns the one that the browser has
// then.
func visit(sessions *sessiontest.VisitorSessions, cookie string, handle func(*visitor)) string {
	r := httptest.NewRequest("POST", "https://shop.example/", nil)
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	sessions.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		handle(sessiontest.VisitorFrom(r.Context()))
	})).ServeHTTP(w, r)
	line, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	return line
}
