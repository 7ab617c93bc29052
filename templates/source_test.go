package templates_test

import (
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/gen/verify"
	"github.com/duckgen/duckgen/templates"
)

// A source writes the hand-written file that a schema was read from, so that
// the output can be type-checked beside it. It imports every package under a
// name that nothing else has.
type source struct {
	home    string
	imports map[string]string // local names by path
	decls   map[string]string // by name
}

func sourceOf(f *schema.File) string {
	s := &source{home: f.Package.Path, imports: map[string]string{}, decls: map[string]string{}}
	for _, session := range f.Sessions {
		s.decls[session.Struct] = fmt.Sprintf("type %s %s\n", session.Struct, s.fields(session.Layout))
	}
	for name := range f.Package.Scope {
		if s.decls[name] == "" {
			s.decls[name] = fmt.Sprintf("const %s = 0\n", name)
		}
	}
	var b strings.Builder
	if f.Constraint != "" {
		fmt.Fprintf(&b, "%s\n\n", f.Constraint)
	}
	fmt.Fprintf(&b, "package %s\n\n", f.Package.Name)
	for _, path := range slices.Sorted(maps.Keys(s.imports)) {
		fmt.Fprintf(&b, "import %s %q\n", s.imports[path], path)
	}
	for _, name := range slices.Sorted(maps.Keys(s.decls)) {
		b.WriteString(s.decls[name])
	}
	return b.String()
}

func (s *source) fields(fields []schema.StructField) string {
	var b strings.Builder
	b.WriteString("struct {\n")
	for _, f := range fields {
		if !f.Embedded {
			b.WriteString(f.Name + " ")
		}
		b.WriteString(s.text(f.Type) + "\n")
	}
	b.WriteString("}")
	return b.String()
}

func (s *source) members(members []schema.Member) string {
	var fields []schema.StructField
	for _, m := range members {
		fields = append(fields, m.StructField)
	}
	return s.fields(fields)
}

// text writes a type, and declares it if it is one of the package.
func (s *source) text(t *schema.Type) string {
	if t.Name == nil {
		return s.underlying(t)
	}
	if t.Name.Path == s.home && s.decls[t.Name.Name] == "" {
		s.declare(t)
	}
	return s.name(t.Name)
}

func (s *source) name(n *schema.Name) string {
	name := n.Name
	if n.Path != "" && n.Path != s.home {
		name = s.qualifier(n.Path) + "." + n.Name
	}
	if len(n.Args) == 0 {
		return name
	}
	var args []string
	for _, arg := range n.Args {
		args = append(args, s.text(arg))
	}
	return name + "[" + strings.Join(args, ",") + "]"
}

func (s *source) qualifier(path string) string {
	if s.imports[path] == "" {
		s.imports[path] = fmt.Sprintf("hand%d", len(s.imports))
	}
	return s.imports[path]
}

func (s *source) declare(t *schema.Type) {
	name := t.Name.Name
	s.decls[name] = "// in the making"
	switch {
	case len(t.Name.Args) > 0:
		s.decls[name] = fmt.Sprintf("type %s[A, B any] struct { First A; Second B }\n", name)
	case t.Form == schema.TextMarshaler:
		s.decls[name] = fmt.Sprintf("type %[1]s struct{}\n"+
			"func (*%[1]s) MarshalText() ([]byte, error)\nfunc (*%[1]s) UnmarshalText([]byte) error\n", name)
	default:
		s.decls[name] = fmt.Sprintf("type %s %s\n", name, s.underlying(t))
	}
}

func (s *source) underlying(t *schema.Type) string {
	if len(t.Literal) > 0 {
		var b strings.Builder
		for _, part := range t.Literal {
			b.WriteString(part.Text)
			if part.Name != nil {
				b.WriteString(s.name(part.Name))
			}
		}
		return b.String()
	}
	switch t.Form {
	case schema.Bytes:
		return "[]byte"
	case schema.Time:
		return s.qualifier("time") + ".Time"
	case schema.Pointer:
		return "*" + s.text(t.Elem)
	case schema.Slice:
		return "[]" + s.text(t.Elem)
	case schema.Array:
		return fmt.Sprintf("[%d]%s", t.Len, s.text(t.Elem))
	case schema.MapOf:
		return fmt.Sprintf("map[%s]%s", s.text(t.Key), s.text(t.Elem))
	case schema.Struct:
		return s.members(t.Members)
	default:
		return t.Basic
	}
}

// foreign are packages whose names are those of what generated code uses, each
// with a struct type Thing and a string type Key.
type foreign map[string]*types.Package

func newForeign(names ...string) foreign {
	all := foreign{}
	for _, name := range names {
		path := foreignPath(name)
		pkg := types.NewPackage(path, name)
		thing := types.NewTypeName(token.NoPos, pkg, "Thing", nil)
		types.NewNamed(thing, types.NewStruct([]*types.Var{
			types.NewField(token.NoPos, pkg, "Size", types.Typ[types.Int], false),
		}, nil), nil)
		key := types.NewTypeName(token.NoPos, pkg, "Key", nil)
		types.NewNamed(key, types.Typ[types.String], nil)
		pkg.Scope().Insert(thing)
		pkg.Scope().Insert(key)
		pkg.MarkComplete()
		all[path] = pkg
	}
	return all
}

func foreignPath(name string) string { return "example.org/" + name }

func thing(pkg string) *schema.Type {
	return from(foreignPath(pkg), pkg, "Thing", structOf(member("Size", basic("int"))))
}

func (f foreign) Import(path string) (*types.Package, error) {
	if pkg := f[path]; pkg != nil {
		return pkg, nil
	}
	return nil, fmt.Errorf("no package %s", path)
}

// check type-checks the output together with the source of the schema, neither
// of which may have an error, and returns the output.
func check(t rapid.TB, f *schema.File, imp types.Importer) string {
	t.Helper()
	out, err := templates.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	hand := sourceOf(f)
	errs := verify.Check(token.NewFileSet(), f.Package.Path, f.Package.Name, nil, imp, map[string][]byte{
		f.Source: []byte(hand),
		f.Output: out,
	})
	for _, err := range errs {
		t.Fatalf("%v\n\nbeside\n%s", err, hand)
	}
	return string(out)
}

// mustNotCompile fails the test unless the output, beside the source, has an
// error with the text.
func mustNotCompile(t *testing.T, hand string, f *schema.File, out []byte, want string) {
	t.Helper()
	errs := verify.Check(token.NewFileSet(), f.Package.Path, f.Package.Name, nil, nil, map[string][]byte{
		f.Source: []byte(hand),
		f.Output: out,
	})
	if len(errs) == 0 || !strings.Contains(errs[0].Error(), want) {
		t.Errorf("got %v, want an error with %q", errs, want)
	}
}
