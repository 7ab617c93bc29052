package servertest

import (
	"sync"
	"testing"
)

// A Lender lends databases with empty tables, to several tests at once: to make the
// tables takes longer than most tests do with them.
type Lender struct {
	Make  func(tb testing.TB) (url string) // a database that lives as long as the lender
	Clear func(tb testing.TB, url string)  // empties its tables

	mu   sync.Mutex
	free []string
}

// Lend returns the URL of a database that the test has for itself.
func (l *Lender) Lend(t testing.TB) (url string) {
	t.Helper()
	if url = l.take(); url == "" {
		url = l.Make(t)
	}
	t.Cleanup(func() {
		l.Clear(t, url)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.free = append(l.free, url)
	})
	return url
}

// take returns a database that is free, or nothing.
func (l *Lender) take() (url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.free) > 0 {
		url, l.free = l.free[0], l.free[1:]
	}
	return url
}
