package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/duckgen/duckgen/internal/parallel"
)

// guarded runs a command. One that panics ends with an error that says what to do.
func (c command) guarded(ctx context.Context, i Invocation, to console) (exit int, err error) {
	defer func() {
		if v := recover(); v != nil {
			exit, err = trouble, &crash{i.Command, asPanic(v)}
		}
	}()
	return c.run(ctx, i, to)
}

func asPanic(v any) *parallel.Panic {
	if p, ok := v.(*parallel.Panic); ok {
		return p
	}
	return &parallel.Panic{Value: v, Stack: debug.Stack()}
}

// A crash is a bug in duckgen that nothing else has noticed.
type crash struct {
	command string
	panic   *parallel.Panic
}

func (e *crash) Error() string {
	return fmt.Sprintf("%s has failed in a way that it should not, whatever the source is\n"+
		"\tthis is a bug in duckgen: please report it at https://github.com/duckgen/duckgen/issues, with the struct and what follows;\n"+
		"\tuntil it is mended, leave out the fields that were added last\n\n\t%s %s, %s/%s\n\t%s",
		e.command, version(), runtime.Version(), runtime.GOOS, runtime.GOARCH,
		strings.ReplaceAll(strings.TrimSpace(e.panic.String()), "\n", "\n\t"))
}
