package lively_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/lively"
)

// holding has the event "hold" wait until the test is over.
func (s *site) holding() {
	hold := make(chan struct{})
	s.t.Cleanup(func() { close(hold) })
	s.live.Handle("hold", func(context.Context, *lively.Conn, lively.Event, *visitor) error {
		<-hold
		return nil
	})
}

// smallest is an event whose value has the most elements for its bytes.
func smallest(elements int) map[string]any {
	m := make(map[string]any, elements)
	for i := range elements {
		m[string([]byte{byte(i >> 7 & 127), byte(i & 127)})] = nil
	}
	return m
}

func TestAFrameWithTooManyElementsClosesTheConnection(t *testing.T) {
	s := newSite(t)
	reached := make(chan int, 1)
	s.live.Handle("form", func(_ context.Context, _ *lively.Conn, e lively.Event, _ *visitor) error {
		reached <- len(e.Value.(map[string]any))
		return nil
	})
	p := s.browser().open()
	p.event("form", smallest(4096))
	if n := next(t, reached); n != 4096 {
		t.Errorf("an event with 4096 elements came with %d", n)
	}
	p.event("form", smallest(4097))
	p.wantClosed(1009, "too many elements")
}

func TestWaitingEventsTakeLittleMoreThanTheirFrames(t *testing.T) {
	s := newSite(t)
	s.holding()
	p := s.browser().open()
	p.event("hold", nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	value := smallest(4096)
	for range 10 { // of 20 KB each
		p.event("hold", value)
	}
	s.known() // a round trip later the events are read
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(value)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 3<<20 {
		t.Errorf("10 waiting events of 20 KB take %d bytes", grown)
	}
}

func TestAStrangersConnectionTakesLittleMemory(t *testing.T) {
	const count, most = 8, 1 << 20
	s := newSite(t, func(c *lively.Config) { c.WriteTime, c.EventTime = soon, soon })
	s.holding()
	conns := make(chan *lively.Conn, 1)
	s.live.Handle("push", func(_ context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		conns <- c
		return nil
	})
	value, text := smallest(4096), strings.Repeat("x", 16<<10)
	before := heap()
	for range count {
		p := s.browser().open()
		p.event("push", nil)
		c := next(t, conns)
		p.event("hold", value)
		for range 12 {
			p.event("hold", value) // of 20 KB
		}
		full, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		for c.Patch(full, lively.Text("log", text)) == nil { // and nothing is read
		}
		cancel()
	}
	if each := (heap() - before) / count; each > most {
		t.Errorf("a connection that does its worst takes %d bytes, more than %d", each, most)
	} else {
		t.Logf("a connection that does its worst takes %d bytes", each)
	}
	runtime.KeepAlive(value)
}

// heap returns how much memory is in use, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// refused demands that a handshake is refused with the status, and to come back.
func (b *browser) refused(status int) {
	b.site.t.Helper()
	ws, res, err := b.dial(b.site.server.URL)
	if err == nil {
		_ = ws.CloseNow()
		b.site.t.Fatalf("the handshake succeeded, want status %d", status)
	}
	if res == nil || res.StatusCode != status || res.Header.Get("Retry-After") == "" {
		b.site.t.Errorf("answer %v, want status %d with Retry-After", res, status)
	}
}

// admitted demands that a handshake succeeds once the server has noticed that a
// connection has ended.
func (b *browser) admitted() {
	b.site.t.Helper()
	for deadline := time.Now().Add(soon); ; {
		ws, _, err := b.dial(b.site.server.URL)
		if err == nil {
			_ = ws.CloseNow()
			return
		}
		if time.Now().After(deadline) {
			b.site.t.Fatalf("no handshake: %v", err)
		}
	}
}

func TestAnEndpointLimitsItsConnections(t *testing.T) {
	s := newSite(t, func(c *lively.Config) { c.Connections = 2 })
	p := s.known().open()
	s.browser().open()
	s.known().refused(http.StatusServiceUnavailable)
	_ = p.ws.CloseNow()
	s.known().admitted()
}

func TestAnEndpointLimitsTheConnectionsOfASession(t *testing.T) {
	const open = 6 // one that is refused counts for nothing
	s := newSite(t, func(c *lively.Config) { c.SessionConnections, c.Connections = 2, open })
	ada := s.known()
	p := ada.open()
	ada.open()
	ada.refused(http.StatusTooManyRequests)
	s.known().open()
	for range 3 {
		s.browser().open() // without a session
	}
	_ = p.ws.CloseNow()
	ada.admitted()
}

func TestAConfigurationThatCannotBeIsRefused(t *testing.T) {
	refused := func(configure func(*lively.Config)) (message string) {
		defer func() {
			if r := recover(); r != nil {
				message = r.(string)
			}
		}()
		lively.New(nil, sessiontest.VisitorFrom, configure)
		return ""
	}
	none := func(c *lively.Config) { c.Connections, c.SessionConnections, c.Idle = 0, 0, 0 }
	if got := refused(none); got != "" {
		t.Errorf("no limits: %s", got)
	}
	for setting, configure := range map[string]func(*lively.Config){
		"Connections":           func(c *lively.Config) { c.Connections = -1 },
		"SessionConnections -1": func(c *lively.Config) { c.SessionConnections = -1 },
		"AddressConnections -1": func(c *lively.Config) { c.AddressConnections = -1 },
		"Pages":                 func(c *lively.Config) { c.Pages = 0 },
		"OnEvent":               func(c *lively.Config) { c.OnEvent = nil },
		"Idle":                  func(c *lively.Config) { c.Idle = -1 },
		"EventTime":             func(c *lively.Config) { c.EventTime = 0 },
		"OnError":               func(c *lively.Config) { c.OnError = nil },
	} {
		if got := refused(configure); !strings.Contains(got, setting) {
			t.Errorf("%s: %q", setting, got)
		}
	}
}

func TestTheDefaultsAreThoseThatConfigNames(t *testing.T) {
	var got lively.Config
	lively.New(nil, sessiontest.VisitorFrom, func(c *lively.Config) { got = *c })
	for name, ok := range map[string]bool{
		"Address": got.Address != nil, "OnError": got.OnError != nil, "OnEvent": got.OnEvent != nil,
	} {
		if !ok {
			t.Errorf("%s has no default", name)
		}
	}
	got.Address, got.OnError, got.OnEvent = nil, nil, nil
	if diff := cmp.Diff(lively.Config{
		ReadLimit:          64 << 10,
		ReadElements:       4096,
		SessionConnections: 64,
		QueueBytes:         256 << 10,
		QueueEvents:        64,
		EventBytes:         256 << 10,
		Pages:              4096,
		EventTime:          30 * time.Second,
		ScriptTime:         5 * time.Second,
		WriteTime:          10 * time.Second,
		PingEvery:          30 * time.Second,
		PongWithin:         10 * time.Second,
		Idle:               2 * time.Hour,
		UploadPath:         "/lively/upload/",
	}, got); diff != "" {
		t.Errorf("the defaults differ (-documented +got):\n%s", diff)
	}
}
