package templates_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/templates"
)

// wide is a session of n fields in all shapes.
func wide(name string, n int) *schema.Session {
	var fields []*schema.Field
	for i := range n {
		shape := visitor().Fields[i%15]
		shape.Name = fmt.Sprintf("%s%d", shape.Name, i)
		shape.Key = fmt.Sprintf("%s_%d", shape.Key, i)
		fields = append(fields, shape)
	}
	return session(name, fields...)
}

// BenchmarkRender reports the time for each generated line.
func BenchmarkRender(b *testing.B) {
	for _, n := range []int{1, 200} {
		b.Run(fmt.Sprintf("%d sessions of 20 fields", n), func(b *testing.B) {
			var sessions []*schema.Session
			for i := range n {
				sessions = append(sessions, wide(fmt.Sprintf("Visitor%d", i), 20))
			}
			f := file(sessions...)
			lines := 0
			b.ReportAllocs()
			for b.Loop() {
				out, err := templates.Render(f)
				if err != nil {
					b.Fatal(err)
				}
				lines += bytes.Count(out, []byte("\n"))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
		})
	}
}
