//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// tools are the paths of the programs.
type tools struct{ duckgen, stringer, goverter, msgp string }

// build builds duckgen from the repository, and the others as this module
// requires them.
func build(dir string) (tools, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return tools{}, err
	}
	t := tools{
		duckgen:  filepath.Join(dir, "duckgen"),
		stringer: filepath.Join(dir, "stringer"),
		goverter: filepath.Join(dir, "goverter"),
		msgp:     filepath.Join(dir, "msgp"),
	}
	commands := [][]string{
		{"build", "-o", t.stringer, "golang.org/x/tools/cmd/stringer"},
		{"build", "-o", t.goverter, "github.com/jmattheis/goverter/cmd/goverter"},
		{"build", "-o", t.msgp, "github.com/tinylib/msgp"},
	}
	if *duckgen != "" {
		t.duckgen = *duckgen
	} else {
		commands = append(commands, []string{"build", "-C", "..", "-o", t.duckgen, "./cmd/duckgen"})
	}
	for _, args := range commands {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return t, fmt.Errorf("go %v: %w\n%s", args, err, out)
		}
	}
	return t, nil
}

// A step is one thing to measure.
type step struct {
	name    string
	command []string
	env     []string
	before  func() error // each run, not measured
	output  string       // pattern of the files that it writes, below the input
	cold    bool         // takes seconds, whatever the input is
}

// steps are those of duckgen.
func (b *bench) steps(in input) []step {
	all := []string{b.tools.duckgen, "."}
	if in.layout == packages {
		all[1] = "./..."
	}
	full := []string{"GOFLAGS=-mod=mod"} // may change what the go command loads, so that it has to be asked
	const own = "*_duckgen.go"
	anew := in.clean
	steps := []step{
		{name: "duckgen, anew", command: all, before: anew, output: own},
		{name: "duckgen, unchanged", command: all},
	}
	if in.structs > peersUpTo {
		return steps
	}
	steps = append(steps,
		step{name: "duckgen, full way, anew", command: all, env: full, before: anew, output: own},
		step{name: "duckgen, full way, unchanged", command: all, env: full})
	if *cold && in.structs == 1 {
		steps = append(steps,
			b.withoutBuildCache(steps[0]),
			b.withoutBuildCache(steps[2]))
	}
	return steps
}

// peers are the steps of the other generators.
func (b *bench) peers(in input) []step {
	stringer := step{name: "stringer", command: []string{b.tools.stringer, "-type=Kind"}, before: in.clean, output: "kind_string.go"}
	steps := []step{
		stringer,
		{name: "goverter", command: []string{b.tools.goverter, "gen", "./converter"}, before: in.clean, output: "generated.go"},
		{name: "msgp", command: []string{b.tools.msgp, "-file", "session.go", "-tests=false"}, before: in.clean, output: "session_gen.go"},
	}
	if *cold && in.structs == 1 {
		steps = append(steps, b.withoutBuildCache(stringer))
	}
	return steps
}

func (b *bench) withoutBuildCache(s step) step {
	cache := filepath.Join(b.dir, "gocache")
	before := s.before
	s.name += ", empty build cache"
	s.env = append([]string{"GOCACHE=" + cache}, s.env...)
	s.cold = true
	s.before = func() error {
		if before != nil {
			if err := before(); err != nil {
				return err
			}
		}
		return os.RemoveAll(cache)
	}
	return s
}
