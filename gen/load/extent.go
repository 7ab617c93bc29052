package load

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"

	"github.com/duckgen/duckgen/gen/diag"
)

// The type checker, and the compiler, take a type apart with the types of its
// members in their places, each time anew. A few lines can make that take hours,
// or more than their stack. No program needs types beyond these limits.
const (
	maxParts  = 100_000 // of a type with those of its members
	maxNested = 100     // types inside of a type, in one declaration
)

// An extent is how many parts a type has: some of its own, and of each type
// argument so many times what that has.
type extent struct {
	own  int
	args []int
}

// plus adds another extent several times, without overflow.
func (e extent) plus(times int, other extent) extent {
	add := func(a, b int) int { return min(a+min(times, maxParts+1)*min(b, maxParts+1), maxParts+1) }
	e.own = add(e.own, other.own)
	e.args = slices.Clone(e.args)
	for i, n := range other.args {
		if i == len(e.args) {
			e.args = append(e.args, 0)
		}
		e.args[i] = add(e.args[i], n)
	}
	return e
}

// A measurer measures the types of a package by its syntax.
type measurer struct {
	specs    map[string][]declaredType // several of one name are an error, or of different builds
	known    map[measured]extent
	open     map[measured]bool
	imported func(importPath string) *measurer // nil: nothing is known of the package
}

type declaredType struct {
	*ast.TypeSpec
	imports map[string]string // import paths by the names that they have in the file
}

// A measured is a type as it is measured: alone, or in the place of a member,
// which all that it holds belongs to.
type measured struct {
	name   string
	inside bool
}

func newMeasurer(files []*ast.File, imported func(string) *measurer) *measurer {
	m := &measurer{map[string][]declaredType{}, map[measured]extent{}, map[measured]bool{}, imported}
	for _, file := range files {
		imports := importNames(file)
		for spec := range declaredTypes(file) {
			m.specs[spec.Name.Name] = append(m.specs[spec.Name.Name], declaredType{spec, imports})
		}
	}
	return m
}

// importNames returns what a file imports, by the names that it has or most
// likely has.
func importNames(file *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		switch {
		case err != nil:
		case spec.Name != nil:
			names[spec.Name.Name] = importPath
		default:
			names[nameOf(importPath)] = importPath
		}
	}
	return names
}

func declaredTypes(file *ast.File) func(yield func(*ast.TypeSpec) bool) {
	return func(yield func(*ast.TypeSpec) bool) {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && !yield(t) {
					return
				}
			}
		}
	}
}

// check returns a refusal of what is too large in the files of the package, or
// nil.
func (m *measurer) check(fset *token.FileSet, files []*ast.File) error {
	for _, file := range files {
		if pos := tooNested(file); pos.IsValid() {
			return tooLarge(fset.Position(pos), fmt.Sprintf("types are nested more than %d deep here", maxNested))
		}
	}
	for _, file := range files {
		for spec := range declaredTypes(file) {
			if m.declared(measured{spec.Name.Name, true}).own > maxParts {
				return tooLarge(fset.Position(spec.Name.Pos()),
					fmt.Sprintf("%s has more than %d parts with those of its members", spec.Name.Name, maxParts))
			}
		}
	}
	return nil
}

func tooLarge(pos token.Position, message string) error {
	return &refusal{diag.Finding{Pos: pos, Code: diag.TypeTooLarge, Message: message, Hint: "declare smaller types"}}
}

// tooNested returns a type that is inside of too many others.
func tooNested(file *ast.File) (found token.Pos) {
	depth := 0
	var nesting []int // what each open node adds
	ast.Inspect(file, func(n ast.Node) bool {
		if found.IsValid() {
			return false
		}
		if n == nil {
			depth -= nesting[len(nesting)-1]
			nesting = nesting[:len(nesting)-1]
			return true
		}
		added := 0
		switch n.(type) {
		case *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.StarExpr, *ast.StructType, *ast.InterfaceType, *ast.FuncType,
			*ast.IndexExpr, *ast.IndexListExpr, *ast.ParenExpr:
			added = 1
		}
		if depth+added > maxNested {
			found = n.Pos()
			return false
		}
		depth += added
		nesting = append(nesting, added)
		return true
	})
	return found
}

