package gen

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkGenerate shows how the time grows with the number of structs, of 20
// fields each. A line and a struct cost the same, however many there are.
func BenchmarkGenerate(b *testing.B) {
	b.Setenv("GOWORK", "off")
	b.Setenv("GOFLAGS", "")
	for _, structs := range []int{1, 50, 200, 1000, 5000} {
		for _, apart := range []bool{false, true} {
			b.Run(fmt.Sprintf("structs=%d/apart=%v", structs, apart), func(b *testing.B) { benchmarkGenerate(b, structs, apart) })
		}
	}
}

func benchmarkGenerate(b *testing.B, structs int, apart bool) {
	dir, err := filepath.EvalSymlinks(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	sources := map[string]string{"go.mod": "module example.com/bench\n\ngo 1.26\n"}
	for i := range structs {
		name := "session.go"
		if apart {
			name = fmt.Sprintf("session%d.go", i)
		}
		if sources[name] == "" {
			sources[name] = "package bench\n"
		}
		sources[name] += benchmarkStruct(i)
	}
	for name, source := range sources {
		writeFile(b, filepath.Join(dir, name), source)
	}
	lines := 0
	b.ReportAllocs()
	for b.Loop() {
		result, err := Generate(b.Context(), Config{Dir: dir})
		if err != nil || len(result.Findings) > 0 {
			b.Fatal(err, result)
		}
		for _, f := range result.Files {
			lines += bytes.Count(f.Content, []byte("\n"))
		}
	}
	elapsed := float64(b.Elapsed().Microseconds())
	b.ReportMetric(elapsed/float64(lines), "µs/line")
	b.ReportMetric(elapsed/float64(b.N*structs), "µs/struct")
}

func benchmarkStruct(i int) string {
	var s strings.Builder
	fmt.Fprintf(&s, "\n//duckgen:session cookie=visitor%d\ntype Visitor%d struct {\n", i, i)
	for j := range 5 {
		fmt.Fprintf(&s, "\tName%d string `session:\"name%d\"`\n", j, j)
		fmt.Fprintf(&s, "\tViews%d int64 `session:\"views%d,merge=sum\"`\n", j, j)
		fmt.Fprintf(&s, "\tCart%d map[string]int `session:\"cart%d,merge=sum\"`\n", j, j)
		fmt.Fprintf(&s, "\tRecent%d []string `session:\"recent%d,merge=append,max=20\"`\n", j, j)
	}
	s.WriteString("}\n")
	return s.String()
}
