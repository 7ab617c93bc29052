package codec_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
	"github.com/google/go-cmp/cmp"
)

// Inner as it was when it had B only, and as it will be.
type (
	older struct{ B string }
	newer struct {
		New Everything
		Inner
		Last map[int8]Everything
	}
)

var (
	olderCodec = codec.Struct(
		codec.Member("B", codec.String[string](), func(v *older) *string { return &v.B }),
	)
	newerCodec = codec.Struct(
		codec.Member("New", everythingCodec, func(v *newer) *Everything { return &v.New }),
		codec.Member("B", codec.String[string](), func(v *newer) *string { return &v.B }),
		codec.Member("Last", codec.Map[map[int8]Everything](codec.IntKey[int8](), everythingCodec), func(v *newer) *map[int8]Everything { return &v.Last }),
		codec.Member("A", codec.Int[int](), func(v *newer) *int { return &v.A }),
	)
)

func TestUnknownMembersAreSkippedAndMissingOnesAreZero(t *testing.T) {
	full := newer{New: example(), Inner: Inner{A: 1, B: "b"}, Last: map[int8]Everything{3: example()}}
	for _, f := range formats {
		b := encode(t, newerCodec, f, full)
		if got := decode(t, olderCodec, f, b); got != (older{"b"}) {
			t.Errorf("%v: the older reader gets %v", f, got)
		}
		got := decode(t, innerCodec, f, encode(t, olderCodec, f, older{"b"}))
		if diff := cmp.Diff(Inner{B: "b"}, got); diff != "" {
			t.Errorf("%v: the newer reader gets another value:\n%s", f, diff)
		}
	}
}

func TestAddingAZeroMemberDoesNotChangeTheEncoding(t *testing.T) {
	for _, f := range formats {
		old, now := encode(t, olderCodec, f, older{"b"}), encode(t, innerCodec, f, Inner{B: "b"})
		if !bytes.Equal(old, now) {
			t.Errorf("%v: %q has become %q", f, old, now)
		}
	}
}

func TestOfDuplicatesTheLastOneCounts(t *testing.T) {
	want := Inner{A: 2, B: "last"}
	fitsInner := func(f runtime.Format, stored string) {
		t.Helper()
		if diff := cmp.Diff(want, decode(t, innerCodec, f, []byte(stored))); diff != "" {
			t.Errorf("%v: got another value:\n%s", f, diff)
		}
	}
	fitsInner(runtime.JSON, `{"C":[null],"A":1,"B":"first","A":2,"B":"last","C":[]}`)
	fitsInner(runtime.MessagePack, "\x86\xa1C\x91\xc0\xa1A\x01\xa1B\xa5first\xa1A\x02\xa1B\xa4last\xa1C\x90")

	c := codec.Map[map[string]Inner](codec.StringKey[string](), innerCodec)
	got := decode(t, c, runtime.JSON, []byte(`{"k":{"A":1},"l":{},"k":{"B":"last","A":2}}`))
	if diff := cmp.Diff(map[string]Inner{"k": want, "l": {}}, got); diff != "" {
		t.Errorf("of duplicate keys another one counts:\n%s", diff)
	}

	nested := codec.Struct(codec.Member("I", innerCodec, func(v *struct{ I Inner }) *Inner { return &v.I }))
	twice := decode(t, nested, runtime.JSON, []byte(`{"I":{"A":1,"C":[null]},"I":{"B":"last","A":2}}`))
	if diff := cmp.Diff(want, twice.I); diff != "" {
		t.Errorf("the first duplicate shines through:\n%s", diff)
	}
}

func TestMembersMayBeSpelledWithEscapes(t *testing.T) {
	got := decode(t, innerCodec, runtime.JSON, []byte(`{"\u0041":7}`))
	if got.A != 7 {
		t.Errorf("got %v", got)
	}
}

