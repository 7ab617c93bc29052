package templates_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/templates"
)

// methodsOf returns the methods of a type in the output, sorted, and their doc
// comments.
func methodsOf(t *testing.T, out, typ string) (names []string, docs map[string]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", out, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	docs = map[string]string{}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil || receiverName(f) != typ {
			continue
		}
		names = append(names, f.Name.Name)
		docs[f.Name.Name] = f.Doc.Text()
	}
	slices.Sort(names)
	return names, docs
}

// receiverName returns the type that a method belongs to.
func receiverName(f *ast.FuncDecl) string {
	typ := f.Recv.List[0].Type
	if pointer, ok := typ.(*ast.StarExpr); ok {
		typ = pointer.X
	}
	return typ.(*ast.Ident).Name
}

func contains(t *testing.T, out string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(out, part) {
			t.Errorf("the output lacks\n%s\n\n%s", part, out)
		}
	}
}

func TestEachShapeHasItsAccessors(t *testing.T) {
	list, counters := slice(basic("string")), mapOf(basic("string"), basic("int"))
	tests := []struct {
		name  string
		field schema.Field
		want  []string
	}{
		{"a value", schema.Field{Type: basic("int")}, []string{"ClearX", "SetX", "X", "XDirty"}},
		{"a value that is read once", schema.Field{Type: basic("int"), Once: true},
			[]string{"ClaimX", "ClearX", "SetX", "TakeX", "XDirty"}},
		{"a value of which the first one stays", schema.Field{Type: basic("int"), Merge: schema.First},
			[]string{"ClearX", "EnsureX", "X", "XDirty"}},
		{"a counter", schema.Field{Type: basic("int"), Shape: schema.Counter, Merge: schema.Sum},
			[]string{"AddX", "ClearX", "SetX", "X", "XDirty"}},
		{"a list", schema.Field{Type: list, Shape: schema.List},
			[]string{"ClearX", "SetX", "X", "XAt", "XDirty", "XLen", "XSlice"}},
		{"a list that merges", schema.Field{Type: list, Shape: schema.List, Merge: schema.Append},
			[]string{"AppendX", "ClearX", "SetX", "X", "XAt", "XDirty", "XLen", "XSlice"}},
		{"a list that is read once", schema.Field{Type: list, Shape: schema.List, Merge: schema.Append, Once: true},
			[]string{"AppendX", "ClaimX", "ClearX", "SetX", "TakeX", "XDirty"}},
		{"a map", schema.Field{Type: counters, Shape: schema.Map},
			[]string{"ClearX", "DeleteXItem", "SetX", "SetXItem", "X", "XDirty", "XItem", "XLen"}},
		{"a map of counters", schema.Field{Type: counters, Shape: schema.CounterMap, Merge: schema.Sum},
			[]string{"AddXItem", "ClearX", "DeleteXItem", "SetX", "SetXItem", "X", "XDirty", "XItem", "XLen"}},
		{"a map that is read once", schema.Field{Type: counters, Shape: schema.Map, Once: true},
			[]string{"ClaimX", "ClaimXItem", "ClearX", "DeleteXItem", "SetX", "SetXItem", "TakeX", "TakeXItem", "XDirty", "XItem", "XLen"}},
		{"a map of which the first elements stay", schema.Field{Type: counters, Shape: schema.Map, Merge: schema.First},
			[]string{"ClearX", "DeleteXItem", "EnsureXItem", "X", "XDirty", "XItem", "XLen"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			field := tt.field
			field.Name, field.Key = "X", "x"
			got, docs := methodsOf(t, check(t, file(session("Visitor", &field)), nil), "VisitorSession")
			got = slices.DeleteFunc(got, func(name string) bool { return slices.Contains(schema.SessionMethods, name) })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, name := range got {
				if !strings.HasPrefix(docs[name], name+" ") {
					t.Errorf("%s is documented with %q", name, docs[name])
				}
			}
			if diff := cmp.Diff(field.Methods(), got); diff != "" {
				t.Errorf("schema knows others (-schema +got):\n%s", diff)
			}
		})
	}
}

