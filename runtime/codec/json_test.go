package codec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
	"github.com/google/go-cmp/cmp"
)

// Plain has what encoding/json stores in the same way.
type Plain struct {
	Bool   bool
	Int    int64
	Uint   uint64
	Float  float64
	Short  float32
	String string
	Bytes  []byte
	Time   time.Time
	Null   *int
	List   []string
	Array  [2]int
	Map    map[string]float64
	Ints   map[int]string
	Nested *Plain2
	Text   Shout
}

type Plain2 struct{ Deep []map[string]bool }

var plainCodec = codec.Struct(
	codec.Member("Bool", codec.Bool[bool](), func(v *Plain) *bool { return &v.Bool }),
	codec.Member("Int", codec.Int[int64](), func(v *Plain) *int64 { return &v.Int }),
	codec.Member("Uint", codec.Uint[uint64](), func(v *Plain) *uint64 { return &v.Uint }),
	codec.Member("Float", codec.Float[float64](), func(v *Plain) *float64 { return &v.Float }),
	codec.Member("Short", codec.Float[float32](), func(v *Plain) *float32 { return &v.Short }),
	codec.Member("String", codec.String[string](), func(v *Plain) *string { return &v.String }),
	codec.Member("Bytes", codec.Bytes[[]byte](), func(v *Plain) *[]byte { return &v.Bytes }),
	codec.Member("Time", codec.Time(), func(v *Plain) *time.Time { return &v.Time }),
	codec.Member("Null", codec.Pointer(codec.Int[int]()), func(v *Plain) **int { return &v.Null }),
	codec.Member("List", codec.Slice[[]string](codec.String[string]()), func(v *Plain) *[]string { return &v.List }),
	codec.Member("Array", codec.Array(codec.Int[int](), func(a *[2]int) []int { return a[:] }), func(v *Plain) *[2]int { return &v.Array }),
	codec.Member("Map", codec.Map[map[string]float64](codec.StringKey[string](), codec.Float[float64]()), func(v *Plain) *map[string]float64 { return &v.Map }),
	codec.Member("Ints", codec.Map[map[int]string](codec.IntKey[int](), codec.String[string]()), func(v *Plain) *map[int]string { return &v.Ints }),
	codec.Member("Nested", codec.Pointer(plain2Codec), func(v *Plain) **Plain2 { return &v.Nested }),
	codec.Member("Text", codec.Text[Shout](), func(v *Plain) *Shout { return &v.Text }),
)

var plain2Codec = codec.Struct(
	codec.Member("Deep", codec.Slice[[]map[string]bool](codec.Map[map[string]bool](codec.StringKey[string](), codec.Bool[bool]())), func(v *Plain2) *[]map[string]bool { return &v.Deep }),
)

func plain() Plain {
	n := 1 << 20
	return Plain{
		Bool: true, Int: -1 << 63, Uint: 1<<64 - 1, Float: 1e-7, Short: 3.3,
		String: "tab\t quote\" back\\ slash/ <é𝄞\u2028>", Bytes: []byte{0xfb, 0xff, 0}, Time: time.Unix(1e9, 1).UTC(), Null: &n,
		List: []string{"", "x"}, Array: [2]int{-1, 2}, Map: map[string]float64{"a b": 0.1, "": 1e21},
		Ints: map[int]string{-7: "seven", 70: ""}, Nested: &Plain2{[]map[string]bool{{"k": true}, {}}}, Text: Shout{"hé"},
	}
}

func TestOrdinaryJSONMeansTheSameToEncodingJSON(t *testing.T) {
	want := plain()
	b := encode(t, plainCodec, runtime.JSON, want)
	var got Plain
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("encoding/json does not read %s: %v", b, err)
	}
	if diff := cmp.Diff(want, got, sameValue); diff != "" {
		t.Errorf("encoding/json reads another value:\n%s", diff)
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, decode(t, plainCodec, runtime.JSON, b), sameValue); diff != "" {
		t.Errorf("what encoding/json writes is another value:\n%s", diff)
	}
}

// respell writes JSON as Postgres or anybody else may give it back: with other
// white space, another order of members, other spellings of numbers and strings.
func respell(t testing.TB, b []byte, random *rand.Rand) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json does not read %q: %v", b, err)
	}
	if _, err := d.Token(); err == nil {
		t.Fatalf("more than one value in %q", b)
	}
	return appendRespelled(nil, v, random)
}

func appendRespelled(b []byte, v any, random *rand.Rand) []byte {
	b = appendSpace(b, random)
	switch v := v.(type) {
	case map[string]any:
		b = append(b, '{')
		keys := slices.Sorted(maps.Keys(v))
		random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendRespelled(b, k, random), ':')
			b = appendRespelled(b, v[k], random)
		}
		b = append(appendSpace(b, random), '}')
	case []any:
		b = append(b, '[')
		for i, elem := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendRespelled(b, elem, random)
		}
		b = append(appendSpace(b, random), ']')
	case json.Number:
		b = append(b, respellNumber(v.String(), random)...)
	case string:
		b = append(b, respellString(v, random)...)
	default:
		b = fmt.Append(b, map[any]string{nil: "null", true: "true", false: "false"}[v])
	}
	return appendSpace(b, random)
}

