package templates_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/schema"
)

func TestAccessorsCarryTheCommentOfTheField(t *testing.T) {
	tests := []struct {
		name string
		doc  []string
		want string
	}{
		{"none", nil, "Name returns the session's Name.\n"},
		{"a doc comment", []string{"Name is how to call", "the visitor."}, "Name is how to call\nthe visitor.\n"},
		{"a note", []string{"how to call the visitor"},
			"Name returns the session's Name.\n\nHow to call the visitor.\n"},
		{"a note that begins with an identifier", []string{"userName of the old shop (unused)"},
			"Name returns the session's Name.\n\nuserName of the old shop (unused).\n"},
		{"paragraphs", []string{"", "Who it is", "", "  - first", "  - second", ""},
			"Name returns the session's Name.\n\nWho it is\n\n  - first\n  - second\n"},
		{"a deprecation", []string{"Name is the name.", "", "Deprecated: use", "UserID."},
			"Name is the name.\n\nDeprecated: use\nUserID.\n"},
		{"what would end a comment", []string{"a */ b", "//go:build x\n\rcode()"},
			"Name returns the session's Name.\n\nA */ b\n//go:build x  code().\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := plain("Name", basic("string"))
			f.Doc = tt.doc
			_, docs := methodsOf(t, check(t, file(session("Visitor", f)), nil), "VisitorSession")
			if diff := cmp.Diff(tt.want, docs["Name"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestADeprecatedFieldDeprecatesEveryAccessor(t *testing.T) {
	f := &schema.Field{Name: "Cart", Key: "cart", Type: mapOf(basic("string"), basic("int")), Shape: schema.CounterMap,
		Doc: []string{"what is in the cart", "", "Deprecated: use Basket."}}
	_, docs := methodsOf(t, check(t, file(session("Visitor", f)), nil), "VisitorSession")
	for _, name := range f.Methods() {
		if !strings.HasSuffix(docs[name], "\n\nDeprecated: use Basket.\n") {
			t.Errorf("%s is documented with %q", name, docs[name])
		}
	}
}

func TestSettersSayWhatTheOptionsMean(t *testing.T) {
	tests := []struct {
		field schema.Field
		want  string
	}{
		{schema.Field{Type: basic("string"), Renew: true, Max: 5}, "SetX sets X. Anything but the default is a sign-in:" +
			" it renews the token. With more than 5 bytes the commit fails with ErrTooLarge.\n"},
		{schema.Field{Type: slice(basic("int")), Shape: schema.List, Max: 5},
			"SetX replaces X. An empty slice clears it. With more than 5 elements the commit fails with ErrTooLarge.\n"},
		{schema.Field{Type: instant(), Merge: schema.Max}, "SetX sets X. Of concurrent values the largest stays.\n"},
		{schema.Field{Type: instant(), Merge: schema.Min}, "SetX sets X. Of concurrent values the smallest stays.\n"},
		{schema.Field{Type: pointer(basic("int"))}, "SetX sets X to a copy. Nil clears it.\n"},
		{schema.Field{Type: basic("int"), Shape: schema.Counter}, "SetX sets X, whatever others add meanwhile.\n"},
	}
	for _, tt := range tests {
		field := tt.field
		field.Name, field.Key = "X", "x"
		_, docs := methodsOf(t, check(t, file(session("Visitor", &field)), nil), "VisitorSession")
		got := strings.ReplaceAll(strings.TrimSuffix(docs["SetX"], "\n"), "\n", " ") + "\n"
		if got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
