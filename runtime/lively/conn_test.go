package lively

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// PipeWriter hands its connection over.
type PipeWriter struct {
	*httptest.ResponseRecorder
	Conn net.Conn
}

func (w PipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.Conn, bufio.NewReadWriter(bufio.NewReader(w.Conn), bufio.NewWriter(w.Conn)), nil
}

// Handshake is the request of a page.
func Handshake() *http.Request {
	r := httptest.NewRequest("GET", "https://shop.example/lively", nil)
	r.Header = http.Header{"Origin": {"https://shop.example"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}
	return r
}

// A ping that the end interrupts has failed, and sets no timer for another one.
func TestAnEndDuringAPingIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, page) }() // and answers no ping
		ws, err := websocket.Accept(PipeWriter{httptest.NewRecorder(), server}, Handshake(), nil)
		if err != nil {
			t.Fatal(err)
		}
		config := defaultConfig()
		c := newConn(t.Context(), ws, &config, nil)
		time.Sleep(config.PingEvery)
		synctest.Wait()
		c.end()
		synctest.Wait()
		if c.pinging.Stop() {
			t.Error("after the end another ping is to come")
		}
	})
}

func TestAPageIsIdleOnceItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, server := net.Pipe()
		ws, err := websocket.Accept(PipeWriter{httptest.NewRecorder(), server}, Handshake(), nil)
		if err != nil {
			t.Fatal(err)
		}
		config := defaultConfig()
		config.Idle = config.PingEvery
		c := newConn(t.Context(), ws, &config, nil)
		defer c.end()
		var frame [1]byte
		if _, err := io.ReadFull(page, frame[:]); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, page) }()
		if opcode := frame[0] & 0xf; opcode != 8 {
			t.Errorf("the page gets a frame of opcode %d, want 8: close", opcode)
		}
	})
}

// onPipe connects a page that is a raw connection.
func onPipe(t *testing.T, config *Config) (page net.Conn, c *Conn) {
	t.Helper()
	page, server := net.Pipe()
	ws, err := websocket.Accept(PipeWriter{httptest.NewRecorder(), server}, Handshake(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return page, newConn(t.Context(), ws, config, nil)
}

// A ping's answer may be stuck behind what a page sends: that page is there.
func TestAPageThatSendsIsThereWithoutAPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := defaultConfig()
		page, c := onPipe(t, &config)
		c.page, _, _ = newPages(1, 1).join(&greeting{}, c)
		go func() { _, _ = io.Copy(io.Discard, page) }() // and answers no ping
		go c.serve(nil)
		heartbeat := encodeHeartbeat()
		frame := append([]byte{0x82, 0x80 | byte(len(heartbeat)), 0, 0, 0, 0}, heartbeat...)
		for range 30 {
			time.Sleep(config.PongWithin - time.Second)
			if _, err := page.Write(frame); err != nil {
				t.Fatalf("the connection of a page that sends heartbeats is closed: %v", err)
			}
		}
		c.end()
	})
}

// Duck's client closes the connection itself, as it is told. A code that came at once
// would be its sign to connect again.
func TestDucksClientHasTimeToCloseItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := defaultConfig()
		config.Duck = true
		page, c := onPipe(t, &config)
		go c.close(closeReconnect, "the server restarts")
		var at []time.Time
		for range 2 {
			var head [2]byte
			if _, err := io.ReadFull(page, head[:]); err != nil {
				t.Fatal(err)
			}
			at = append(at, time.Now())
			if _, err := io.CopyN(io.Discard, page, int64(head[1])); err != nil {
				t.Fatal(err)
			}
		}
		if got := at[1].Sub(at[0]); got != leaving {
			t.Errorf("after what it is told the connection closes in %v, want %v", got, leaving)
		}
		_ = page.Close()
		c.end()
	})
}

// An event that was under way when Shutdown gave up has an aborted context, and so has
// one that begins then.
func TestNoEventOutlivesTheCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := defaultConfig()
		page, c := onPipe(t, &config)
		defer page.Close()
		defer c.end()
		running, release := c.beginEvent()
		defer release()
		c.cut()
		next, release := c.beginEvent()
		defer release()
		if running.Err() == nil || next.Err() == nil {
			t.Errorf("the event that runs: %v, the next one: %v, want that both are cancelled", running.Err(), next.Err())
		}
	})
}

// Who goes on sending to a page that is sent away hears of it.
func TestNothingIsSentAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := defaultConfig()
		page, c := onPipe(t, &config)
		go func() { _, _ = io.Copy(io.Discard, page) }() // and answers nothing
		go c.close(closeReconnect, "the server restarts")
		synctest.Wait()
		if err := c.Unknown(t.Context(), "cart", true); !errors.Is(err, ErrClosed) {
			t.Errorf("a frame after the last one: %v, want %v", err, ErrClosed)
		}
		if err := c.unhandled(t.Context(), Event{Component: "cart"}); !errors.Is(err, ErrClosed) {
			t.Errorf("an event without a handler: %v, want %v", err, ErrClosed)
		}
		c.end()
	})
}
