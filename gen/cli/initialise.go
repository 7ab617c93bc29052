package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/duckgen/duckgen/gen/initialise"
)

// runInit writes a first annotated struct and says what comes next.
func runInit(_ context.Context, i Invocation, c console) (int, error) {
	if err := directory(i.Config.Dir); err != nil {
		return trouble, err
	}
	plan, err := initialise.New(i.Config.Dir)
	if err != nil {
		return trouble, err
	}
	if err := plan.Write(); err != nil {
		return trouble, err
	}
	next := []string{"go generate " + plan.Package, "go mod tidy"}
	if plan.Tool {
		next = append([]string{"go get -tool github.com/duckgen/duckgen/cmd/duckgen@latest"}, next...)
	}
	file := relative(plan.Dir, plan.File)
	if i.JSON {
		return success, printJSON(c.out, struct {
			Written []string `json:"written"`
			Next    []string `json:"next"`
		}{[]string{file}, next})
	}
	_, err = fmt.Fprintf(c.out, "wrote %s: edit the struct, then run\n\n\t%s\n", file, strings.Join(next, "\n\t"))
	return success, err
}
