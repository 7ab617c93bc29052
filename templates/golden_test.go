package templates_test

import (
	"flag"
	"os"
	"os/exec"
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

// The golden package is the one place where the real go command judges the
// output, with the real runtime.
func TestTheGoldenPackageIsCleanForVetAndStaticcheck(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	for _, args := range [][]string{
		{"vet", "./testdata/shop"},
		{"tool", "staticcheck", "-checks", "all", "./testdata/shop"},
	} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Errorf("go %v: %v\n%s", args, err, out)
		}
	}
}
