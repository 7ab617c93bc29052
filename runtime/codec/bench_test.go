package codec_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
)

// Realistic has the 20 fields of the sessions that the project measures with.
type Realistic struct {
	N1, N2, N3, N4, N5, N6, N7, N8 int64
	S1, S2, S3, S4, S5, S6, S7     string
	T1, T2, T3                     time.Time
	Map                            map[string]int
	List                           []string
}

var realisticCodec = codec.Struct(
	number("N1", func(v *Realistic) *int64 { return &v.N1 }),
	number("N2", func(v *Realistic) *int64 { return &v.N2 }),
	number("N3", func(v *Realistic) *int64 { return &v.N3 }),
	number("N4", func(v *Realistic) *int64 { return &v.N4 }),
	number("N5", func(v *Realistic) *int64 { return &v.N5 }),
	number("N6", func(v *Realistic) *int64 { return &v.N6 }),
	number("N7", func(v *Realistic) *int64 { return &v.N7 }),
	number("N8", func(v *Realistic) *int64 { return &v.N8 }),
	text("S1", func(v *Realistic) *string { return &v.S1 }),
	text("S2", func(v *Realistic) *string { return &v.S2 }),
	text("S3", func(v *Realistic) *string { return &v.S3 }),
	text("S4", func(v *Realistic) *string { return &v.S4 }),
	text("S5", func(v *Realistic) *string { return &v.S5 }),
	text("S6", func(v *Realistic) *string { return &v.S6 }),
	text("S7", func(v *Realistic) *string { return &v.S7 }),
	instant("T1", func(v *Realistic) *time.Time { return &v.T1 }),
	instant("T2", func(v *Realistic) *time.Time { return &v.T2 }),
	instant("T3", func(v *Realistic) *time.Time { return &v.T3 }),
	codec.Member("Map", codec.Map[map[string]int](codec.StringKey[string](), codec.Int[int]()), func(v *Realistic) *map[string]int { return &v.Map }),
	codec.Member("List", codec.Slice[[]string](codec.String[string]()), func(v *Realistic) *[]string { return &v.List }),
)

func number(name string, at func(*Realistic) *int64) codec.StructMember[Realistic] {
	return codec.Member(name, codec.Int[int64](), at)
}

func text(name string, at func(*Realistic) *string) codec.StructMember[Realistic] {
	return codec.Member(name, codec.String[string](), at)
}

func instant(name string, at func(*Realistic) *time.Time) codec.StructMember[Realistic] {
	return codec.Member(name, codec.Time(), at)
}

func realistic() Realistic {
	const words = "the quick brown fox jumps over the lazy dog and runs away"
	at := time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)
	v := Realistic{
		N1: 1, N2: 20, N3: 300, N4: 4000, N5: 50000, N6: 600000, N7: 1 << 40, N8: -5,
		S1: words[:20], S2: words[:25], S3: words[:30], S4: words[:35], S5: words[:40], S6: words[:50], S7: words[:57],
		T1: at, T2: at.Add(time.Hour), T3: at.Add(time.Minute),
		Map: map[string]int{},
	}
	for i := range 10 {
		v.Map[fmt.Sprintf("sku-%04d", i)] = i
		v.List = append(v.List, words[i:i+20])
	}
	return v
}

func BenchmarkStructOf20(b *testing.B) { benchmark(b, realisticCodec, realistic()) }

func BenchmarkInt(b *testing.B) { benchmark(b, codec.Int[int64](), 123456) }

func BenchmarkFloat(b *testing.B) { benchmark(b, codec.Float[float64](), 3.14159) }

func BenchmarkString(b *testing.B) { benchmark(b, codec.String[string](), realistic().S5) }

func BenchmarkTime(b *testing.B) { benchmark(b, codec.Time(), realistic().T1) }

func BenchmarkStrings(b *testing.B) {
	benchmark(b, codec.Slice[[]string](codec.String[string]()), realistic().List)
}

func BenchmarkMap(b *testing.B) {
	benchmark(b, codec.Map[map[string]int](codec.StringKey[string](), codec.Int[int]()), realistic().Map)
}

func benchmark[T any](b *testing.B, c runtime.Codec[T], v T) {
	for _, f := range formats {
		stored := encode(b, c, f, v)
		b.Run(f.String()+"/append", func(b *testing.B) {
			b.ReportAllocs()
			space := make([]byte, 0, 4096)
			for b.Loop() {
				_, _ = c.Append(space, f, v)
			}
			b.ReportMetric(float64(len(stored)), "bytes")
		})
		b.Run(f.String()+"/read", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = c.Read(stored, f)
			}
		})
	}
}
