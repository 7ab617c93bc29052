package templates_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/templates"
)

// awkward are names that generated code uses inside functions or for imports.
var awkward = []string{
	"s", "v", "k", "m", "c", "r", "w", "t", "f", "core", "ctx", "store", "err", "manager", "configure", "ids", "i",
	"runtime", "codec", "context", "time", "iter", "http", "cmp", "fmt", "slog", "math", "visitorModel", "stdtime",
	"duckruntime", "visitorThingCodec", "v2",
}

var foreignNames = []string{"runtime", "codec", "context", "time", "http", "v", "s", "core", "string", "v2", "store"}

// fieldNames clash with nothing but look like it.
var fieldNames = []string{
	"Context", "Json", "String", "Type", "S", "V", "M", "Runtime", "Codec", "Time", "Model", "Thing", "Core",
	"Error", "UserID", "Ünder", "Nil", "Len", "Func", "Session", "X1", "Visitor", "VisitorSession",
}

// A drawer draws the types of one schema, each name of a type once.
type drawer struct {
	*rapid.T
	scope map[string]bool
	names []string
}

func (d *drawer) pick(n int) int { return rapid.IntRange(0, n-1).Draw(d.T, "choice") }

func (d *drawer) flip() bool { return rapid.Bool().Draw(d.T, "flag") }

func (d *drawer) typ(depth int) *schema.Type {
	if depth > 0 && d.pick(2) == 0 {
		return d.composite(depth)
	}
	switch d.pick(8) {
	case 0:
		return instant()
	case 1:
		return &schema.Type{Form: schema.Bytes}
	case 2:
		return duration()
	case 3:
		return thing(rapid.SampledFrom(foreignNames).Draw(d.T, "package"))
	case 4:
		return d.name(&schema.Type{Form: schema.TextMarshaler})
	default:
		return d.scalar()
	}
}

func (d *drawer) composite(depth int) *schema.Type {
	switch d.pick(8) {
	case 0:
		elem := d.typ(depth - 1)
		if elem.Form == schema.Pointer {
			return elem
		}
		return d.maybeName(pointer(elem))
	case 1:
		return d.maybeName(slice(d.typ(depth - 1)))
	case 2:
		return d.maybeName(array(int64(d.pick(3)), d.typ(depth-1)))
	case 3:
		return d.maybeName(mapOf(d.key(), d.typ(depth-1)))
	case 4:
		return pair(d.typ(depth-1), d.typ(depth-1))
	case 5:
		return d.name(&schema.Type{Form: schema.Time})
	default:
		var members []schema.StructField
		for i := range d.pick(4) {
			members = append(members, member(fmt.Sprintf("Member%d", i), d.typ(depth-1)))
		}
		return d.maybeName(structOf(members...))
	}
}

func (d *drawer) scalar() *schema.Type {
	kinds := []string{"bool", "int", "int8", "int64", "uint8", "uint32", "uint64", "uintptr", "float32", "float64",
		"complex64", "complex128", "string"}
	return d.maybeName(basic(rapid.SampledFrom(kinds).Draw(d.T, "kind")))
}

func (d *drawer) key() *schema.Type {
	return d.maybeName(basic(rapid.SampledFrom([]string{"string", "int", "uint16"}).Draw(d.T, "key")))
}

func (d *drawer) maybeName(t *schema.Type) *schema.Type {
	if d.flip() {
		return d.name(t)
	}
	return t
}

// name makes a type of the package, sometimes of an awkward name.
func (d *drawer) name(t *schema.Type) *schema.Type {
	name := fmt.Sprintf("Type%d", len(d.scope))
	if len(d.names) > 0 && d.flip() {
		i := d.pick(len(d.names))
		name = d.names[i]
		d.names = slices.Delete(d.names, i, i+1)
	}
	d.scope[name] = true
	return named(name, t)
}

func (d *drawer) field(name string) *schema.Field {
	f := &schema.Field{
		Name:   name,
		Key:    fmt.Sprintf("key_%d", slices.Index(fieldNames, name)),
		Doc:    rapid.SliceOfN(rapid.String(), 0, 3).Draw(d.T, "doc"),
		Max:    d.pick(3),
		Once:   d.flip(),
		Renew:  d.flip(),
		Secret: d.flip(),
		Merge:  schema.Last,
		TTL:    time.Duration(d.pick(3)) * 90 * time.Second,
	}
	counters := []string{"int", "int8", "int64", "uint8", "uint32"}
	switch d.pick(5) {
	case 0:
		f.Shape, f.Merge = schema.Counter, schema.Sum
		f.Type = d.maybeName(basic(rapid.SampledFrom(counters).Draw(d.T, "kind")))
	case 1:
		f.Shape, f.Type = schema.List, d.maybeName(slice(d.typ(2)))
		f.Merge = rapid.SampledFrom([]schema.Merge{schema.Last, schema.First, schema.Append}).Draw(d.T, "merge")
	case 2:
		f.Shape, f.Type = schema.Map, d.maybeName(mapOf(d.key(), d.typ(2)))
		f.Merge = rapid.SampledFrom([]schema.Merge{schema.Last, schema.First}).Draw(d.T, "merge")
	case 3:
		f.Shape, f.Merge = schema.CounterMap, schema.Sum
		elem := d.maybeName(basic(rapid.SampledFrom(counters).Draw(d.T, "kind")))
		f.Type = d.maybeName(mapOf(d.key(), elem))
	default:
		d.value(f)
	}
	return f
}

