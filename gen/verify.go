package gen

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"os"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/gen/verify"
	"github.com/duckgen/duckgen/internal/parallel"
)

// A BugError says that generated code does not compile. It is a mistake of
// duckgen, and no file was changed.
type BugError struct {
	Package string  // import path
	Errors  []error // each with its place in the generated code and the line there
}

func (e *BugError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the code generated for %s does not compile; no file was changed\n", e.Package)
	for _, err := range e.Errors {
		fmt.Fprintf(&b, "\t%s\n", strings.ReplaceAll(err.Error(), "\n", "\n\t"))
	}
	b.WriteString("\tthis is a bug in duckgen: please report it with the struct at https://github.com/duckgen/duckgen/issues")
	return b.String()
}

// Unwrap returns the errors of the type checker.
func (e *BugError) Unwrap() []error { return e.Errors }

// verifyAll type-checks every package that has generated files.
func verifyAll(units []*unit) error {
	errs := make([]error, len(units))
	parallel.Do(len(units), func(i int) { errs[i] = units[i].verify() })
	return errors.Join(errs...)
}

// verify checks one package. One whose files are all in the tree already is left
// alone: nothing of it will be written.
func (u *unit) verify() error {
	if u.unchanged() {
		return nil
	}
	generated := map[string][]byte{}
	for _, f := range u.files {
		if f.Content != nil {
			generated[f.Path] = f.Content
		}
	}
	written := make([]*ast.File, len(u.Files))
	for i, f := range u.Files {
		written[i] = f.Syntax
	}
	errs := verify.Check(u.Fset, u.Path, u.Name, written, u.Imports, generated)
	if len(errs) == 0 {
		return nil
	}
	return &BugError{Package: u.Path, Errors: errs}
}

// unchanged reports whether writing would change none of the files.
func (u *unit) unchanged() bool {
	return !slices.ContainsFunc(u.files, func(f File) bool {
		found, err := os.ReadFile(f.Path)
		return err != nil || !bytes.Equal(found, f.Content)
	})
}
