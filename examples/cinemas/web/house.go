package web

import (
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/duckgen/duckgen/examples/cinemas/session"
	"github.com/duckgen/duckgen/runtime"
)

// A Cinema is one tenant of the site.
type Cinema struct {
	Host  string         // where it is, without a port
	Name  string         // of the cinema
	Films map[string]int // the seats for each film
}

// A house is a cinema that is open.
type house struct {
	name     string
	sessions *session.VisitorSessions
	pages    http.Handler

	mu   sync.Mutex
	free map[string]int // seats that are left for each film
}

func newHouse(store runtime.Store, c Cinema, configure ...func(*runtime.Config)) (*house, error) {
	own := func(config *runtime.Config) {
		config.Namespace = c.Host
		config.ErrorHandler = failed
	}
	sessions, err := session.NewVisitorSessions(store, append([]func(*runtime.Config){own}, configure...)...)
	if err != nil {
		return nil, err
	}
	h := &house{name: c.Name, sessions: sessions, free: maps.Clone(c.Films)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.showFront)
	mux.HandleFunc("POST /bookings", h.begin)
	mux.HandleFunc("GET /bookings/{id}/{step}", h.showStep)
	mux.HandleFunc("POST /bookings/{id}/{step}", h.takeStep)
	mux.HandleFunc("POST /bookings/{id}/confirm", h.confirm)
	mux.HandleFunc("POST /bookings/{id}/discard", h.discard)
	h.pages = sessions.Middleware(mux)
	return h, nil
}

// films returns the films, sorted.
func (h *house) films() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.free))
}

// left returns how many seats are left for a film.
func (h *house) left(film string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.free[film]
}

// book takes the seats. It reports whether there are as many.
func (h *house) book(b session.Booking) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free[b.Film] < b.Seats {
		return false
	}
	h.free[b.Film] -= b.Seats
	return true
}
