// Package web serves several cinemas, each at a host of its own, from one store.
// Every cinema is a tenant: its sessions have its namespace, and no other cinema sees
// them. Booking a seat takes several pages, whose answers are in the session until
// they are confirmed.
package web

import (
	"fmt"
	"net"
	"net/http"

	"github.com/duckgen/duckgen/runtime"
)

// maxBody limits what a form may send, in bytes.
const maxBody = 16 << 10

// A site has the cinemas by their hosts.
type site map[string]*house

// New returns the site of the cinemas. They keep their sessions in the store;
// configure changes how these live.
func New(store runtime.Store, cinemas []Cinema, configure ...func(*runtime.Config)) (http.Handler, error) {
	s, err := newSite(store, cinemas, configure...)
	if err != nil {
		return nil, err
	}
	return s.handler(), nil
}

func newSite(store runtime.Store, cinemas []Cinema, configure ...func(*runtime.Config)) (site, error) {
	s := site{}
	for _, c := range cinemas {
		h, err := newHouse(store, c, configure...)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", c.Name, err)
		}
		s[c.Host] = h
	}
	return s, nil
}

// handler refuses the forms of other sites before they reach a session.
func (s site) handler() http.Handler {
	return http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(s), maxBody)
}

// ServeHTTP leads a request to the cinema of its host.
func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	house, ok := s[hostOf(r)]
	if !ok {
		http.Error(w, "there is no cinema at this address", http.StatusNotFound)
		return
	}
	house.pages.ServeHTTP(w, r)
}

// hostOf returns the host that a request is for, without a port.
func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}
