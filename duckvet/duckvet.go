// Package duckvet checks programs that use generated sessions: for generated
// files that do not fit their source any more, and for uses of a session that
// compile and are wrong all the same.
//
// [Suite] has one analyzer for each rule. They run in go vet, by command duckvet,
// and in whatever else takes analyzers of golang.org/x/tools/go/analysis. None of
// them uses facts, so that nothing is computed for the dependencies of a package,
// and a package that has no session in reach costs next to nothing. All of them
// would rather be silent than wrong: what each sees, and what not, is said in
// docs/duckvet.md.
package duckvet

import (
	"fmt"
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/analysis"
)

// Suite are all analyzers, in the order of their names.
var Suite = []*analysis.Analyzer{
	Copy,
	Ended,
	Errors,
	Found,
	Late,
	Lost,
	Retain,
	Save,
	Stale,
}

// manual is where the findings are explained.
const manual = "https://github.com/duckgen/duckgen/blob/main/docs/duckvet.md"

// report notes a finding in the range of a node. Its category is the name of the
// analyzer, which stands in the message, too: go vet shows nothing else of it.
func report(pass *analysis.Pass, at ast.Node, fixes []analysis.SuggestedFix, format string, args ...any) {
	pass.Report(analysis.Diagnostic{
		Pos:            at.Pos(),
		End:            at.End(),
		Category:       pass.Analyzer.Name,
		Message:        fmt.Sprintf(format, args...) + " [" + pass.Analyzer.Name + "]",
		URL:            pass.Analyzer.URL,
		SuggestedFixes: fixes,
	})
}

// fileName returns the name of the file that holds a position, whatever line
// directives say.
func fileName(pass *analysis.Pass, pos token.Pos) string {
	return pass.Fset.PositionFor(pos, false).Filename
}
