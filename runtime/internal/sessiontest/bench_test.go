package sessiontest

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime/memstore"
)

// discard is a response writer that costs as little as one can.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// fillRealistic sets all of the 20 fields.
func fillRealistic(s *RealisticSession) {
	s.SetUserID(4711)
	s.SetAccountID(1_234_567)
	s.SetName("Augusta Ada King, Countess of Lovelace")
	s.SetEmail("ada.lovelace@analytical-engine.example")
	s.SetRole("administrator of the engine")
	s.SetLocale("en-GB, en;q=0.8, de;q=0.7")
	s.SetTheme("dark, with a high contrast")
	s.SetTimeZone("Europe/London, summer time")
	s.SetReferrer("https://search.example/?q=sessions+in+go")
	s.SetCampaign("autumn-2026-newsletter-second-wave")
	s.SetAgent("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0")
	s.AddViews(17)
	s.SetScore(98_765)
	s.SetStep(3)
	s.SetVerified(true)
	s.SetSeenAt(begin)
	s.SetLoginAt(begin.Add(-time.Hour))
	s.SetConsentAt(begin.Add(-24 * time.Hour))
	recent := make([]string, 10)
	for i := range recent {
		s.SetCartItem("sku-"+strconv.Itoa(1000+i), i+1)
		recent[i] = "/products/" + strconv.Itoa(1000+i)
	}
	s.SetRecent(recent)
}

// requests returns what serves one request by the handler behind the middleware,
// on the memory store.
func requests(t testing.TB, known bool, handler func(*RealisticSession)) (serve func()) {
	store := memstore.New()
	t.Cleanup(func() { _ = store.Close() })
	m, err := NewRealisticSessions(store)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), "GET", "https://shop.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	w := discard{http.Header{}}
	var run func(*RealisticSession)
	h := m.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { run(RealisticFrom(r.Context())) }))
	if known {
		run = fillRealistic
		h.ServeHTTP(w, r)
		cookie, err := http.ParseSetCookie(w.header.Get("Set-Cookie"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "other=1; "+cookie.Name+"="+cookie.Value)
	}
	run = handler
	return func() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
}

// A requestCase is a kind of request that is worth measuring.
type requestCase struct {
	name    string
	known   bool
	handler func(*RealisticSession)
	allocs  float64 // at most
}

func requestCases() []requestCase {
	theme := true
	return []requestCase{
		{"no cookie, untouched", false, func(*RealisticSession) {}, 1},
		{"known, untouched", true, func(*RealisticSession) {}, 1},
		{"known, read one field", true, func(s *RealisticSession) { _ = s.Name() }, 3},
		{"known, write one field", true, func(s *RealisticSession) {
			theme = !theme
			if theme {
				s.SetTheme("dark, with a high contrast")
			} else {
				s.SetTheme("black, also with a high contrast")
			}
		}, 6},
		{"known, write three fields", true, func(s *RealisticSession) {
			theme = !theme
			s.SetVerified(theme)
			s.AddViews(1)
			s.SetSeenAt(s.SeenAt().Add(time.Second))
		}, 12},
		{"known, read all fields", true, func(s *RealisticSession) { _ = s.Snapshot() }, 9},
		{"new visitor, write one", false, func(s *RealisticSession) { s.SetTheme("dark") }, 7},
	}
}

// sink keeps what a benchmark makes.
var sink *http.Request

// BenchmarkRequest measures one request through the middleware, on the memory
// store.
func BenchmarkRequest(b *testing.B) {
	b.Run("bare WithContext", func(b *testing.B) {
		r, _ := http.NewRequest("GET", "https://shop.example/", nil)
		ctx := context.WithValue(r.Context(), b, b)
		b.ReportAllocs()
		for b.Loop() {
			sink = r.WithContext(ctx)
		}
	})
	for _, c := range requestCases() {
		b.Run(c.name, func(b *testing.B) {
			serve := requests(b, c.known, c.handler)
			b.ReportAllocs()
			for b.Loop() {
				serve()
			}
		})
	}
}
