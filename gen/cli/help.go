package cli

import (
	"cmp"
	"context"
	"embed"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// texts are what help says about each command, and in duckgen.txt about all of
// them.
//
//go:embed help/*.txt
var texts embed.FS

// runHelp prints how duckgen, or one of its commands, is used.
func runHelp(_ context.Context, i Invocation, c console) (int, error) {
	text := overview()
	if i.Topic != "" {
		topic, _ := findCommand(i.Topic)
		text = topic.help()
	}
	_, err := io.WriteString(c.out, text)
	return success, err
}

func overview() string {
	var list strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&list, "  %-10s %s\n", c.name, c.summary)
	}
	return strings.Replace(textOf("duckgen"), "COMMANDS\n", list.String(), 1)
}

// help is the usage of a command, its text and its flags.
func (c command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: duckgen %s\n\n%s\nflags:\n", strings.TrimSpace(c.name+" [flags] "+string(c.takes)), textOf(c.name))
	all := newFlags(&Invocation{})
	shown := flag.NewFlagSet("", flag.ContinueOnError)
	shown.SetOutput(&b)
	all.VisitAll(func(f *flag.Flag) {
		if c.hasFlag(f.Name) {
			shown.Var(f.Value, f.Name, f.Usage)
		}
	})
	shown.PrintDefaults()
	return b.String()
}

// textOf returns an embedded text, which a test shows to be there for every
// command.
func textOf(name string) string {
	text, _ := texts.ReadFile("help/" + name + ".txt")
	return string(text)
}

// version is that of the module that holds the command.
func version() string {
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	return cmp.Or(version, "(devel)")
}

// runVersion prints the version of duckgen.
func runVersion(_ context.Context, i Invocation, c console) (int, error) {
	if i.JSON {
		return success, printJSON(c.out, struct {
			Version string `json:"version"`
			Go      string `json:"go"`
		}{version(), runtime.Version()})
	}
	_, err := fmt.Fprintf(c.out, "duckgen %s %s\n", version(), runtime.Version())
	return success, err
}
