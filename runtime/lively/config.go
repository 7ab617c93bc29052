package lively

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// A Config says what an [Endpoint] allows a connection. The defaults are named
// with the fields.
type Config struct {
	// ReadLimit is the largest frame that a page may send, in bytes. A larger one
	// closes with 1009. Default: 64 KiB.
	ReadLimit int64

	// ReadElements is how many elements the arrays and maps of a frame may have
	// together. More close with 1009. Default: 4096.
	ReadElements int

	// Connections limits the open connections of the endpoint, SessionConnections
	// those that one session has opened, and AddressConnections those from one
	// address. Further handshakes are answered with 503, 429 and 429; the client
	// comes back later. 0: no limit. Defaults: 0, 64, 0.
	Connections, SessionConnections, AddressConnections int

	// Address returns the address that a handshake comes from; connections with an
	// empty one are not limited by it. Behind a proxy it has to take the one that the
	// proxy names. Default: that of the peer, of an IPv6 address the first 64 bits.
	Address func(*http.Request) string

	// QueueBytes limits the frames that wait for a page to read them. Beyond that
	// who sends has to wait. Default: 256 KiB.
	QueueBytes int

	// QueueEvents limits the events that wait for the one before, and EventBytes
	// their frames, in bytes. Beyond that the browser client holds its events back,
	// and from others nothing more is read until there is room. Defaults: 64,
	// 256 KiB.
	QueueEvents, EventBytes int

	// Pages is of how many pages without a connection is remembered which events
	// were taken up, so that those which come back send only the others again. Each
	// takes about half a KiB. Default: 4096.
	Pages int

	// EventTime is how long the handler of one event may take. Default: 30 s.
	EventTime time.Duration

	// ScriptTime is how long a script in the page may take. Default: 5 s.
	ScriptTime time.Duration

	// WriteTime is how long a page may take to read one frame. Default: 10 s.
	WriteTime time.Duration

	// PingEvery is how often a silent page is asked whether it is there, and
	// PongWithin how soon it has to answer. Defaults: 30 s, 10 s.
	PingEvery, PongWithin time.Duration

	// Idle closes a connection whose page has sent nothing for so long. The
	// client connects again when the visitor is back. 0: never. Default: 2 h.
	Idle time.Duration

	// Duck is for pages with the client of the Duck framework, 2.3, in place of this
	// package's. See docs/lively.md for how to mount that. Default: false.
	Duck bool

	// UploadPath is where [Endpoint.Uploads] is mounted, with a slash at its end, as
	// pages with Duck's client are told. Default: /lively/upload/.
	UploadPath string

	// OnError hears of handlers that failed or panicked, and of refused
	// handshakes. Default: logged as an error.
	OnError func(context.Context, error)

	// OnEvent hears how each event and navigation went, for metrics, before the page
	// does. Default: nobody hears of it.
	OnEvent func(context.Context, Report)
}

func defaultConfig() Config {
	return Config{
		ReadLimit:          64 << 10,
		ReadElements:       4096,
		SessionConnections: 64,
		QueueBytes:         256 << 10,
		QueueEvents:        64,
		EventBytes:         256 << 10,
		Pages:              4096,
		Address:            peer,
		EventTime:          30 * time.Second,
		ScriptTime:         5 * time.Second,
		WriteTime:          10 * time.Second,
		PingEvery:          30 * time.Second,
		PongWithin:         10 * time.Second,
		Idle:               2 * time.Hour,
		UploadPath:         "/lively/upload/",
		OnEvent:            func(context.Context, Report) {},
		OnError: func(ctx context.Context, err error) {
			slog.ErrorContext(ctx, "live connection", "err", err)
		},
	}
}

// peer returns the address that a request comes from, as the network says.
func peer(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	address := at.Addr().Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	network, _ := address.Prefix(64) // which an IPv6 address has
	return network.String()
}

// validate returns everything that is wrong.
func (c *Config) validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, setting := range []struct {
		name  string
		value int64
	}{
		{"ReadLimit", c.ReadLimit},
		{"ReadElements", int64(c.ReadElements)},
		{"QueueBytes", int64(c.QueueBytes)},
		{"QueueEvents", int64(c.QueueEvents)},
		{"EventBytes", int64(c.EventBytes)},
		{"Pages", int64(c.Pages)},
		{"EventTime", int64(c.EventTime)},
		{"ScriptTime", int64(c.ScriptTime)},
		{"WriteTime", int64(c.WriteTime)},
		{"PingEvery", int64(c.PingEvery)},
		{"PongWithin", int64(c.PongWithin)},
	} {
		if setting.value <= 0 {
			complain("%s is %d: it must be above 0", setting.name, setting.value)
		}
	}
	if c.Connections < 0 || c.SessionConnections < 0 || c.AddressConnections < 0 {
		complain("Connections is %d, SessionConnections %d and AddressConnections %d: they must not be negative",
			c.Connections, c.SessionConnections, c.AddressConnections)
	}
	if c.Idle < 0 {
		complain("Idle is %v: it must not be negative", c.Idle)
	}
	if c.OnError == nil || c.OnEvent == nil || c.Address == nil {
		complain("OnError, OnEvent or Address is nil: leave the default")
	}
	return errors.Join(errs...)
}