// value draws the options that only values have.
func (d *drawer) value(f *schema.Field) {
	f.Type = d.typ(3)
	f.Index = d.flip()
	switch f.Type.Form {
	case schema.Time:
		f.Merge = rapid.SampledFrom([]schema.Merge{schema.Last, schema.Max, schema.Min}).Draw(d.T, "merge")
	case schema.Basic:
		f.Default = d.literal(f.Type)
	}
}

func (d *drawer) literal(t *schema.Type) *schema.Literal {
	switch t.Basic {
	case "bool":
		return &schema.Literal{Value: d.flip()}
	case "string":
		return &schema.Literal{Value: rapid.String().Draw(d.T, "default")}
	case "int64":
		if t.Name != nil {
			return &schema.Literal{Value: time.Duration(rapid.Int64().Draw(d.T, "default"))}
		}
		return &schema.Literal{Value: rapid.Int64().Draw(d.T, "default")}
	case "uint64":
		return &schema.Literal{Value: rapid.Uint64().Draw(d.T, "default")}
	case "float64":
		return &schema.Literal{Value: rapid.Float64().Draw(d.T, "default")}
	default:
		return nil
	}
}

func (d *drawer) session(name string) *schema.Session {
	taken := map[string]bool{}
	for _, method := range schema.SessionMethods {
		taken[method] = true
	}
	var fields []*schema.Field
	for _, name := range rapid.Permutation(fieldNames).Draw(d.T, "names")[:d.pick(6)] {
		f := d.field(name)
		if !slices.ContainsFunc(f.Methods(), func(a string) bool { return taken[a] }) {
			fields = append(fields, f)
			for _, accessor := range f.Methods() {
				taken[accessor] = true
			}
		}
	}
	s := session(name, fields...)
	s.Hooks = schema.Hooks{HTTP: d.flip(), Lively: d.flip()}
	if d.flip() {
		s.Policy.Age = new(time.Duration(rapid.Int64().Draw(d.T, "age")))
		s.Policy.SameSite = new(http.SameSiteNoneMode)
		s.Policy.Cookie = new(rapid.String().Draw(d.T, "cookie"))
	}
	d.scope[name] = true
	return s
}

func drawFile(t *rapid.T) *schema.File {
	d := &drawer{T: t, scope: map[string]bool{"Pair": true}, names: slices.Clone(awkward)}
	f := file(d.session("Visitor"), d.session("admin"))
	f.Package.Name = rapid.SampledFrom([]string{"shop", "runtime", "time", "context", "v"}).Draw(t, "package")
	for _, name := range d.names {
		if d.pick(4) == 0 {
			d.scope[name] = true
		}
	}
	f.Package.Scope = d.scope
	f.Package.Imports = map[string]bool{"time": true, "visitorContext": true}
	return f
}

// schemas is how many are drawn.
func schemas() int { return testtier.Count(25, 25, 100) }

func TestWhateverASchemaSaysTheOutputCompilesAndIsFormatted(t *testing.T) {
	testtier.Checks(t, schemas())
	imp := newForeign(foreignNames...)
	rapid.Check(t, func(t *rapid.T) {
		f := drawFile(t)
		out := check(t, f, imp)
		formatted, err := format.Source([]byte(out))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(formatted), out); diff != "" {
			t.Fatalf("not as gofmt has it (-gofmt +got):\n%s", diff)
		}
	})
}

func TestEqualSchemasGiveEqualBytes(t *testing.T) {
	testtier.Checks(t, schemas())
	rapid.Check(t, func(t *rapid.T) {
		f := drawFile(t)
		first, err := templates.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		second, err := templates.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Fatal("two renderings differ")
		}
	})
}

func TestDeclaredNamesAreThoseOfTheOutput(t *testing.T) {
	testtier.Checks(t, schemas())
	rapid.Check(t, func(t *rapid.T) {
		f := drawFile(t)
		out, err := templates.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), "", out, 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(declaredIn(parsed), templates.Declared(f)); diff != "" {
			t.Fatalf("(-output +Declared):\n%s", diff)
		}
	})
}

// declaredIn returns the package-level names of a file, sorted.
func declaredIn(file *ast.File) []string {
	var names []string
	add := func(name *ast.Ident) {
		if name.Name != "_" {
			names = append(names, name.Name)
		}
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil {
				add(decl.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name)
				case *ast.ValueSpec:
					add(spec.Names[0])
				}
			}
		}
	}
	slices.Sort(names)
	return names
}
