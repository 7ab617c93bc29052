package servertest

import "testing"

// A Lender lends databases with empty tables to the statements of a contract: to make
// the tables takes longer than to check most of them.
type Lender struct {
	Make  func() (url string)             // a database that lives as long as the lender
	Clear func(tb testing.TB, url string) // empties its tables
	free  []string
}

// Lend returns the URL of a database that the test has for itself.
func (l *Lender) Lend(t testing.TB) (url string) {
	t.Helper()
	if len(l.free) == 0 {
		l.free = append(l.free, l.Make())
	}
	url, l.free = l.free[0], l.free[1:]
	t.Cleanup(func() {
		l.Clear(t, url)
		l.free = append(l.free, url)
	})
	return url
}
