package lively

import (
	"errors"
	"html/template"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

func pack(t testing.TB, v any) []byte {
	t.Helper()
	b, err := msgp.AppendIntf(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFramesOfThePage(t *testing.T) {
	for name, x := range map[string]struct {
		frame []any
		want  any
	}{
		"event": {[]any{100, "r", "c", "e", nil, true}, Event{Root: "r", Component: "c", Name: "e", Document: true}},
		"event with a value": {[]any{100, "", "", "e", []any{int64(-1), uint64(1 << 63), 1.5, "x", []byte{1}, false}, false},
			Event{Name: "e", Value: []any{int64(-1), uint64(1 << 63), 1.5, "x", []byte{1}, false}}},
		"small unsigned":   {[]any{100, "", "", "e", uint64(200), false}, Event{Name: "e", Value: int64(200)}},
		"result":           {[]any{111, map[string]any{"a": "b"}, nil, "7"}, result{value: map[string]any{"a": "b"}, uid: "7"}},
		"fault":            {[]any{111, nil, "Error: x", "7"}, result{fault: "Error: x", uid: "7"}},
		"navigation":       {[]any{120, "p", "n", "/x", map[string]any{"h": "v"}}, Navigation{"p", "n", "/x", map[string]string{"h": "v"}}},
		"first navigation": {[]any{120, nil, nil, "/x", nil}, Navigation{Path: "/x"}},
	} {
		got, err := decodeFrame(pack(t, x.frame), 100)
		if err != nil || !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: %#v, %v, want %#v", name, got, err, x.want)
		}
	}
}

func TestMalformedFrames(t *testing.T) {
	deep := any("x")
	for range maxDepth + 1 {
		deep = []any{deep}
	}
	whole := pack(t, []any{100, "r", "c", "e", map[string]any{"k": "v"}, true})
	bad := map[string][]byte{
		"empty":             {},
		"an empty array":    {0x90},
		"an opcode of text": pack(t, []any{"100"}),
		"too few elements":  pack(t, []any{100, "r"}),
		"too many elements": pack(t, []any{100, "r", "c", "e", nil, true, 1}),
		"another type":      pack(t, []any{100, 1, "c", "e", nil, true}),
		"deep nesting":      pack(t, []any{100, "r", "c", "e", deep, true}),
		"bytes behind":      append(whole[:len(whole):len(whole)], 0),
		"no UTF-8":          {0x96, 100, 0xa1, 0xff, 0xa0, 0xa0, 0xc0, 0xc2},
		"an extension":      {0x96, 100, 0xa0, 0xa0, 0xa0, 0xd4, 1, 0, 0xc2},
		"a huge array":      {0xdd, 0xff, 0xff, 0xff, 0xff, 100},
		"a huge map":        {0x96, 100, 0xa0, 0xa0, 0xa0, 0xdf, 0xff, 0xff, 0xff, 0xff},
		"huge text":         {0x96, 100, 0xdb, 0xff, 0xff, 0xff, 0xff},
		"keys of numbers":   {0x96, 100, 0xa0, 0xa0, 0xa0, 0x81, 1, 1, 0xc2},
	}
	for n := range whole {
		bad["cut at "+strings.Repeat("i", n)] = whole[:n]
	}
	for name, b := range bad {
		_, err := decodeFrame(b, 4096)
		var fault *frameError
		if !errors.As(err, &fault) || fault.code != 1007 || len(fault.reason) > 123 {
			t.Errorf("%s: %v, want that it is malformed, in a close frame's 123 bytes", name, err)
		}
	}
}

func TestPatchesOnTheWire(t *testing.T) {
	node := Node{Tag: "li", Key: "k", Attributes: map[string]string{"b": "2", "a": "1"}, Text: "x", Children: []Node{{Tag: "b"}}}
	asSent := []any{"li", "k", map[string]any{"a": "1", "b": "2"}, map[string]any{}, "x",
		[]any{[]any{"b", nil, map[string]any{}, map[string]any{}, nil, []any{}}}}
	for name, x := range map[string]struct {
		patch Patch
		want  []any
	}{
		"replace":      {Replace("e", node), []any{int64(0), "e", asSent}},
		"replace HTML": {ReplaceHTML("e", template.HTML("<p>")), []any{int64(0), "e", []any{"<p>"}}},
		"remove":       {Remove("e"), []any{int64(1), "e"}},
		"insert":       {Insert("e", 3, node), []any{int64(2), "e", []any{int64(3), asSent}}},
		"text":         {Text("e", "<p>"), []any{int64(3), "e", "<p>"}},
		"HTML":         {HTML("e", template.HTML("<p>")), []any{int64(3), "e", []any{"<p>"}}},
		"attributes":   {Attributes("e", map[string]string{"a": "1"}), []any{int64(4), "e", map[string]any{"a": "1"}}},
		"style":        {Style("e", nil), []any{int64(5), "e", map[string]any{}}},
	} {
		got, rest, err := msgp.ReadIntfBytes(encodePatches(own{}, []Patch{x.patch}))
		want := []any{int64(1), []any{x.want}}
		if err != nil || len(rest) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
	}
}

// FuzzDecodeFrame demands that no frame panics, that the ones that are accepted
// are of a known kind, and that memory is bounded by the size of the frame.
func FuzzDecodeFrame(f *testing.F) {
	f.Add(pack(f, []any{100, "r", "c", "e", map[string]any{"k": []any{1, "v", nil, 1.5}}, true}))
	f.Add(pack(f, []any{111, "value", nil, "uid"}))
	f.Add(pack(f, []any{120, nil, "n", "/path", map[string]any{"h": "v"}}))
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		frame, err := decodeFrame(b, 4096)
		runtime.ReadMemStats(&after)
		// A byte of the frame can become an element of 16 bytes, or an empty map.
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(64<<10+128*len(b)); got > most {
			t.Errorf("a frame of %d bytes allocates %d, more than %d", len(b), got, most)
		}
		var fault *frameError
		if err != nil {
			if !errors.As(err, &fault) || len(fault.reason) > 123 {
				t.Errorf("error %v", err)
			}
			return
		}
		switch frame.(type) {
		case Event, Navigation, result:
		default:
			t.Errorf("frame of type %T", frame)
		}
	})
}

func TestAValueMayBeNestedUpToTheLimit(t *testing.T) {
	list, object := any("x"), any("x")
	for range maxDepth {
		list, object = []any{list}, map[string]any{"k": object}
	}
	for _, value := range []any{list, object} {
		got, err := decodeFrame(pack(t, []any{100, "", "", "e", value, false}), 100)
		if want := (Event{Name: "e", Value: value}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
}

func TestAFieldIsTheFirstTextOfItsName(t *testing.T) {
	for name, x := range map[string]struct {
		value any
		want  string
	}{
		"one":             {map[string]any{"f": "a"}, "a"},
		"several":         {map[string]any{"f": []any{"a", "b"}}, "a"},
		"one in a list":   {map[string]any{"f": []any{"a"}}, "a"},
		"an empty list":   {map[string]any{"f": []any{}}, ""},
		"a list of other": {map[string]any{"f": []any{int64(1), "b"}}, ""},
		"no text":         {map[string]any{"f": int64(1)}, ""},
		"another field":   {map[string]any{"g": "a"}, ""},
		"no form":         {"a", ""},
	} {
		if got := (Event{Value: x.value}).Field("f"); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}
