package codectest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
	"github.com/duckgen/duckgen/runtime/codec/codectest"
)

// A recorder notes what a test would have failed with.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestWhatIsStoredAsBeforePasses(t *testing.T) {
	codectest.Stored(t, "views", codec.Int[int64](), 100000, "\xd2\x00\x01\x86\xa0", "100000")
	codectest.Key(t, "cart", codec.IntKey[int8](), -7, "-7")
}

func TestAnotherFormFails(t *testing.T) {
	for name, c := range map[string]struct {
		check func(r *recorder)
		want  []string
	}{
		"written otherwise": {func(r *recorder) { codectest.Stored(r, "a", codec.Int[int](), 2, "\x01", "2") },
			[]string{`a in MessagePack is written as "\x02", and was as "\x01"`}},
		"not read": {func(r *recorder) { codectest.Stored(r, "a", codec.String[string](), "x", "\xa1x", "7") },
			[]string{`a in JSON is written as`, "a in JSON: what was written is not read"}},
		"read with a rest": {func(r *recorder) { codectest.Stored(r, "a", codec.Bool[bool](), true, "\xc3", "true1") },
			[]string{"is written as", `"1" is left over`, "is read as what is written as"}},
		"read otherwise": {func(r *recorder) { codectest.Stored(r, "a", codec.Float[float64](), 1.5, "\xca?\xc0\x00\x00", "1.50") },
			[]string{"is written as", `"1.50" was written, and is read as what is written as "1.5"`}},
		"another key": {func(r *recorder) { codectest.Key(r, "m", codec.StringKey[string](), "a", "b") },
			[]string{`is written as "a", and was as "b"`, "is read as b", `is written as "a"`, "is read as b"}},
	} {
		var r recorder
		c.check(&r)
		if len(r.errors) != len(c.want) {
			t.Errorf("%s: %q", name, r.errors)
			continue
		}
		for i, part := range c.want {
			if !strings.Contains(r.errors[i], part) {
				t.Errorf("%s: %q does not say %q", name, r.errors[i], part)
			}
		}
	}
}

// failing is a codec of a type that refuses to be marshalled.
type failing struct{ runtime.Codec[int] }

func (failing) Append([]byte, runtime.Format, int) ([]byte, error) { return nil, fmt.Errorf("refused") }

func TestAValueThatIsNotWrittenFails(t *testing.T) {
	var r recorder
	codectest.Stored(&r, "a", failing{codec.Int[int]()}, 1, "\x01", "1")
	if len(r.errors) != 4 || r.errors[0] != "a in MessagePack is not written: refused" {
		t.Errorf("%q", r.errors)
	}
}
