package fleet

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/internal/mutation"
)

// A mutant is the runtime without the mend of one fault. The fleet has to find it.
type mutant struct {
	fault    string
	file     string // below runtime
	old, new string // what stands there once, and what replaces it
}

var mutants = []mutant{
	{"T2: a sign-in after a lost answer to a renewal leaves the session behind", "apply.go",
		`if r.isCurrent(at) || r.earlier(at).Presented.IsZero() || s.vacant(r.Entries) || s.fits(r.Entries) {`,
		`if r.isCurrent(at) {`},
	{"T2: a sign-in as who was signed in already is dropped", "draft_write.go",
		"p.signIn = p.field.Renew && !isDefault\n\td.judge(p)",
		"d.judge(p)\n\tp.signIn = p.field.Renew && !isDefault && !p.scalar.withdrawn"},
	{"T3: requests from before a sign-in write after it", "admit.go",
		"\tif key.Arrived().Before(e.Ended.Add(e.Grace)) {\n\t\treturn ErrSuperseded",
		"\tif key.Arrived().Before(e.Ended) {\n\t\treturn nil\n\t}\n\tif key.Arrived().Before(e.Ended.Add(e.Grace)) {\n\t\treturn ErrSuperseded"},
	{"T3: a sign-in from before a sign-out begins a session", "apply.go",
		`return e.By == RenewSignOut && key.Arrived().Before(e.Ended)`, `return false`},
	{"T4: a thief who keeps a new token in hand stops all renewals", "apply.go",
		`return e.By == RenewPlain && e.Presented.IsZero() && !now.Before(e.Ended.Add(e.Grace))`, `return false`},
	{"T5: a request that has waited raises an alarm", "admit.go",
		"\tcase key.Arrived().Before(over):\n\t\treturn ErrNotFound", "\tcase false:\n\t\treturn ErrNotFound"},
	{"T8: a retried sign-in after a lost answer begins a session of its own", "apply.go",
		"case s.sameUser(r.Entries):\n\t\treturn RenewSignIn, nil", "case false:\n\t\treturn RenewSignIn, nil"},
	{"T10: an anonymous token from before a sign-in ends the session", "apply.go",
		`|| e.By == RenewPlain && kind.endsEarlier() {`, `{`},
	{"T12: a renewal forgets a token that is in use", "apply.go",
		`return (r.isCurrent(at) || r.earlier(at).neverReplaced(key.Now)) && r.hasRoom(at, key.Now)`, `return r.isCurrent(at) || r.earlier(at).neverReplaced(key.Now)`},
	{"T4: who has waited too long ends nothing", "admit.go",
		`case key.Arrived().Before(over) && to == toEnd:`, `case false:`},
	{"S2: a revocation spares what nobody has verified", "index.go",
		`if !s.confirmed {`, `if false {`},
	{"R12: a handler that failed signs in", "commit.go",
		`if failed && !r.engine.config.CommitFailed {`, `if false {`},
	{"R13: a visitor who has hung up is signed in", "commit.go",
		`if s.live != nil || s.ctx.Err() == nil {`, `if true {`},
	{"R15: a middleware inside takes the cookie away", "access.go",
		`presentedBy(s.engine.carrier, s.brought, s.engine.kind)`,
		`presentedBy(s.engine.carrier, s.engine.carrier.brought(s.request.Header), s.engine.kind)`},
	{"T7: the store judges by the clock of each program", "internal/fleet/store_test.go",
		"\tif v.moves {\n\t\treturn -v.ahead\n\t}\n\treturn 0", "\treturn 0"},
}

