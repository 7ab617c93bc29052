package templates_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/duckgen/duckgen/gen/storedform"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/templates"
)

func TestTheStoredFormIsReadBackFromTheOutput(t *testing.T) {
	testtier.Checks(t, schemas())
	rapid.Check(t, func(t *rapid.T) {
		f := drawFile(t)
		out, err := templates.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := storedform.Read(f.Output, out)
		if err != nil {
			t.Fatal(err)
		}
		var want []storedform.Form
		for _, s := range f.Sessions {
			want = append(want, storedform.Of(s))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-schema +output):\n%s", diff)
		}
	})
}
