package codec_test

import (
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// FuzzRead reads any bytes with any codec. The seeds in testdata are read by
// every run of the tests.
func FuzzRead(f *testing.F) {
	for _, format := range formats {
		for i, s := range subjects {
			if s.name == "everything" {
				f.Add(uint8(i), format == runtime.JSON, encode(f, everythingCodec, format, example()))
			}
		}
	}
	f.Fuzz(func(t *testing.T, choice uint8, asJSON bool, b []byte) {
		s, format := subjects[int(choice)%len(subjects)], runtime.MessagePack
		if asJSON {
			format = runtime.JSON
		}
		if n := allocated(func() { s.read(format, b) }); n > allowed(len(b)) {
			t.Errorf("%s, %v: %d bytes allocate %d", s.name, format, len(b), n)
		}
		checkReread(t, s, format, b)
	})
}

// FuzzKey parses any text as a key: of each key there is one text.
func FuzzKey(f *testing.F) {
	for _, text := range []string{"", "sku-1", "\x7f00", "\x7f41", "-1", "01", "18446744073709551615"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range formats {
			checkOneText(t, stringKeys, format, text)
			checkOneText(t, intKeys, format, text)
			checkOneText(t, uintKeys, format, text)
		}
	})
}