// boundMutants are those that histories with bound sessions find.
var boundMutants = []mutant{
	{"B1: a bound cookie never ends", "bound_admit.go",
		`return t, ok && arrived.Before(t.end())`, `return t, ok`},
	{"B1: the bound cookie of any session opens all", "bound_admit.go",
		`case brought && b.registered() && b.knows(t.hash(e.kind)):`, `case brought && b.registered() && t != (boundToken{}):`},
	{"B1: a bound session opens without a bound cookie", "binding.go",
		`return b.registered() && !b.demanded.IsZero() && !arrived.Before(b.demanded)`, `return false`},
	{"B1: nothing is demanded of a session whose browser has its bound cookie", "bound_admit.go",
		`if !b.demanded.IsZero() {`, `if true {`},
	{"B1: a write that has not loaded is let in by the cookie of the session alone", "commit_bound.go",
		`return append(list, Op{Kind: OpRemove, Entry: Entry{Key: boundEntry}, If: &Condition{Absent: true}})`, `return list`},
	{"B1: a write that has not loaded is let in by any bound cookie", "commit_bound.go",
		`return append(list, Op{Kind: OpSet, Entry: bound, If: &Condition{Value: bound.Value}})`,
		`return append(list, Op{Kind: OpSet, Entry: bound})`},
	{"B1: a live connection goes on for ever", "bound_live.go",
		`return c != nil && !c.proved.IsZero() && !now.Before(c.proved)`, `return false`},
	{"B1: a process that has heard nothing of the store's clock goes by its own", "commit.go",
		"if c.engine.config.Bound != BoundNever {\n\t\tif err := c.engine.meetClock(ctx)",
		"if false {\n\t\tif err := c.engine.meetClock(ctx)"},
	{"B2: a challenge is answered as often as one likes", "dbsc/handler.go",
		`return want != "" && subtle.ConstantTimeCompare([]byte(p.challenge), []byte(want)) == 1`,
		`return subtle.ConstantTimeCompare([]byte(want), []byte(want)) == 1`},
	{"B2: any key refreshes", "dbsc/handler.go",
		`err = p.verify(d.Key())`, `_ = p.verify`},
	{"B2: any key registers", "dbsc/handler.go",
		`case len(d.Key()) > 0:`, `case false:`},
	{"B3: a request that has waited is refused", "bound_admit.go",
		`arrived := e.byStore(key.Arrived())`, `arrived := e.byStore(key.Now)`},
	{"B3: who was under way at the registration is refused", "binding.go",
		`b.demanded = latest(now, b.challenged.Add(grace))`, `b.demanded = now`},
	{"B3: the bound cookie before the last one is refused", "binding.go",
		`func (b *binding) knows(h boundHash) bool { return h == b.cookie || h == b.previous }`,
		`func (b *binding) knows(h boundHash) bool { return h == b.cookie }`},
	{"B3: programs judge by their own clocks", "engine.go",
		`func (e *engine) byStore(t time.Time) time.Time { return t.Add(e.server.Ahead()) }`,
		`func (e *engine) byStore(t time.Time) time.Time { return t }`},
	{"B4: a sign-in on another device is refused", "commit_bound.go",
		`if !c.draft.signsIn() || !errors.Is(c.refusal, ErrUnbound) {`, `if !errors.Is(nil, ErrUnbound) {`},
	{"B5: a browser forgets its key in an outage", "dbsc/handler.go",
		`e.w.WriteHeader(http.StatusServiceUnavailable)`, `e.w.WriteHeader(http.StatusBadRequest)`},
	{"B5: a browser forgets its key while its token is replaced", "dbsc/handler.go",
		`errors.Is(err, runtime.ErrReused) ||`, `errors.Is(err, runtime.ErrReused) || errors.Is(err, runtime.ErrSuperseded) ||`},
	{"B5: a challenge that has ended is not replaced", "dbsc/handler.go",
		"if d.Challenge() == \"\" {\n\t\terr := d.Rechallenge", "if false {\n\t\terr := d.Rechallenge"},
}

// TestFleetFindsEachFault builds the fleet with each of the mutants, and gives it a
// million steps at most.
func TestFleetFindsEachFault(t *testing.T) {
	testtier.OnlyExhaustive(t, "it compiles the runtime for each mutant")
	findEach(t, "^TestFleetInMemory$", mutants)
	findEach(t, "^TestBoundFleetInMemory$", mutation.Chosen(boundMutants))
}

func findEach(t *testing.T, test string, mutants []mutant) {
	for _, m := range mutants {
		t.Run(m.fault, func(t *testing.T) {
			out, err := exec.Command(mutation.Build(t, m.path(), m.old, m.new), "-test.run="+test, "-test.v",
				"-rapid.checks=32000", "-rapid.seed=1", "-rapid.shrinktime=0s").CombinedOutput()
			found := regexp.MustCompile(`failed after (\d+) tests: (.*)`).FindSubmatch(out)
			if err == nil || found == nil {
				t.Fatalf("not found: %v\n%s", err, out)
			}
			steps := regexp.MustCompile(`the first finding after (\d+) steps`).FindSubmatch(out)
			t.Logf("found after %s steps: %s", steps[1], found[2])
		})
	}
}

func (m mutant) path() string { return filepath.Join("..", "..", m.file) }

func TestMutantsAreUpToDate(t *testing.T) {
	for _, m := range slices.Concat(mutants, boundMutants) {
		mutation.Check(t, m.path(), m.old)
	}
}
