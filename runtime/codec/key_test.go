package codec_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// checkKey checks that a key comes back from its text.
func checkKey[K comparable](t testing.TB, c runtime.KeyCodec[K], f runtime.Format, k K, want string) {
	t.Helper()
	text := c.Text(f, k)
	if text != want {
		t.Errorf("%v: the text of %v is %q, want %q", f, k, text, want)
	}
	if got, err := c.Parse(f, text); err != nil || got != k {
		t.Errorf("%v: %q is parsed as %v, %v", f, text, got, err)
	}
}

func refuseKey[K any](t *testing.T, c runtime.KeyCodec[K], f runtime.Format, text string) {
	t.Helper()
	if got, err := c.Parse(f, text); err == nil {
		t.Errorf("%v: %q is parsed as %v, want an error", f, text, got)
	}
}

func TestKeysHaveOneText(t *testing.T) {
	for _, f := range formats {
		checkKey(t, codec.StringKey[Name](), f, "", "")
		checkKey(t, codec.StringKey[Name](), f, `sku:1 "é"`, `sku:1 "é"`)
		checkKey(t, codec.IntKey[int8](), f, math.MinInt8, "-128")
		checkKey(t, codec.IntKey[int64](), f, math.MinInt64, "-9223372036854775808")
		checkKey(t, codec.IntKey[rune](), f, 0, "0")
		checkKey(t, codec.UintKey[uint64](), f, math.MaxUint64, "18446744073709551615")
		checkKey(t, codec.UintKey[uintptr](), f, 10, "10")
		for _, text := range []string{"", "+1", "01", "-0", "1.0", "1e2", " 1", "1 ", "0x1", "1_0", "१", "128", "-129", "9223372036854775808"} {
			refuseKey(t, codec.IntKey[int8](), f, text)
		}
		for _, text := range []string{"", "+1", "01", "-0", "-1", "256", "18446744073709551616"} {
			refuseKey(t, codec.UintKey[uint8](), f, text)
		}
	}
	c := codec.StringKey[string]()
	checkKey(t, c, runtime.MessagePack, "\x00\x7f\xff", "\x00\x7f\xff")
	checkKey(t, c, runtime.JSON, "\x00\x7f\xff", "\x7f00\x7f7f\x7fff")
	for _, text := range []string{"\x7f", "\x7f0", "\x7f41", "\x7fFF", "\x7fc3\x7fa9", "\x00", "\xff", "a\x7f00\x00"} {
		refuseKey(t, c, runtime.JSON, text)
	}
}

func TestTextsOfStringKeysAreDistinctAndKeptByPostgres(t *testing.T) {
	c := codec.StringKey[string]()
	rapid.Check(t, func(t *rapid.T) {
		a, b := oddString().Draw(t, "a"), oddString().Draw(t, "b")
		for _, f := range formats {
			textA, textB := c.Text(f, a), c.Text(f, b)
			if (a == b) != (textA == textB) {
				t.Fatalf("%v: %q and %q have the texts %q and %q", f, a, b, textA, textB)
			}
			if got, err := c.Parse(f, textA); err != nil || got != a {
				t.Fatalf("%v: %q is parsed as %q, %v", f, textA, got, err)
			}
		}
		if text := c.Text(runtime.JSON, a); !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			t.Fatalf("Postgres does not keep %q", text)
		}
	})
}

func TestParsingIsStrict(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		checkOneText(t, stringKeys, runtime.JSON, oddString().Draw(rt, "text"))
	})
}

func TestKeysAreInTheOrderOfTheirValues(t *testing.T) {
	ints := []int{10, -1, 9, -10}
	slices.SortFunc(ints, codec.IntKey[int]().Compare)
	uints := []uint64{math.MaxUint64, 9, 10}
	slices.SortFunc(uints, codec.UintKey[uint64]().Compare)
	names := []Name{"b", "", "a", "B"}
	slices.SortFunc(names, codec.StringKey[Name]().Compare)
	if diff := cmp.Diff([]any{[]int{-10, -1, 9, 10}, []uint64{9, 10, math.MaxUint64}, []Name{"", "B", "a", "b"}}, []any{ints, uints, names}); diff != "" {
		t.Error(diff)
	}
}

// upperKey is a KeyCodec of somebody else.
type upperKey struct{ runtime.KeyCodec[string] }

func (upperKey) Text(_ runtime.Format, k string) string { return strings.ToUpper(k) }

func (upperKey) Parse(_ runtime.Format, text string) (string, error) {
	return strings.ToLower(text), nil
}

func TestAMapTakesAnyKeyCodec(t *testing.T) {
	c := codec.Map[map[string]bool](upperKey{codec.StringKey[string]()}, codec.Bool[bool]())
	checkGoldens(t, "map", c, golden[map[string]bool]{map[string]bool{"b": true, "a\"": false}, "82a24122c2a142c3", `{"A\"":false,"B":true}`})
}

var (
	stringKeys = codec.StringKey[string]()
	intKeys    = codec.IntKey[int16]()
	uintKeys   = codec.UintKey[uint64]()
)

// checkOneText checks that what is parsed as a key is the text of that key.
func checkOneText[K any](t testing.TB, c runtime.KeyCodec[K], f runtime.Format, text string) {
	t.Helper()
	if k, err := c.Parse(f, text); err == nil && c.Text(f, k) != text {
		t.Errorf("%v: %q is parsed as %v, whose text is %q", f, text, k, c.Text(f, k))
	}
}
