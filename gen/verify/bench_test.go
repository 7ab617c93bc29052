package verify_test

import (
	"bytes"
	"go/token"
	"os"
	"path/filepath"
	"testing"

	"github.com/duckgen/duckgen/gen/verify"
)

// BenchmarkCheck type-checks the golden output of package templates, two
// sessions with every shape of field.
func BenchmarkCheck(b *testing.B) {
	dir := filepath.Join("..", "..", "templates", "testdata", "shop")
	files := map[string][]byte{}
	lines := 0
	for _, name := range []string{"session.go", "session_duckgen.go"} {
		source, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		files[name] = source
		lines += bytes.Count(source, []byte("\n"))
	}
	b.ReportAllocs()
	for b.Loop() {
		verify.Check(token.NewFileSet(), "example.com/shop", "shop", nil, nil, files)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/line")
}
