// Package testtier says how much the tests do. There are three tiers:
//
//   - go test -short, between two edits: in memory, without servers and browsers;
//   - go test, before a commit: with servers and a browser, each kind of thing;
//   - with DUCKGEN_TEST_EXHAUSTIVE=true, as .ci/run does: everything, and
//     everything that depends on chance many times.
package testtier

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// Variable is the environment variable that selects the exhaustive tier.
const Variable = "DUCKGEN_TEST_EXHAUSTIVE"

// Exhaustive reports whether the exhaustive tier was selected.
func Exhaustive() bool { return os.Getenv(Variable) == "true" }

// NotShort skips a test in the short tier.
func NotShort(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip("not with -short: " + why)
	}
}

// OnlyExhaustive skips a test in every tier but the exhaustive one.
func OnlyExhaustive(t testing.TB, why string) {
	t.Helper()
	if !Exhaustive() {
		t.Skip("only with " + Variable + "=true: " + why)
	}
}

// Count returns how often to do something in the tier that runs.
func Count(short, usual, exhaustive int) int {
	switch {
	case Exhaustive():
		return exhaustive
	case testing.Short():
		return short
	default:
		return usual
	}
}

// Rounds returns how many of the rounds that provoke races are made, in percent: a
// tenth in the usual tier, but with the race detector, which is there for them, all.
func Rounds() int {
	if detectsRaces {
		return 100
	}
	return Count(100, 10, 100)
}

// Some returns every n-th of the cases, the first one included, and in the exhaustive
// tier all of them.
func Some[C any](cases []C, n int) []C {
	if Exhaustive() {
		return cases
	}
	var some []C
	for i := 0; i < len(cases); i += n {
		some = append(some, cases[i])
	}
	return some
}

// Checks sets how often rapid.Check draws, unless the command line says so. A test
// that it fails names the seed with which it fails again.
func Checks(t testing.TB, n int) {
	t.Helper()
	set(t, "rapid.checks", strconv.Itoa(n))
	set(t, "rapid.nofailfile", "true")
}

// Seed sets the seed from which rapid.Check draws, unless the command line says so, so
// that each run tries the same.
func Seed(t testing.TB, seed uint64) {
	t.Helper()
	set(t, "rapid.seed", strconv.FormatUint(seed, 10))
}

// chosen are the flags that have been set here.
var chosen = map[string]bool{}

func set(t testing.TB, name, value string) {
	t.Helper()
	if given(name) {
		return
	}
	chosen[name] = true
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
}

// given reports whether the command line sets a flag.
func given(name string) (found bool) {
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name && !chosen[name] })
	return found
}

// WaitTogether lets four parallel tests for each processor run at once, unless the
// command line says how many. TestMain calls it where they wait for servers, mostly.
func WaitTogether() {
	flag.Parse()
	if !given("test.parallel") {
		_ = flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0))) // the flag is there
	}
}
