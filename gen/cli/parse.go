package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/gen/diag"
)

// everywhere are the flags that every command has.
var everywhere = []string{"C", "json"}

// Parse reads the arguments of the command, without its name. Flags may stand
// before and behind the name of a subcommand, and come before the packages. The
// command is known even where there is an error in what follows it.
func Parse(args []string) (Invocation, error) {
	invocation := Invocation{Command: generate}
	flags := newFlags(&invocation)
	err := flags.Parse(args)
	named := false
	if err == nil && flags.NArg() > 0 {
		var c command
		if c, named = findCommand(flags.Arg(0)); named {
			invocation.Command = c.name
			err = flags.Parse(flags.Args()[1:])
		}
	}
	c, _ := findCommand(invocation.Command)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return helpOn(invocation.Command, named), nil
	case err != nil:
		return invocation, err
	}
	if err := c.checkFlags(flags); err != nil {
		return invocation, err
	}
	return invocation, c.checkOperands(&invocation, flags.Args(), named)
}

// helpOn is what -h asks for.
func helpOn(command string, named bool) Invocation {
	i := Invocation{Command: "help"}
	if named {
		i.Topic = command
	}
	return i
}

func newFlags(i *Invocation) *flag.FlagSet {
	flags := flag.NewFlagSet("duckgen", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&i.Config.Dir, "C", "", "work in this `directory`, to which packages and messages are relative")
	flags.BoolVar(&i.JSON, "json", false, "print findings and results as JSON on standard output")
	flags.Func("tags", "a comma-separated `list` of build tags", func(list string) error {
		i.Config.Tags = splitTags(list)
		return nil
	})
	flags.BoolVar(&i.Config.Tests, "tests", false, "also write tests that hold the stored form of the sessions")
	flags.BoolVar(&i.Config.Update, "update", false, "make tests of the stored form expect what is written now")
	flags.BoolVar(&i.Verbose, "v", false, "name the files that change")
	flags.StringVar(&i.Against, "against", "", "compare with this `state`: a git commit, a generated file, or a directory")
	return flags
}

// splitTags reads a list of build tags with commas or, as the go command once
// had them, blanks.
func splitTags(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// checkFlags refuses flags of other commands.
func (c command) checkFlags(flags *flag.FlagSet) error {
	var err error
	flags.Visit(func(f *flag.Flag) {
		if !c.hasFlag(f.Name) && err == nil {
			err = fmt.Errorf("%s has no flag -%s", c.name, f.Name)
		}
	})
	return err
}

func (c command) hasFlag(name string) bool {
	return slices.Contains(everywhere, name) || slices.Contains(c.flags, name)
}

// checkOperands takes what stands behind the flags.
func (c command) checkOperands(i *Invocation, args []string, named bool) error {
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			return fmt.Errorf("the flag %s comes after %s: write flags first", arg, args[0])
		}
	}
	switch c.takes {
	case packages:
		i.Config.Patterns = args
		return checkPatterns(args, named)
	case topic:
		if len(args) > 1 {
			return errors.New("help explains one command at a time")
		}
		i.Topic = strings.Join(args, "")
		if _, ok := findCommand(i.Topic); !ok && i.Topic != "" {
			return fmt.Errorf("there is no command %s: %s", i.Topic, diag.DidYouMean(i.Topic, commandNames()))
		}
	case database:
		i.Store = strings.Join(args, " ")
		if _, ok := schemas[i.Store]; !ok {
			return fmt.Errorf("schema takes one of %s, and has %q", strings.ReplaceAll(string(database), "|", " and "), i.Store)
		}
	case nothing:
		if len(args) > 0 {
			return fmt.Errorf("%s takes no arguments, and has %s", c.name, args[0])
		}
	}
	return nil
}

// checkPatterns refuses files, and a word that is more likely a misspelt command
// than a package.
func checkPatterns(patterns []string, named bool) error {
	for i, pattern := range patterns {
		if strings.HasSuffix(pattern, ".go") {
			return fmt.Errorf("%s is a file: name its package instead", pattern)
		}
		meant := diag.Nearest(pattern, commandNames())
		if i == 0 && !named && meant != "" && !strings.ContainsAny(pattern, "./") {
			return fmt.Errorf("there is no command %s: did you mean %s? A package is written ./%[1]s", pattern, meant)
		}
	}
	return nil
}