func appendSpace(b []byte, random *rand.Rand) []byte {
	return append(b, " \n\t\r"[:random.IntN(5)]...)
}

// respellNumber moves the point, so the value stays exactly the same.
func respellNumber(text string, random *rand.Rand) string {
	mantissa, power, found := strings.Cut(text, "e")
	if !found {
		power = "0"
	}
	switch random.IntN(4) {
	case 0:
		if mantissa == "0" {
			break // a number does not begin with two zeros
		}
		if !strings.Contains(mantissa, ".") {
			return mantissa + "000.00e" + shifted(power, -3)
		}
	case 1:
		if !strings.Contains(mantissa, ".") {
			return mantissa + ".0E" + shifted(power, 0)
		}
	case 2:
		if strings.Contains(mantissa, ".") {
			return mantissa + "00e" + shifted(power, 0)
		}
	}
	return text
}

func shifted(power string, by int) string {
	n, _ := strconv.Atoi(power) // encoding/json has checked it
	return strconv.Itoa(n + by)
}

// respellString escapes characters that need not be.
func respellString(s string, random *rand.Rand) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		quoted, _ := json.Marshal(string(r))
		switch {
		case r == '/' && random.IntN(2) == 0:
			b.WriteString(`\/`)
		case r < 0x10000 && random.IntN(3) == 0:
			fmt.Fprintf(&b, `\u%04X`, r)
		case r >= 0x10000 && random.IntN(2) == 0:
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			b.Write(quoted[1 : len(quoted)-1])
		}
	}
	return b.String() + `"`
}

func TestJSONIsReadInWhateverSpellingItComesBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	want := example()
	want.String = "NUL \x00 DEL \x7f bad \xff clef 𝄞 slash /"
	b := encode(t, everythingCodec, runtime.JSON, want)
	for range 50 {
		other := respell(t, b, random)
		got := decode(t, everythingCodec, runtime.JSON, other)
		if diff := cmp.Diff(want, got, sameValue); diff != "" {
			t.Fatalf("%s comes back as another value:\n%s", other, diff)
		}
	}
}

func TestEveryStringIsValidJSONThatPostgresKeeps(t *testing.T) {
	c := codec.String[string]()
	for first := range 256 {
		for second := range 256 {
			s := string([]byte{'a', byte(first), byte(second), 0x80})
			b := encode(t, c, runtime.JSON, s)
			if !json.Valid(b) || bytes.Contains(b, []byte(`\u0000`)) || !bytes.Equal(b, bytes.ToValidUTF8(b, nil)) {
				t.Fatalf("%q is written as %q", s, b)
			}
			if got := decode(t, c, runtime.JSON, b); got != s {
				t.Fatalf("%q comes back as %q", s, got)
			}
		}
	}
}

func TestAMalformedStringIsRefused(t *testing.T) {
	for _, text := range []string{
		`"`, `"a`, `"\"`, "\"\n\"", "\"\x00\"", "\"\xff\"", `"\x"`, `"\u"`, `"\u12"`, `"\u12g4"`,
		`"\ud800"`, `"\ud800a"`, `"\ud800\n"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\udc00"`,
		"\"\x7f\"", "\"\x7f0\"", "\"\x7fzz\"", `a`, `'a'`, `null`,
	} {
		fitsNot(t, codec.String[string](), runtime.JSON, []byte(text))
	}
	fits(t, codec.String[string](), runtime.JSON, []byte(` "\ud834\udd1e\b\f\n\r\t\"\\\/\u0000" `), "𝄞\b\f\n\r\t\"\\/\x00")
}

func TestMalformedBase64IsRefused(t *testing.T) {
	for _, text := range []string{`"A"`, `"AA"`, `"AB=="`, `"AA-_"`, `"A A="`, `"é"`, `[1]`, `0`} {
		fitsNot(t, codec.Bytes[[]byte](), runtime.JSON, []byte(text))
	}
}

func TestMalformedListsAreRefused(t *testing.T) {
	for _, text := range []string{`[`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `[1}`, `]`, `{}`, `[1]]`, `1`, `[null]`} {
		fitsNot(t, codec.Slice[[]int](codec.Int[int]()), runtime.JSON, []byte(text))
	}
	ints := codec.Map[map[string]int](codec.StringKey[string](), codec.Int[int]())
	for _, text := range []string{`{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":1}`, `{1:1}`, `[]`, `{"a":1]`, `{,}`} {
		fitsNot(t, ints, runtime.JSON, []byte(text))
		fitsNot(t, innerCodec, runtime.JSON, []byte(text))
	}
}
