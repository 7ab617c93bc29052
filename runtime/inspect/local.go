package inspect

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

var errNotAllowed = errors.New("the program does not let this request in")

// forwarding are the fields by which proxies say for whom they ask.
var forwarding = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// local returns an error unless the request is this machine's own. The name has to
// be local, too: a page of another site may have had its own name resolve to a
// loopback address.
func local(r *http.Request) error {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return refusal("came from %s", cut(r.RemoteAddr))
	}
	if !isLocalName(r.Host) {
		return refusal("asked for the host %s", cut(r.Host))
	}
	for _, field := range forwarding {
		if _, ok := r.Header[field]; ok {
			return refusal("came through a proxy, as its field %s says", field)
		}
	}
	return nil
}

func refusal(format string, args ...any) error {
	return fmt.Errorf("it answers only the machine that it runs on, and this request "+format+
		"; inspect.Config.Allow can let others in", args...)
}

// isLocalName reports whether a host, with or without a port, is this machine by name
// or address.
func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// fromElsewhere reports whether a page of another site has asked.
func fromElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	default:
		return true
	}
}
