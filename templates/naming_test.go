package templates_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/templates"
)

func plain(name string, t *schema.Type) *schema.Field {
	return &schema.Field{Name: name, Key: strings.ToLower(name), Type: t}
}

func TestImportsHaveTheirOwnNamesUnlessThesAreTaken(t *testing.T) {
	const (
		runtime     = "\t\"github.com/duckgen/duckgen/runtime\"\n"
		duckruntime = "\tduckruntime \"github.com/duckgen/duckgen/runtime\"\n"
	)
	tests := []struct {
		name   string
		change func(*schema.File)
		want   []string
	}{
		{"nothing is taken", func(*schema.File) {}, []string{"\t\"context\"\n", runtime}},
		{"the package is called so", func(f *schema.File) { f.Package.Name = "runtime" }, []string{duckruntime}},
		{"an identifier is called so", func(f *schema.File) { f.Package.Scope["runtime"] = true }, []string{duckruntime}},
		{"another file imports it", func(f *schema.File) { f.Package.Imports["runtime"] = true }, []string{runtime}},
		{"a standard name is taken", func(f *schema.File) { f.Package.Scope["context"] = true },
			[]string{"\tstdcontext \"context\"\n"}},
		{"the alias is taken, too", func(f *schema.File) {
			f.Package.Scope["runtime"], f.Package.Scope["duckruntime"] = true, true
		}, []string{"\tduckruntime2 \"github.com/duckgen/duckgen/runtime\"\n"}},
		{"a type comes from a package of that name", func(f *schema.File) {
			f.Sessions[0] = session("Visitor", plain("X", thing("runtime")))
		}, []string{"\t\"example.org/runtime\"\n", duckruntime}},
		{"a package is called as a generated variable", func(f *schema.File) {
			f.Sessions[0] = session("Visitor", plain("X", thing("visitorModel")))
		}, []string{"\tvisitorModel2 \"example.org/visitorModel\"\n", "var visitorModel = "}},
		{"a package has the name of one of Go's types", func(f *schema.File) {
			f.Sessions[0] = session("Visitor", plain("X", thing("string")))
		}, []string{"\tstring2 \"example.org/string\"\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := file(session("Visitor"))
			tt.change(f)
			contains(t, check(t, f, newForeign("runtime", "string", "visitorModel")), tt.want...)
		})
	}
}

func TestImportsAreInTwoBlocks(t *testing.T) {
	f := file(session("Visitor", plain("X", thing("zoo"))))
	contains(t, check(t, f, newForeign("zoo")), `import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"example.org/zoo"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
)
`)
}

func TestPackageLevelNamesStayClearOfTheScope(t *testing.T) {
	f := file(session("Visitor", plain("Model", basic("int")), plain("Name", basic("string"))))
	f.Package.Scope["visitorName"] = true
	f.Package.Imports["visitorModel2"] = true
	want := []string{
		"NewVisitorSessions", "VisitorFrom", "VisitorSession", "VisitorSessions", "WithVisitor",
		"visitorFill", "visitorModel", "visitorModel3", "visitorName2",
	}
	check(t, f, nil)
	if diff := cmp.Diff(want, templates.Declared(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheOutputOfASecondFileStaysClearOfTheFirst(t *testing.T) {
	first := file(session("Visitor", plain("CartID", basic("int"))))
	second := file(session("VisitorCart", plain("ID", basic("int"))))
	if names := templates.Declared(first, second); !slices.Contains(names, "visitorCartID2") {
		t.Errorf("the files declare %q", names)
	}
}

func TestNamesOfAnUnexportedSessionAreUnexported(t *testing.T) {
	out := check(t, file(session("httpVisitor")), nil)
	contains(t, out, "type httpVisitorSession struct", "func newHttpVisitorSessions(", "func httpVisitorFrom(",
		"func withHttpVisitor(", "var httpVisitorModel =")
}

func TestVariablesAreNamedAsGoNamesThem(t *testing.T) {
	for name, want := range map[string]string{
		"Visitor": "visitorModel", "HTTPVisitor": "httpVisitorModel", "ID": "idModel", "V": "vModel", "Über": "überModel",
	} {
		contains(t, check(t, file(session(name)), nil), "var "+want+" =")
	}
}

func TestLocalNamesGiveWayToTypes(t *testing.T) {
	stampV := named("v", &schema.Type{Form: schema.Time})
	out := check(t, file(session("s", plain("X", stampV))), nil)
	contains(t, out,
		"func(v2 time.Time) v { return v(v2) }",
		"func (s2 *sSession) Snapshot() s {\n\treturn s{\n\t\tX: sX.Get(s2.core),")
}

func TestLocalNamesGiveWayToTypesInsideTypes(t *testing.T) {
	v := named("v", basic("string"))
	box := from(shopPath, "shop", "Box", &schema.Type{Form: schema.TextMarshaler}, v)
	for want, elem := range map[string]*schema.Type{
		"return (*map[v]int)(v2)": mapOf(v, basic("int")),
		"return (*Box[v])(v2)":    box,
	} {
		out, err := templates.Render(file(session("Visitor", plain("X", named("Maybe", pointer(elem))))))
		if err != nil {
			t.Fatal(err)
		}
		contains(t, string(out), want)
	}
}

func TestStructCodecsAreSharedAndReadable(t *testing.T) {
	f := file(
		session("Visitor",
			plain("Home", address()),
			plain("Work", address()),
			plain("Thing", named("Thing", structOf(member("Zip", basic("string"))))),
			plain("Other", thing("zoo")),
			plain("Pairs", slice(pair(basic("string"), slice(address())))),
			plain("Spot", structOf(member("At", structOf(member("X", basic("int")))))),
		),
		session("Admin", plain("Home", address()), plain("Empty", structOf())),
	)
	var codecs []string
	for line := range strings.Lines(check(t, f, newForeign("zoo"))) {
		if name, ok := strings.CutPrefix(line, "var "); ok && strings.Contains(name, "Codec = ") {
			codecs = append(codecs, strings.Fields(name)[0])
		}
	}
	want := []string{"visitorAddressCodec", "visitorThingCodec", "visitorZooThingCodec", "visitorPairStringAddressSliceCodec",
		"visitorSpotCodec", "visitorSpotAtCodec", "adminEmptyCodec"}
	if diff := cmp.Diff(want, codecs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPackageThatRedeclaresWhatTheOutputNeedsIsRefused(t *testing.T) {
	f := file(session("Visitor"))
	f.Package.Scope["string"], f.Package.Scope["error"], f.Package.Scope["max"] = true, true, true
	_, err := templates.Render(f)
	want := `package shop declares ["error" "string"], which generated code needs as Go's own: rename it`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSessionsOfAFileAgreeOnTheNamesOfImports(t *testing.T) {
	f := file(session("Visitor", plain("Name", basic("string"))), session("Guest", plain("X", thing("codec"))))
	out := check(t, f, newForeign("codec"))
	contains(t, out, "duckcodec \"github.com/duckgen/duckgen/runtime/codec\"", "duckcodec.String[string]()", "codec.Thing")
}
