//go:build !race

package codec_test

import (
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// With the race detector more is allocated, so it has no place here.

func TestWhatIsEmptyAllocatesASmallMultiple(t *testing.T) {
	const n = 10_000
	members := map[runtime.Format][]string{
		runtime.MessagePack: {"\x80", "\x90", "\x91\x80", "\x92\x80\x80", "\x81\xa1k\x80", "\x81\xa2At\x80", "\x81\xa4List\x91\x80", "\x81\xa3Map\x81\xa1k\x80"},
		runtime.JSON:        {"{}", "[]", "[{}]", "[{},{}]", `{"k":{}}`, `{"At":{}}`, `{"List":[{}]}`, `{"Map":{"k":{}}}`},
	}
	for f, members := range members {
		for _, member := range members {
			count := n / len(member)
			checkRoom(t, f, listOf(f, member, count))
			checkRoom(t, f, mapOf(f, member, count))
		}
	}
}

// checkRoom reads bytes that each codec either refuses or takes with little memory.
// What doubles while it grows leaves as much behind.
func checkRoom(t *testing.T, f runtime.Format, b []byte) {
	t.Helper()
	for _, s := range spacious {
		if n, most := allocated(func() { _ = s.read(f, b) }), uint64(4*(64*len(b)+64<<10)); n > most {
			t.Errorf("%s, %v: %.20q of %d bytes allocates %d, more than %d", s.name, f, b, len(b), n, most)
		}
	}
}