func TestASessionHasItsMethodsWhateverItsFields(t *testing.T) {
	got, docs := methodsOf(t, check(t, file(session("Visitor")), nil), "VisitorSession")
	if diff := cmp.Diff(schema.SessionMethods, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, doc := range docs {
		if !strings.HasPrefix(doc, name+" ") {
			t.Errorf("%s is documented with %q", name, doc)
		}
	}
}

func TestHooksDecideWhichMethodsThereAre(t *testing.T) {
	always := []string{"All", "Find", "NewCookie", "Ping", "RevokeAll"}
	http := []string{"Middleware", "ProcessRequest", "ProcessResponse"}
	lively := []string{"CheckOrigin", "LivelyConnect", "LivelyEvent", "ProcessLivelyEvent", "SyncHandler"}
	tests := []struct {
		name  string
		hooks schema.Hooks
		want  []string
	}{
		{"none", schema.Hooks{}, nil},
		{"http", schema.Hooks{HTTP: true}, http},
		{"lively", schema.Hooks{Lively: true}, lively},
		{"both", schema.Hooks{HTTP: true, Lively: true}, slices.Concat(http, lively)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := session("Visitor")
			s.Hooks = tt.hooks
			got, _ := methodsOf(t, check(t, file(s), nil), "VisitorSessions")
			want := slices.Sorted(slices.Values(slices.Concat(always, tt.want)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(s.SessionsMethods(), got); diff != "" {
				t.Errorf("schema knows others (-schema +got):\n%s", diff)
			}
		})
	}
}

func TestAnIndexFieldIsFoundAndRevokedBy(t *testing.T) {
	s := session("Visitor", &schema.Field{Name: "User", Key: "user", Type: basic("string"), Index: true})
	s.Hooks = schema.Hooks{}
	got, _ := methodsOf(t, check(t, file(s), nil), "VisitorSessions")
	if diff := cmp.Diff([]string{"All", "Find", "FindByUser", "NewCookie", "Ping", "RevokeAll", "RevokeByUser"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheFileBeginsWithWhatToolsLookFor(t *testing.T) {
	f := file(session("Visitor"))
	f.Constraint = "//go:build linux && !cgo"
	want := "// Code generated by duckgen. DO NOT EDIT.\n// source: session.go\n\n" +
		"//go:build linux && !cgo\n\npackage shop\n"
	if out := check(t, f, nil); !strings.HasPrefix(out, want) {
		t.Errorf("the file begins with\n%.200s", out)
	}
}

func TestOnlyWhatTheDirectiveSaysIsConfigured(t *testing.T) {
	s := session("Visitor")
	contains(t, check(t, file(s), nil), "runtime.NewManager(visitorModel, store, nil, configure...)")

	s.Policy = schema.Policy{
		Cookie: new("a\"b"), Path: new("/shop"), Domain: new("example.com"), Secure: new(true), HTTPOnly: new(false),
		SameSite: new(http.SameSiteLaxMode), Age: new(36 * time.Hour), Idle: new(time.Duration(0)),
		BrowserClose: new(true), Partitioned: new(false), Bound: new(runtime.BoundAlways),
	}
	contains(t, check(t, file(s), nil), `func(c *runtime.Config) {
		c.Cookie.Name = "a\"b"
		c.Cookie.Path = "/shop"
		c.Cookie.Domain = "example.com"
		c.Cookie.Secure = true
		c.Cookie.HTTPOnly = false
		c.Cookie.SameSite = http.SameSiteLaxMode
		c.Cookie.BrowserClose = true
		c.Cookie.Partitioned = false
		c.Age = 36 * time.Hour
		c.Idle = 0
		c.Bound = runtime.BoundAlways
	}`)
}

func TestDefaultsAreConstantsOfTheFieldsType(t *testing.T) {
	tests := []struct {
		typ   *schema.Type
		value any
		want  string
	}{
		{basic("bool"), true, "true"},
		{named("Count", basic("int8")), int64(-5), "-5"},
		{named("Big", basic("uint64")), uint64(1<<64 - 1), "18446744073709551615"},
		{named("Ratio", basic("float32")), 0.5, "0.5"},
		{named("Ratio", basic("float32")), math.Inf(-1), "Ratio(math.Float64frombits(0xfff0000000000000))"},
		{basic("float64"), math.NaN(), "float64(math.Float64frombits(0x7ff8000000000001))"},
		{basic("float64"), math.Copysign(0, -1), "float64(math.Float64frombits(0x8000000000000000))"},
		{basic("float64"), 3.0, "3.0"},
		{named("Mood", basic("string")), "a\n`b`", `"a\n` + "`b`" + `"`},
		{duration(), 90 * time.Second, "90 * time.Second"},
		{duration(), 1500 * time.Microsecond, "1500 * time.Microsecond"},
		{named("Wait", basic("int64")), time.Hour, "Wait(1 * time.Hour)"},
	}
	for _, tt := range tests {
		f := &schema.Field{Name: "X", Key: "x", Type: tt.typ, Default: &schema.Literal{Value: tt.value}}
		contains(t, check(t, file(session("Visitor", f)), nil), "Default: "+tt.want+",\n")
	}
}

func TestEveryTypeCompilesAloneAndInsideOthers(t *testing.T) {
	imp := newForeign("zoo")
	key := from(foreignPath("zoo"), "zoo", "Key", basic("string"))
	for _, typ := range []*schema.Type{
		basic("bool"), basic("int8"), basic("uintptr"), basic("float32"), basic("complex64"), basic("string"),
		{Name: &schema.Name{Name: "rune"}, Form: schema.Basic, Basic: "int32"},
		{Form: schema.Bytes}, named("Blob", &schema.Type{Form: schema.Bytes}),
		{Form: schema.Time}, instant(), stamp(), duration(), day(),
		pointer(basic("int")), named("Maybe", pointer(basic("int"))),
		slice(address()), named("List", slice(basic("int"))),
		array(0, basic("int")), named("Grid", array(2, array(3, basic("int")))),
		mapOf(day(), address()), mapOf(key, basic("int")), named("Index", mapOf(basic("int"), basic("bool"))),
		structOf(), address(), structOf(member("Inner", structOf(member("X", thing("zoo"))))),
		structOf(schema.StructField{Name: "Address", Type: address(), Embedded: true}),
		pair(thing("zoo"), slice(basic("int"))),
		named("Color", &schema.Type{Form: schema.TextMarshaler}), thing("zoo"),
	} {
		check(t, file(session("Visitor",
			plain("X", typ),
			&schema.Field{Name: "Y", Key: "y", Type: slice(typ), Shape: schema.List, Merge: schema.Append},
			&schema.Field{Name: "Z", Key: "z", Type: mapOf(basic("string"), typ), Shape: schema.Map},
			plain("W", structOf(member("Inner", array(2, typ)))),
		)), imp)
	}
}

func TestTheGuardHasEveryFieldOfTheStruct(t *testing.T) {
	s := session("Visitor", &schema.Field{Name: "Name", Key: "name", Type: basic("string")})
	s.Layout = append(s.Layout,
		schema.StructField{Name: "Address", Type: address(), Embedded: true},
		schema.StructField{Name: "Pair", Type: pointer(pair(basic("int"), basic("int"))), Embedded: true},
		member("_", basic("int")),
		member("hidden", &schema.Type{Literal: []schema.LiteralPart{
			{Text: "map[string]chan<- "}, {Name: thing("v").Name},
		}}),
		member("spelled", &schema.Type{Name: &schema.Name{Path: shopPath, Package: "shop", Name: "Pair",
			Args: []*schema.Type{{Name: thing("w").Name}, {Name: thing("v").Name}}}}),
	)
	f := file(s)
	out := check(t, f, newForeign("v", "w"))
	contains(t, out, `var _ = struct {
	Name string
	Address
	*Pair[int, int]
	_       int
	hidden  map[string]chan<- v.Thing
	spelled Pair[w.Thing, v.Thing]
}(Visitor{})`)
}

func TestAStructThatHasChangedDoesNotCompileWithItsOldOutput(t *testing.T) {
	f := file(session("Visitor", &schema.Field{Name: "Name", Key: "name", Type: basic("string")}))
	out, err := templates.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	mustNotCompile(t, "package shop\ntype Visitor struct { Name string; Age int }", f, out,
		"(Visitor{})")
	mustNotCompile(t, "package shop\ntype Visitor struct { Name []byte }", f, out,
		"(Visitor{})")
}

func TestTheStoredFormHasALineForEachKeyInOrder(t *testing.T) {
	s := visitor()
	s.Fields = append(s.Fields, &schema.Field{Name: "Cost", Key: "cost", Type: from("math/big", "big", "Int",
		&schema.Type{Form: schema.TextMarshaler}), Secret: true})
	out, err := templates.Render(file(s))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(out), `//	address {Street:string,Lines:[]string}
//	api_key string secret
//	basket reserved
//	cart map[string]count
//	cost text(math/big.Int) secret
//	from binary(net/netip.Addr)
//	grid [3][]{First:string,Second:int64}
//	name string
//	notice string
//	old *uint8 was=older
//	recent []string
//	seen_at time
//	spot {X:float64,Y:float64}
//	stamps map[uint8]time
//	theme string default="light"
//	user_id int64 index
//	views count
var visitorModel`)
}