// declared measures what stands behind a name of the package.
func (m *measurer) declared(what measured) extent {
	if e, ok := m.known[what]; ok {
		return e
	}
	if m.open[what] || len(m.specs[what.name]) == 0 {
		return extent{own: 1}
	}
	m.open[what] = true
	e := extent{}
	for _, spec := range m.specs[what.name] {
		e = e.plus(1, scope{m, spec, paramsOf(spec.TypeSpec)}.measure(spec.Type, what.inside))
	}
	delete(m.open, what)
	m.known[what] = e
	return e
}

// isAlias reports whether a declaration of the name makes it an alias.
func (m *measurer) isAlias(name string) bool {
	return slices.ContainsFunc(m.specs[name], func(d declaredType) bool { return d.Assign.IsValid() })
}

func paramsOf(spec *ast.TypeSpec) map[string]int {
	params := map[string]int{}
	if spec.TypeParams != nil {
		for _, field := range spec.TypeParams.List {
			for _, name := range field.Names {
				params[name.Name] = len(params)
			}
		}
	}
	return params
}

// A scope is where a declaration stands.
type scope struct {
	*measurer
	spec   declaredType
	params map[string]int
}

// measure measures a type expression.
func (s scope) measure(expr ast.Expr, inside bool) extent {
	switch e := expr.(type) {
	case *ast.ParenExpr:
		return s.measure(e.X, inside)
	case *ast.Ident, *ast.SelectorExpr:
		return s.named(e, nil, inside)
	case *ast.IndexExpr:
		return s.named(e.X, []ast.Expr{e.Index}, inside)
	case *ast.IndexListExpr:
		return s.named(e.X, e.Indices, inside)
	case *ast.StructType:
		return s.fields(e.Fields, inside)
	case *ast.InterfaceType:
		return s.fields(e.Methods, inside)
	case *ast.FuncType:
		return s.fields(e.Params, false).plus(1, s.fields(e.Results, false))
	case *ast.ArrayType:
		return extent{own: 1}.plus(1, s.measure(e.Elt, inside && e.Len != nil))
	case *ast.MapType:
		return extent{own: 1}.plus(1, s.measure(e.Key, false)).plus(1, s.measure(e.Value, false))
	case *ast.ChanType:
		return extent{own: 1}.plus(1, s.measure(e.Value, false))
	case *ast.StarExpr:
		return extent{own: 1}.plus(1, s.measure(e.X, false))
	case *ast.BinaryExpr: // a union
		return s.measure(e.X, inside).plus(1, s.measure(e.Y, inside))
	case *ast.UnaryExpr:
		return s.measure(e.X, inside)
	default:
		return extent{own: 1}
	}
}

func (s scope) fields(list *ast.FieldList, inside bool) extent {
	sum := extent{own: 1}
	if list == nil {
		return sum
	}
	for _, f := range list.List {
		sum = sum.plus(max(1, len(f.Names)), s.measure(f.Type, inside))
	}
	return sum
}

// named measures what a name stands for. That of a type that is not inside of
// another is but a name, unless it is an alias.
func (s scope) named(name ast.Expr, args []ast.Expr, inside bool) extent {
	whole := extent{own: 1}
	m, id := s.measurer, ""
	switch n := name.(type) {
	case *ast.Ident:
		if i, ok := s.params[n.Name]; ok {
			whole = extent{args: make([]int, i+1)}
			whole.args[i] = 1
			return whole
		}
		id = n.Name
	case *ast.SelectorExpr:
		id, m = n.Sel.Name, nil
		if pkg, ok := n.X.(*ast.Ident); ok {
			m = s.imported(s.spec.imports[pkg.Name])
		}
	}
	var behind extent
	if m != nil && (inside || m.isAlias(id)) {
		behind = m.declared(measured{id, inside})
	}
	whole = whole.plus(1, extent{own: behind.own})
	for i, arg := range args {
		times := 1
		if i < len(behind.args) {
			times += behind.args[i]
		}
		whole = whole.plus(times, s.measure(arg, inside))
	}
	return whole
}
