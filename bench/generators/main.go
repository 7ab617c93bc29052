//go:build unix

// Command generators measures duckgen beside other code generators: how long
// they take, how much of the processors and how much memory, for packages of
// structs with 20 fields. Run it in this module:
//
//	go run ./generators
//
// Each figure is the least of several runs of the whole process. Compare within
// one run, never between two.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

var (
	structs = flag.String("structs", "1,200,1000,5000", "how many structs")
	runs    = flag.Int("runs", 5, "how often each is measured; of 1000 structs and more, once")
	cold    = flag.Bool("cold", false, "also with an empty build cache, which takes minutes")
	duckgen = flag.String("duckgen", "", "measure this duckgen, not that of the repository")
)

// peersUpTo is for how many structs the others are measured.
const peersUpTo = 200

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generators:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "generators-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // duckgen asks the go command about such a directory
		return err
	}
	tools, err := build(filepath.Join(dir, "bin"))
	if err != nil {
		return err
	}
	b := bench{dir: dir, tools: tools}
	for text := range strings.SplitSeq(*structs, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("-structs: %q is no number of structs", text)
		}
		if err := b.measureAll(n); err != nil {
			return err
		}
	}
	return b.print(os.Stdout)
}

// A bench collects figures.
type bench struct {
	dir   string
	tools tools
	rows  []row
}

// measureAll measures everything for a number of structs.
func (b *bench) measureAll(n int) error {
	for _, layout := range layouts(n) {
		in := input{dir: filepath.Join(b.dir, fmt.Sprintf("%d-%s", n, layout)), structs: n, layout: layout}
		if err := in.write(); err != nil {
			return err
		}
		steps := b.steps(in)
		if n <= peersUpTo && layout == oneFile {
			steps = append(steps, b.peers(in)...)
		}
		for _, s := range steps {
			if err := b.measure(in, s); err != nil {
				return err
			}
		}
	}
	return nil
}