func TestHeadersOfLargeStructsHaveTheirShortestForm(t *testing.T) {
	c := everythingCodec
	for _, v := range []Everything{{}, {Int: 1}, example()} {
		b := encode(t, c, runtime.MessagePack, v)
		got := decode(t, c, runtime.MessagePack, b)
		if diff := cmp.Diff(v, got, sameValue); diff != "" {
			t.Errorf("it comes back as another value:\n%s", diff)
		}
	}
	// What marshals itself is always written: Address, Text and Binary.
	if got := encode(t, c, runtime.MessagePack, Everything{Int: 1}); got[0] != 0x84 || got[1] != 0xa3 {
		t.Errorf("a map of four members begins with %x", got[:2])
	}
	if got := encode(t, c, runtime.MessagePack, example()); !strings.HasPrefix(string(got), "\xde\x00\x25") {
		t.Errorf("a map of 37 members begins with %x", got[:3])
	}
}

func TestArraysNeedExactlyTheirLength(t *testing.T) {
	slice := codec.Slice[[]float32](codec.Float[float32]())
	for _, f := range formats {
		for _, elems := range [][]float32{{}, {1, 2}, {1, 2, 3, 4}} {
			fitsNot(t, vectorCodec, f, encode(t, slice, f, elems))
			fitsNot(t, codec.Complex[complex64](), f, encode(t, slice, f, append(elems, 0, 0, 0)))
		}
		fits(t, vectorCodec, f, encode(t, slice, f, []float32{1, 2, 3}), Vector{1, 2, 3})
		fitsNot(t, codec.Complex[complex64](), f, encode(t, slice, f, []float32{1}))
		fitsNot(t, codec.Array(codec.Int[int](), func(a *[0]int) []int { return a[:] }), f, encode(t, slice, f, []float32{1}))
	}
}

func TestAStructReadOverAnotherOneLeavesNothingOfIt(t *testing.T) {
	c := codec.Slice[[]Inner](innerCodec)
	for _, f := range formats {
		b := encode(t, c, f, []Inner{{A: 1, B: "b"}, {}, {A: 3}})
		got := decode(t, c, f, b)
		if diff := cmp.Diff([]Inner{{A: 1, B: "b"}, {}, {A: 3}}, got); diff != "" {
			t.Errorf("%v: it comes back as another value:\n%s", f, diff)
		}
	}
}

// renamed is Inner with a member whose name has changed.
type renamed struct {
	Number int
	B      string
}

var renamedCodec = codec.Struct(
	codec.Member("number", codec.Int[int](), func(v *renamed) *int { return &v.Number }).Was("A"),
	codec.Member("B", codec.String[string](), func(v *renamed) *string { return &v.B }),
)

func TestARenamedMemberReadsWhatIsStoredUnderItsEarlierName(t *testing.T) {
	for _, f := range formats {
		earlier := encode(t, innerCodec, f, Inner{A: 7, B: "b"})
		if got := decode(t, renamedCodec, f, earlier); got != (renamed{7, "b"}) {
			t.Errorf("%v: %q is read as %v", f, earlier, got)
		}
		now := encode(t, renamedCodec, f, renamed{7, "b"})
		if got := decode(t, renamedCodec, f, now); got != (renamed{7, "b"}) {
			t.Errorf("%v: %q is read as %v", f, now, got)
		}
		if got := decode(t, innerCodec, f, now); got.A != 0 || got.B != "b" {
			t.Errorf("%v: an earlier program reads %q as %v", f, now, got)
		}
	}
	if got := string(encode(t, renamedCodec, runtime.JSON, renamed{Number: 7})); got != `{"number":7}` {
		t.Errorf("it is written as %s", got)
	}
}

func TestTheOwnNameOfAMemberCountsBeforeItsEarlierOne(t *testing.T) {
	for _, stored := range []string{
		`{"number":7,"A":8}`, `{"A":8,"number":7}`, `{"number":9,"A":8,"number":7}`, `{"A":8,"A":9,"number":7}`,
	} {
		if got := decode(t, renamedCodec, runtime.JSON, []byte(stored)); got.Number != 7 {
			t.Errorf("%s is read as %v", stored, got)
		}
	}
	if got := decode(t, renamedCodec, runtime.JSON, []byte(`{"number":0,"A":8}`)); got.Number != 0 {
		t.Errorf("a zero under the own name is read as %v", got)
	}
	if got := decode(t, renamedCodec, runtime.JSON, []byte(`{"A":7,"A":8}`)); got.Number != 8 {
		t.Errorf("of two values under the earlier name, %v counts", got)
	}
}
