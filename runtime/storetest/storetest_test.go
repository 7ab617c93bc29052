package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

func TestSoundStorePasses(t *testing.T) {
	t.Parallel() // it waits for sessions to end
	Run(t, func(*testing.T) runtime.Store { return newToy() },
		WithOutage(func(_ *testing.T, s runtime.Store) func() { return failToy(s) }),
		WithLostWatch(func(_ *testing.T, s runtime.Store) { loseToyWatches(s) }),
		WithReopen(reopenFiled(whole)),
		WithClocks(func(*testing.T) [2]runtime.Store { return serve(newToy()) }))
}

// A jsonToy refuses values that are no JSON texts.
type jsonToy struct{ *toy }

func (jsonToy) Format() runtime.Format { return runtime.JSON }

func TestSoundJSONStorePasses(t *testing.T) {
	t.Parallel()
	Run(t, func(*testing.T) runtime.Store {
		s := jsonToy{newToy()}
		onOps(s.toy, func(op *runtime.Op) {
			value := op.Entry.Value
			if op.Kind == runtime.OpSet && op.Entry.Kind != runtime.CounterEntry && !json.Valid([]byte(value)) {
				t.Errorf("the kit stores %q, which is no JSON text", value)
			}
		})
		return s
	})
}

func failToy(s runtime.Store) (end func()) { return s.(*toy).fail() }

func loseToyWatches(s runtime.Store) { s.(*toy).loseWatches() }

func TestDefectsAreNoticed(t *testing.T) {
	t.Parallel()
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			broken := func() runtime.Store {
				s := newToy()
				m.mutate(s)
				return s
			}
			for _, says := range m.fails {
				clocks := func() [2]runtime.Store { return serve(broken().(*toy)) }
				if !notices(t, find(t, says), subject{
					open: broken, outage: failToy, loseWatch: loseToyWatches, clocks: clocks,
				}) {
					t.Errorf("the kit does not notice it by %q", says)
				}
			}
		})
	}
}

// notices reports whether a check finds something wrong. A race is provoked and
// not forced: on a busy machine it may take more than one attempt. What a check waits
// for takes no time.
func notices(t *testing.T, s statement, broken subject) (noticed bool) {
	const attempts = 10
	for n := 0; n < attempts && !noticed; n++ {
		synctest.Test(t, func(t *testing.T) {
			noticed = len(record(t, s.check, broken)) > 0
			time.Sleep(leak) // and so ends
		})
	}
	return noticed
}

// TestEveryStatementCanFail holds the table of mutants to the contract. C16
// kills processes and has a test of its own.
func TestEveryStatementCanFail(t *testing.T) {
	caught := map[string]bool{}
	for _, m := range mutants {
		for _, says := range m.fails {
			caught[says] = true
		}
	}
	for _, c := range contract {
		for _, s := range c.statements {
			if !caught[s.says] && c.id != "C16" {
				t.Errorf("no mutant shows that %s %q can fail", c.id, s.says)
			}
		}
	}
}

// find returns the statement of the contract.
func find(t *testing.T, says string) (found statement) {
	t.Helper()
	n := 0
	for _, c := range contract {
		for _, s := range c.statements {
			if s.says == says {
				found = s
				n++
			}
		}
	}
	if n != 1 {
		t.Fatalf("the contract says %q %d times, want once", says, n)
	}
	return found
}

// record runs one check and returns what it found wrong.
func record(t *testing.T, check func(*kit), s subject) []string {
	t.Helper()
	r := &recorder{ctx: t.Context(), dir: t.TempDir}
	var running sync.WaitGroup
	running.Go(func() { check(newKit(r, s)) })
	running.Wait()
	if r.skipped != "" {
		t.Fatalf("the check was skipped: %s", r.skipped)
	}
	return r.failures
}

// A recorder keeps what a check reports.
type recorder struct {
	ctx context.Context
	dir func() string

	mu       sync.Mutex
	failures []string
	skipped  string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) TempDir() string          { return r.dir() }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	goruntime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
	goruntime.Goexit()
}

func TestPatternMatchesOneTest(t *testing.T) {
	if got, want := pattern("TestStore/a+b"), `^TestStore$/^a\+b$`; got != want {
		t.Errorf("pattern = %s, want %s", got, want)
	}
	if strings.Contains(pattern("TestStore"), "/") {
		t.Error("the pattern of a test without subtests has a slash")
	}
}
