package templates_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/templates"
)

var update = flag.Bool("update", false, "write the golden file")

func render(t testing.TB, f *schema.File) string {
	t.Helper()
	out, err := templates.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestTheShopReadsAsTheGoldenFile(t *testing.T) {
	golden := filepath.Join("testdata", "shop", "session_duckgen.go")
	got := render(t, shop())
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run with -update if this is right (-golden +got):\n%s", diff)
	}
}
