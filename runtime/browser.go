package runtime

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// What a request says of the browser that has sent it.

// requestedPath returns the path as the browser sent it, which is the one that it
// compares with a cookie's: still escaped, and with what a router has stripped.
func requestedPath(r *http.Request) string {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.EscapedPath()
	}
	return r.URL.EscapedPath()
}

// isForeignNavigation reports whether a page of another origin has sent the visitor
// here.
func isForeignNavigation(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
		(site == "cross-site" || site == "same-site")
}

// isOwnMachine reports whether browsers take the host for this machine, whatever
// the network says (W3C, Secure Contexts, section 3.1).
func isOwnMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}
