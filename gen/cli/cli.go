// Package cli is the duckgen command: its arguments, messages and exit codes.
// It is the only place that prints. What the commands do is in packages of
// their own.
package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/duckgen/duckgen/gen"
)

// Exit codes.
const (
	success  = 0
	findings = 1 // there are findings, or differences
	trouble  = 2 // the command was called wrongly, or could not work
)

// An Invocation is what the arguments ask for.
type Invocation struct {
	Command string
	Config  gen.Config
	Verbose bool
	JSON    bool
	Against string // of breaking
	Topic   string // of help; empty: the command as a whole
	Store   string // of schema
}

// A console is where a command prints: results and machine-readable data on
// out, everything else on err.
type console struct {
	out, err io.Writer
	coloured bool // out shows colours
}

// A command is one of duckgen's subcommands.
type command struct {
	name    string
	summary string
	flags   []string // besides those that every command has
	takes   operands
	run     func(context.Context, Invocation, console) (exit int, err error)
}

// Operands are what a command takes behind its flags.
type operands string

const (
	nothing  operands = ""
	packages operands = "[packages]"
	topic    operands = "[command]"
	database operands = "postgres|mysql"
)

// generate is the command that needs no name.
const generate = "generate"

// commands are all subcommands, in the order in which help shows them.
func commands() []command {
	return []command{
		{generate, "generate the sessions of the packages (the default)", []string{"tags", "tests", "update", "v"}, packages, runGenerate},
		{"check", "say which generated files are not up to date", []string{"tags", "tests"}, packages, runCheck},
		{"diff", "show what generating would change", []string{"tags", "tests", "update"}, packages, runDiff},
		{"explain", "show fields, stored forms and policy of sessions", []string{"tags"}, packages, runExplain},
		{"breaking", "find changes that break stored sessions", []string{"against", "tags"}, packages, runBreaking},
		{"init", "write a first annotated struct", nil, nothing, runInit},
		{"schema", "print the SQL that makes the tables of a store", nil, database, runSchema},
		{"version", "print the version of duckgen", nil, nothing, runVersion},
		{"help", "explain duckgen, or one of these commands", nil, topic, runHelp},
	}
}

func findCommand(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// Run does what the arguments ask for and returns the exit code: 0, 1 where
// there are findings or differences, 2 where it could not work.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	invocation, err := Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "duckgen: %v\n%s\n", err, helpHint(invocation.Command))
		return trouble
	}
	c, _ := findCommand(invocation.Command)
	p := showProgress(stderr)
	exit, err := c.guarded(ctx, invocation, console{p.before(stdout), p.before(stderr), showsColours(stdout)})
	p.stop()
	if err != nil {
		fmt.Fprintf(stderr, "duckgen: %v\n", err)
		return trouble
	}
	return exit
}

func helpHint(command string) string {
	if command == "" || command == generate {
		return "run duckgen help for usage"
	}
	return fmt.Sprintf("run duckgen help %s for usage", command)
}
