//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"
)

// A row is what was measured of one step.
type row struct {
	structs int
	layout  layout
	name    string
	wall    time.Duration
	cpu     time.Duration // of the process and those that it started
	memory  int64         // bytes: the largest of these processes at its peak
	lines   int           // written
}

// measure runs a step several times and keeps the least of each figure.
func (b *bench) measure(in input, s step) error {
	r := row{structs: in.structs, layout: in.layout, name: s.name}
	times := *runs
	if in.structs >= 1000 || s.cold {
		times = 1
	}
	if s.before == nil { // what is measured is a run after this one
		if _, err := s.run(in); err != nil {
			return err
		}
	}
	for i := range times {
		one, err := s.run(in)
		if err != nil {
			return err
		}
		if i == 0 {
			r.wall, r.cpu, r.memory = one.wall, one.cpu, one.memory
		}
		r.wall, r.cpu, r.memory = min(r.wall, one.wall), min(r.cpu, one.cpu), min(r.memory, one.memory)
	}
	if s.output != "" {
		err := in.find(s.output, func(path string) error {
			content, err := os.ReadFile(path)
			r.lines += bytes.Count(content, []byte("\n"))
			return err
		})
		if err != nil {
			return err
		}
	}
	b.rows = append(b.rows, r)
	return nil
}

// run runs a step once.
func (s step) run(in input) (r row, err error) {
	if s.before != nil {
		if err := s.before(); err != nil {
			return r, err
		}
	}
	var out bytes.Buffer
	command := exec.Command(s.command[0], s.command[1:]...)
	command.Dir, command.Stdout, command.Stderr = in.dir, &out, &out
	command.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS="), s.env...)
	start := time.Now()
	if err := command.Run(); err != nil {
		return r, fmt.Errorf("%s: %w\n%s", s.name, err, out.Bytes())
	}
	r.wall = time.Since(start)
	r.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	r.memory = command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS != "darwin" { // where it is in bytes
		r.memory <<= 10
	}
	return r, nil
}

// find calls do for every file below the input whose name matches.
func (in input) find(pattern string, do func(path string) error) error {
	return filepath.WalkDir(in.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if matches, err := filepath.Match(pattern, entry.Name()); !matches {
			return err
		}
		return do(path)
	})
}

// clean removes what the generators have written.
func (in input) clean() error {
	for _, pattern := range []string{"*_duckgen.go", "kind_string.go", "session_gen.go", "generated.go"} {
		if err := in.find(pattern, os.Remove); err != nil {
			return err
		}
	}
	return nil
}

// print writes a table. Ratios are to stringer on the same structs.
func (b *bench) print(w io.Writer) error {
	stringer := map[int]row{}
	for _, r := range b.rows {
		if r.name == "stringer" {
			stringer[r.structs] = r
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "structs\tin\t\tms\tof stringer\tms of CPU\tof stringer\tMiB\tlines\tµs of CPU a line\t")
	for _, r := range b.rows {
		base := stringer[r.structs]
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%.0f\t", r.structs, r.layout, r.name,
			milliseconds(r.wall), ratio(r.wall, base.wall), milliseconds(r.cpu), ratio(r.cpu, base.cpu), float64(r.memory)/(1<<20))
		if r.lines > 0 {
			fmt.Fprintf(t, "%d\t%.1f\t", r.lines, float64(r.cpu.Microseconds())/float64(r.lines))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d.Microseconds())/1000) }

func ratio(d, base time.Duration) string {
	if base == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(d)/float64(base))
}
