package codec_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
)

// A subject is a codec of any type, for tests of what bytes do to it.
type subject struct {
	name string

	// reread reads a value and encodes it again.
	reread func(f runtime.Format, b []byte) (again, rest []byte, err error)
	// read only reads.
	read func(f runtime.Format, b []byte) error
}

func subjectOf[T any](name string, c runtime.Codec[T]) subject {
	return subject{
		name: name,
		reread: func(f runtime.Format, b []byte) (again, rest []byte, err error) {
			v, rest, err := c.Read(b, f)
			if err != nil {
				return nil, nil, err
			}
			again, err = c.Append(nil, f, v)
			return again, rest, err
		},
		read: func(f runtime.Format, b []byte) error {
			_, _, err := c.Read(b, f)
			return err
		},
	}
}

var everything = subjectOf("everything", everythingCodec)

// The corpus of FuzzRead names them by their index: append new ones.
var subjects = []subject{
	subjectOf("bool", codec.Bool[bool]()),
	subjectOf("int8", codec.Int[int8]()),
	subjectOf("int64", codec.Int[int64]()),
	subjectOf("uint16", codec.Uint[uint16]()),
	subjectOf("uint64", codec.Uint[uint64]()),
	subjectOf("float32", codec.Float[float32]()),
	subjectOf("float64", codec.Float[float64]()),
	subjectOf("complex64", codec.Complex[complex64]()),
	subjectOf("string", codec.String[string]()),
	subjectOf("bytes", codec.Bytes[[]byte]()),
	subjectOf("time", codec.Time()),
	subjectOf("pointer", codec.Pointer(codec.Pointer(codec.String[string]()))),
	subjectOf("strings", codec.Slice[[]string](codec.String[string]())),
	subjectOf("structs", codec.Slice[[]Inner](innerCodec)),
	subjectOf("nothings", codec.Slice[[]struct{}](codec.Struct[struct{}]())),
	subjectOf("array", vectorCodec),
	subjectOf("map", codec.Map[map[string]int](codec.StringKey[string](), codec.Int[int]())),
	subjectOf("int map", codec.Map[map[int8]Inner](codec.IntKey[int8](), innerCodec)),
	subjectOf("uint map", codec.Map[map[uint64]bool](codec.UintKey[uint64](), codec.Bool[bool]())),
	subjectOf("binary", codec.Binary[Packed]()),
	subjectOf("text", codec.Text[Shout]()),
	subjectOf("struct", innerCodec),
	everything,
	subjectOf("older", olderCodec),
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after goruntime.MemStats
	goruntime.ReadMemStats(&before)
	f()
	goruntime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// allowed is how much reading may allocate: a small multiple of the input. The
// largest element of the subjects has 48 bytes in memory, and may have one when
// it is stored.
func allowed(n int) uint64 { return 96*uint64(n) + 8192 }

// checkBounded reads hostile bytes with every codec.
func checkBounded(t *testing.T, f runtime.Format, b []byte) {
	t.Helper()
	for _, s := range subjects {
		start := time.Now()
		if n := allocated(func() { s.read(f, b) }); n > allowed(len(b)) {
			t.Errorf("%s, %v: %.40q of %d bytes allocates %d", s.name, f, b, len(b), n)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s, %v: %.40q of %d bytes takes %v", s.name, f, b, len(b), took)
		}
	}
}

func TestAClaimedLengthAllocatesNothing(t *testing.T) {
	headers := []string{
		"\xdb", "\xc6", "\xc9", "\xdd", "\xdf", // 32 bits: str, bin, ext, array, map
		"\x81\xa1A\xdd", "\x81\xa1C\xdd", "\x91\x81\xa1C\xdd", "\x81\xa7unknown\xdd", "\x81\xa7unknown\xdf", "\x81\xa7unknown\xdb",
	}
	for _, header := range headers {
		for _, length := range []uint32{1 << 20, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
			b := binary.BigEndian.AppendUint32([]byte(header), length)
			checkBounded(t, runtime.MessagePack, b)
			checkBounded(t, runtime.MessagePack, append(b, make([]byte, 1000)...))
		}
	}
}

func TestManySmallElementsAllocateASmallMultiple(t *testing.T) {
	const n = 100_000
	for _, elem := range []string{"\x00", "\x80", "\x90", "\xa0", "\xc0", "\xc2", "\x91", "\x81"} {
		b := binary.BigEndian.AppendUint32([]byte("\xdd"), n)
		checkBounded(t, runtime.MessagePack, append(b, strings.Repeat(elem, n)...))
		b = binary.BigEndian.AppendUint32([]byte("\xdf"), n/2)
		checkBounded(t, runtime.MessagePack, append(b, strings.Repeat(elem, n)...))
		checkBounded(t, runtime.MessagePack, append([]byte("\x81\xa1C"), b...))
	}
	for _, elem := range []string{"0,", "{},", "[],", `"",`, "null,", `"\\n",`} {
		checkBounded(t, runtime.JSON, []byte("["+strings.Repeat(elem, n)+"0]"))
		checkBounded(t, runtime.JSON, []byte(`{"unknown":[`+strings.Repeat(elem, n)+"0]}"))
	}
}

func TestDeepNestingIsSkippedOrRefused(t *testing.T) {
	const n = 1_000_000
	for _, level := range []string{"\x91", "\x81\xa0", "\x81"} {
		checkBounded(t, runtime.MessagePack, []byte("\x81\xa7unknown"+strings.Repeat(level, n)))
	}
	for _, level := range []string{"[", `{"a":`, `[{"a":[`} {
		checkBounded(t, runtime.JSON, []byte(`{"unknown":`+strings.Repeat(level, n)))
	}
	deep := "\x82\xa7unknown" + strings.Repeat("\x91", n) + "\xc0\xa1B\xa1b"
	fits(t, olderCodec, runtime.MessagePack, []byte(deep), older{"b"})
	nested := func(n int) []byte {
		return []byte(`{"unknown":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `,"B":"b"}`)
	}
	fits(t, olderCodec, runtime.JSON, nested(200), older{"b"})
	fitsNot(t, olderCodec, runtime.JSON, nested(201))
}

func TestOverlongTokensAreReadInBounds(t *testing.T) {
	const n = 1_000_000
	for _, text := range []string{
		strings.Repeat("9", n), "-0." + strings.Repeat("0", n), "1e" + strings.Repeat("9", n), "0." + strings.Repeat("9", n) + "e-5",
		strings.Repeat(" ", n), `"` + strings.Repeat("a", n), `"` + strings.Repeat(`\u0041`, n/6) + `"`,
		`"` + strings.Repeat("\x7f00", n/3) + `"`, `"` + strings.Repeat("A", n) + `"`, `"@` + strings.Repeat("1", n) + `.0"`,
		`{"` + strings.Repeat("k", n) + `":0}`, `{"A":` + strings.Repeat("1", n) + `}`,
	} {
		checkBounded(t, runtime.JSON, []byte(text))
	}
}

func TestEveryProperPrefixIsRefused(t *testing.T) {
	for _, f := range formats {
		b := encode(t, everythingCodec, f, example())
		for n := range b {
			if _, err := decodeAll(everythingCodec, f, b[:n]); err == nil {
				t.Errorf("%v: the first %d of %d bytes are accepted", f, n, len(b))
			}
		}
		skipped := encode(t, newerCodec, f, newer{New: example(), Inner: Inner{B: "b"}})
		for n := range skipped {
			if _, err := decodeAll(olderCodec, f, skipped[:n]); err == nil {
				t.Errorf("%v: the first %d of %d skipped bytes are accepted", f, n, len(skipped))
			}
		}
	}
}

func TestEveryChangedByteGivesAValueOrAnError(t *testing.T) {
	for _, f := range formats {
		b := encode(t, everythingCodec, f, example())
		for i := range b {
			for _, change := range []byte{0x00, 0x01, 0x7f, 0x80, 0xc1, 0xdd, 0xff, '"', '\\', '[', '}', b[i] + 1} {
				other := bytes.Clone(b)
				other[i] = change
				checkReread(t, everything, f, other)
			}
		}
	}
}

// checkReread checks that whatever a codec makes of bytes, it is a value that
// keeps its encoding.
func checkReread(t testing.TB, s subject, f runtime.Format, b []byte) {
	t.Helper()
	before := bytes.Clone(b)
	once, rest, err := s.reread(f, b)
	if !bytes.Equal(b, before) {
		t.Fatalf("%s, %v: %q has been changed to %q", s.name, f, before, b)
	}
	if err != nil {
		return
	}
	if !bytes.HasSuffix(b, rest) {
		t.Fatalf("%s, %v: what follows %q is %q", s.name, f, b, rest)
	}
	twice, rest, err := s.reread(f, once)
	if err != nil || len(rest) > 0 || !bytes.Equal(once, twice) {
		t.Fatalf("%s, %v: %q is read and written as %q, and that as %q, %v", s.name, f, b, once, twice, err)
	}
}

func TestReadingAScalarAllocatesItsResultOnly(t *testing.T) {
	checkAllocations(t, 0, codec.Bool[bool](), true)
	checkAllocations(t, 0, codec.Int[int64](), -1<<40)
	checkAllocations(t, 0, codec.Uint[uint64](), 1<<63)
	checkAllocations(t, 0, codec.Float[float64](), 0.1)
	checkAllocations(t, 0, codec.Complex[complex128](), complex(1, 2))
	checkAllocations(t, 0, codec.Time(), example().Time)
	checkAllocations(t, 0, codec.String[string](), "a string, which is a part of what was read")
	checkAllocations(t, 1, codec.Bytes[[]byte](), []byte("some bytes"))
	checkAllocations(t, 1, codec.Pointer(codec.Int[int]()), new(int))
}

func checkAllocations[T any](t *testing.T, want float64, c runtime.Codec[T], v T) {
	t.Helper()
	for _, f := range formats {
		b := encode(t, c, f, v)
		if got := testing.AllocsPerRun(100, func() { _, _, _ = c.Read(b, f) }); got != want {
			t.Errorf("%v: reading %v allocates %v times, want %v", f, v, got, want)
		}
		space := make([]byte, 0, 2*len(b)+16)
		if got := testing.AllocsPerRun(100, func() { _, _ = c.Append(space, f, v) }); got != 0 {
			t.Errorf("%v: writing %v allocates %v times", f, fmt.Sprint(v), got)
		}
	}
}
