package web

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/duckgen/duckgen/examples/shop/session"
)

// deviceKey finds the device of a request, or of a live connection's handshake.
type deviceKey struct{}

func withDevice(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		device := session.Device{Name: deviceName(r.UserAgent()), Addr: host}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), deviceKey{}, device)))
	})
}

func deviceOf(ctx context.Context) session.Device {
	device, _ := ctx.Value(deviceKey{}).(session.Device)
	return device
}

// What the header User-Agent has of browsers and systems. Many name others, too,
// so the first one counts.
var (
	browsers = []named{{"Edg", "Edge"}, {"OPR", "Opera"}, {"Firefox", "Firefox"}, {"Chrome", "Chrome"}, {"Safari", "Safari"}}
	systems  = []named{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}}
)

type named struct{ mark, name string }

// deviceName makes "Firefox on Linux" of the header User-Agent.
func deviceName(agent string) string {
	first := func(list []named, unknown string) string {
		for _, n := range list {
			if strings.Contains(agent, n.mark) {
				return n.name
			}
		}
		return unknown
	}
	return first(browsers, "A browser") + " on " + first(systems, "an unknown system")
}
