package storedform

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/duckgen/duckgen/gen/schema"
)

// generated is a generated file with one session, as far as it is read.
func generated(lines ...string) []byte {
	var b bytes.Buffer
	b.WriteString("package session\n\n// Stored form of Visitor.\n//\n")
	for _, line := range lines {
		fmt.Fprintf(&b, "//\t%s\n", line)
	}
	b.WriteString("var visitorModel = runtime.NewModel(\"k\", func(core *runtime.Session) VisitorSession {})\n")
	return b.Bytes()
}

func TestFormsAreReadFromComments(t *testing.T) {
	got, err := Read("f.go", generated(
		"cart map[string]count was=basket",
		"old reserved",
		`theme string default="light blue, was=x"`,
		"token *string secret",
		"user_id int64 index",
	))
	want := []Form{{
		Session: "VisitorSession",
		Kind:    "k",
		Keys: []Key{
			{Name: "cart", Type: &Type{Form: Map, Key: &Type{Name: "string"}, Elem: &Type{Form: Count}}, Was: "basket"},
			{Name: "theme", Type: &Type{Name: "string"}, Default: `"light blue, was=x"`},
			{Name: "token", Type: &Type{Form: Pointer, Elem: &Type{Name: "string"}}, Secret: true},
			{Name: "user_id", Type: &Type{Name: "int64"}, Index: true},
		},
		Reserved: []string{"old"},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWhatIsNoFormIsAnError(t *testing.T) {
	for _, line := range []string{"name", "name string sparkling", " string", "a [3", "a [x]int"} {
		if _, err := Read("f.go", generated(line)); err == nil || !strings.Contains(err.Error(), "f.go") {
			t.Errorf("%q: %v", line, err)
		}
	}
	if _, err := Read("f.go", []byte("<<<<<<< HEAD\n")); err == nil {
		t.Error("a file that does not parse is none")
	}
}

func TestTypesAreWrittenAsTheyAreRead(t *testing.T) {
	for _, text := range []string{
		"int", "[]*string", "[16]uint8", "map[int8]{A:[]bytes,b(was=B):{}}", "map[string]count(int8)", "binary(x.Y[a,b])", "text(func(x.A)(y.B))",
	} {
		parsed, err := parseType(text)
		if err != nil || parsed.String() != text {
			t.Errorf("%s became %v (%v)", text, parsed, err)
		}
	}
	for _, text := range []string{"", "[]", "map[string", "map[string]", "{A}", "{A:int", "{A(was=B:int}", "{A(B):int}", "text(a", "count(int8", "int}", "[3"} {
		if parsed, err := parseType(text); err == nil {
			t.Errorf("%q is read as %v", text, parsed)
		}
	}
}

func TestEveryFormIsReadAsItWasPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawForm(t)
		got, err := Read("f.go", generated(want.Lines()...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Form{want}, got); diff != "" {
			t.Errorf("(-printed +read):\n%s", diff)
		}
	})
}

func drawForm(t *rapid.T) Form {
	form := Form{Session: "VisitorSession", Kind: "k"}
	names := rapid.SliceOfDistinct(rapid.StringMatching(`[a-z][a-z0-9_]{0,5}`), rapid.ID[string]).Draw(t, "keys")
	for _, name := range slices.Sorted(slices.Values(names)) {
		if rapid.IntRange(0, 4).Draw(t, "reserved") == 0 {
			form.Reserved = append(form.Reserved, name)
			continue
		}
		form.Keys = append(form.Keys, Key{
			Name:    name,
			Type:    drawType(t, 3),
			Index:   rapid.Bool().Draw(t, "index"),
			Secret:  rapid.Bool().Draw(t, "secret"),
			TTL:     rapid.Bool().Draw(t, "ttl"),
			Was:     rapid.StringMatching(`|[a-z0-9_]+`).Draw(t, "was"),
			Default: drawDefault(t),
		})
	}
	return form
}

func drawDefault(t *rapid.T) string {
	values := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Uint64().AsAny(), rapid.Float64().AsAny(),
	)
	return (&schema.Literal{Value: values.Draw(t, "default")}).String()
}

func drawType(t *rapid.T, depth int) *Type {
	forms := []TypeForm{Basic, Bytes, Time, Count, Binary, Text}
	if depth > 0 {
		forms = append(forms, Pointer, Slice, Array, Map, Struct)
	}
	typ := &Type{Form: rapid.SampledFrom(forms).Draw(t, "form")}
	switch typ.Form {
	case Basic:
		typ.Name = rapid.SampledFrom([]string{"bool", "int8", "uint64", "string", "complex128"}).Draw(t, "basic")
	case Count:
		typ.Name = rapid.SampledFrom([]string{"", "int8", "uint32"}).Draw(t, "counter")
	case Binary, Text:
		typ.Name = rapid.SampledFrom([]string{"net/netip.Addr", "x.Y[a,b.C]", "x.Y[func(int)(map[a]b)]"}).Draw(t, "marshaler")
	case Array:
		typ.Len = rapid.Int64Min(0).Draw(t, "length")
		typ.Elem = drawType(t, depth-1)
	case Map:
		typ.Key = &Type{Name: rapid.SampledFrom([]string{"string", "int", "uint16"}).Draw(t, "key")}
		typ.Elem = drawType(t, depth-1)
	case Pointer, Slice:
		typ.Elem = drawType(t, depth-1)
	case Struct:
		for i := range rapid.IntRange(0, 3).Draw(t, "members") {
			typ.Members = append(typ.Members, Member{
				Name: fmt.Sprintf("M%d", i),
				Was:  rapid.SampledFrom([]string{"", "Größe", "earlier_1"}).Draw(t, "was"),
				Type: drawType(t, depth-1),
			})
		}
	}
	return typ
}

func TestTheFormsOfTheGoldensArePrintedAsTheyWereRead(t *testing.T) {
	archives, err := filepath.Glob("../../testdata/golden/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	forms := 0
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if strings.HasPrefix(f.Name, "want/") && strings.HasSuffix(f.Name, "_duckgen.go") && !bytes.Equal(f.Data, []byte("removed\n")) {
				forms += checkPrinted(t, filepath.Base(path)+": "+f.Name, f.Data)
			}
		}
	}
	if forms < 100 {
		t.Errorf("only %d forms were found", forms)
	}
}

// checkPrinted looks for the lines of every form in the file that it was read
// from, and returns how many forms there are.
func checkPrinted(t *testing.T, name string, content []byte) int {
	t.Helper()
	forms, err := Read(name, content)
	if err != nil {
		t.Error(err)
	}
	for _, form := range forms {
		var comment strings.Builder
		for _, line := range form.Lines() {
			fmt.Fprintf(&comment, "//\t%s\n", line)
		}
		comment.WriteString("var ")
		if form.Session == "" || !strings.Contains(string(content), "//\n"+comment.String()) && len(form.Lines()) > 0 {
			t.Errorf("%s does not have %s as\n%s", name, form.Session, comment.String())
		}
	}
	return len(forms)
}
