// Package mutation builds the tests of a package with a fault put in, to show that they
// find it.
package mutation

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var every = flag.Bool("mutants", false, "try every mutant instead of every third")

// Chosen returns the mutants to try. Compiling each of them takes longer than a check of
// every change may: who has changed the rules, or what searches them, tries all.
func Chosen[M any](mutants []M) (chosen []M) {
	for i, m := range mutants {
		if *every || i%3 == 0 {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// Build compiles the tests of the package in the working directory, with the text of the
// file that stands there once replaced by another one. It returns the program. Files that
// would have it compile much more than finds a fault are left out by the build tag mutated.
func Build(t testing.TB, file, old, new string) (program string) {
	t.Helper()
	source := read(t, file, old)
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "changed.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, changed, strings.Replace(source, old, new, 1))
	write(t, filepath.Join(dir, "overlay.json"), string(overlay))
	program = filepath.Join(dir, "changed.test")
	cmd := exec.Command("go", "test", "-c", "-tags=mutated", "-vet=off", "-ldflags=-s -w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// Check fails the test if the text does not stand in the file, once.
func Check(t testing.TB, file, old string) {
	t.Helper()
	read(t, file, old)
}

func read(t testing.TB, file, old string) (source string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), old); n != 1 {
		t.Fatalf("%s has %d times %q: the mutant is out of date", file, n, old)
	}
	return string(b)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
