// Package codectest holds codecs to the stored form that values had before. The
// tests that duckgen -tests writes call it.
package codectest

import (
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// Stored checks that a value of a field is written as the given bytes in each
// format, and that these are read as a value with the same encoding.
func Stored[T any](t testing.TB, field string, codec runtime.Codec[T], value T, messagePack, json string) {
	t.Helper()
	stored(t, field+" in MessagePack", codec, runtime.MessagePack, value, messagePack)
	stored(t, field+" in JSON", codec, runtime.JSON, value, json)
}

func stored[T any](t testing.TB, what string, codec runtime.Codec[T], f runtime.Format, value T, want string) {
	t.Helper()
	got, err := codec.Append(nil, f, value)
	switch {
	case err != nil:
		t.Errorf("%s is not written: %v", what, err)
	case string(got) != want:
		t.Errorf("%s is written as %q, and was as %q", what, got, want)
	}
	read, rest, err := codec.Read([]byte(want), f)
	switch {
	case err != nil:
		t.Errorf("%s: what was written is not read: %v", what, err)
		return
	case len(rest) > 0:
		t.Errorf("%s: of what was written %q is left over", what, rest)
	}
	if again, err := codec.Append(nil, f, read); err != nil || string(again) != want {
		t.Errorf("%s: %q was written, and is read as what is written as %q (%v)", what, want, again, err)
	}
}

// Key checks that the key of a map's entry is written as the given text, in
// every format, and read as the same key.
func Key[K comparable](t testing.TB, field string, keys runtime.KeyCodec[K], key K, want string) {
	t.Helper()
	for _, f := range []runtime.Format{runtime.MessagePack, runtime.JSON} {
		if got := keys.Text(f, key); got != want {
			t.Errorf("a key of %s is written as %q, and was as %q", field, got, want)
		}
		if read, err := keys.Parse(f, want); err != nil || read != key {
			t.Errorf("a key of %s: %q was written, and is read as %v (%v)", field, want, read, err)
		}
	}
}
