package load

import (
	"fmt"
	"go/version"
	"runtime"
	"strings"

	"golang.org/x/tools/go/packages"
)

// checkToolchain returns an error for a module whose language is newer than the
// Go that duckgen was built with: what is read of it would be wrong in ways that
// nobody could explain.
func checkToolchain(loaded []*packages.Package, built string) error {
	for _, pkg := range loaded {
		if pkg.Module == nil || pkg.Module.GoVersion == "" {
			continue
		}
		if err := newer(pkg.Module.Path, pkg.Module.GoVersion, built); err != nil {
			return err
		}
	}
	return nil
}

// newer compares the version of a go.mod with one as the runtime has it. One
// that is no release, such as that of a development build, is never too old.
func newer(module, needs, built string) error {
	built, _, _ = strings.Cut(built, " ") // experiments
	if !version.IsValid(built) || version.Compare(version.Lang("go"+needs), version.Lang(built)) <= 0 {
		return nil
	}
	return fmt.Errorf("module %s needs go %s, and this duckgen was built with %s: "+
		"run go get -tool github.com/duckgen/duckgen/cmd/duckgen@latest and then go tool duckgen, which builds it with the module's own Go",
		module, needs, strings.TrimPrefix(built, "go"))
}

// built is the Go that this program was built with.
func built() string { return runtime.Version() }
