// Package storetest is the conformance kit for session stores. A store that
// passes it keeps what [runtime.Store] promises, alone and under concurrent
// requests:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) runtime.Store {
//			s := mystore.Open(t.TempDir())
//			t.Cleanup(func() { s.Close() })
//			return s
//		})
//	}
//
// Each clause of the contract, C1 to C25, is a subtest, and under it each
// statement that the clause makes. Run the kit with -race. With -short it makes
// a tenth of the rounds that provoke races.
//
// The kit carries its own clock in [runtime.Key], which starts at the present
// and jumps hours ahead, so a store on a server must be opened in such a way that it
// judges by the key and not by the server's clock. Values are encoded in the store's format: where the store is a
// [runtime.Formatter] and wants JSON, they are JSON texts. The clauses about an
// index, a list and a sweeper are skipped for stores that are no [runtime.Indexer],
// [runtime.Lister] or [runtime.Sweeper], nor wrap one; C16, C18, C22 and C23 run where [WithReopen], [WithOutage],
// [WithClocks] and [WithLostWatch] say how.
package storetest

import (
	"context"
	"os"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// Run checks the store that open returns. Each call of open must give a store
// that is empty and shares nothing with the others; it is called once for each
// statement. If the store has a method Close() error, C20 closes it, so closing
// it once more must be harmless.
func Run(t *testing.T, open func(t *testing.T) runtime.Store, options ...Option) {
	t.Helper()
	var known hooks
	for _, option := range options {
		option(&known)
	}
	if data := os.Getenv(victimVariable); data != "" && known.reopen != nil {
		writeUntilKilled(t, known.reopen(t, data))
		return
	}
	test := pattern(t.Name())
	for _, c := range contract {
		t.Run(c.id, func(t *testing.T) {
			for _, s := range c.statements {
				t.Run(s.says, func(t *testing.T) {
					s.check(newKit(t, known.subject(t, test, open)))
				})
			}
		})
	}
}

// An Option tells the kit what it cannot find out about a store.
type Option func(*hooks)

// WithOutage lets C18 run. Begin makes the server of the store unreachable and
// returns what makes it reachable again; the store must recover from it without
// being reopened.
func WithOutage(begin func(t *testing.T, s runtime.Store) (end func())) Option {
	return func(h *hooks) { h.outage = begin }
}

// WithReopen lets C16 run. Reopen opens the store on the data that the string
// names, which is the path of an empty directory at first and may serve as any
// other name. The kit calls it again for the same data, in a process of its own
// that it kills: there the test binary runs the calling test once more. It is
// never open twice at a time.
func WithReopen(reopen func(t *testing.T, data string) runtime.Store) Option {
	return func(h *hooks) { h.reopen = reopen }
}

// WithLostWatch lets C23 run. Lose breaks the connection on which the store hears
// of changes, and no other.
func WithLostWatch(lose func(t *testing.T, s runtime.Store)) Option {
	return func(h *hooks) { h.loseWatch = lose }
}

// WithClocks lets C22 run, which is for stores that judge by the clock of a server.
// Open returns two stores on the same data, empty at first and not used by anybody
// else, as two processes would open them. They live in the present, but their keys'
// Now is minutes ahead and minutes behind.
func WithClocks(open func(t *testing.T) [2]runtime.Store) Option {
	return func(h *hooks) { h.clocks = open }
}

// WithHistory sets how many operations C19 records, 10,000 by default. For every
// hundred of them C21 compares a history of random ones.
func WithHistory(operations int) Option {
	return func(h *hooks) { h.history = operations }
}

// WithRounds sets how many of the rounds that provoke races are made, in percent, 100
// by default.
func WithRounds(percent int) Option {
	return func(h *hooks) { h.percent = percent }
}

// WithKills sets how many processes C16 kills, 5 by default.
func WithKills(n int) Option {
	return func(h *hooks) { h.kills = n }
}

// hooks are the options as the caller gave them.
type hooks struct {
	outage    func(*testing.T, runtime.Store) func()
	loseWatch func(*testing.T, runtime.Store)
	reopen    func(*testing.T, string) runtime.Store
	clocks    func(*testing.T) [2]runtime.Store
	history   int
	percent   int
	kills     int
}

// A subject is the store under test, and what can be done to it.
type subject struct {
	open      func() runtime.Store
	outage    func(runtime.Store) (end func())
	loseWatch func(runtime.Store)
	reopen    func(data string) runtime.Store
	clocks    func() [2]runtime.Store
	test      string // pattern of the test that a process to kill runs again

	history int // operations of C19; 0: the default
	percent int // of the rounds that provoke races; 0: all
	kills   int // of C16; 0: the default
}

func (h hooks) subject(t *testing.T, test string, open func(*testing.T) runtime.Store) subject {
	s := subject{open: func() runtime.Store { return open(t) }, test: test, history: h.history, percent: h.percent, kills: h.kills}
	if h.outage != nil {
		s.outage = func(store runtime.Store) func() { return h.outage(t, store) }
	}
	if h.loseWatch != nil {
		s.loseWatch = func(store runtime.Store) { h.loseWatch(t, store) }
	}
	if h.reopen != nil {
		s.reopen = func(data string) runtime.Store { return h.reopen(t, data) }
	}
	if h.clocks != nil {
		s.clocks = func() [2]runtime.Store { return h.clocks(t) }
	}
	return s
}

// reporter is the part of *testing.T that checks use. The kit's own tests have
// another one, which records what a broken store does wrong.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Context() context.Context
	TempDir() string
}

// A clause is one line of the contract.
type clause struct {
	id         string
	statements []statement
}

// A statement is one thing that a clause says.
type statement struct {
	says  string
	check func(*kit)
}
