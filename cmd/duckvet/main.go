// Command duckvet checks programs that use generated sessions. It runs by itself,
//
//	duckvet ./...
//
// or in go vet, which keeps its findings in the build cache:
//
//	go vet -vettool=$(which duckvet) ./...
//
// Both ways take the names of analyzers as flags: -ducksave=false switches one
// off, -duckstale alone runs just that one. "duckvet help" lists them, and
// "duckvet -fix" applies what they suggest.
package main

import (
	"golang.org/x/tools/go/analysis/multichecker"

	"github.com/duckgen/duckgen/duckvet"
)

func main() { multichecker.Main(duckvet.Suite...) }
