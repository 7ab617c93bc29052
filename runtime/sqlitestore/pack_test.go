package sqlitestore

import "testing"

func TestANumberThatIsCutShortOrTooLongIsDamage(t *testing.T) {
	for _, b := range []string{"", "\x80", "\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		for name, read := range map[string]func(u *unpacker){
			"uvarint": func(u *unpacker) { u.uvarint() }, "varint": func(u *unpacker) { u.varint() },
		} {
			u := &unpacker{rest: []byte(b)}
			if read(u); !u.damaged {
				t.Errorf("%s reads %q as a number", name, b)
			}
		}
	}
}
