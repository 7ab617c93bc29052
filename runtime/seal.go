package runtime

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// A sealed value is a version, the id of the key, and what AES-256-GCM with a
// random nonce makes of the value (ASVS 5.0, 11.3.2). There is one way to open
// it and no fallback.
const (
	sealVersion = 1
	sealHeader  = 1 + 4
	sealPurpose = "duckgen session field"
)

var errSealed = errors.New("sealed value does not open: wrong key, or not the field it was sealed for")

// A sealer seals and opens the values of one session's secret fields. Without a
// key ring, in tests of handlers, values stay as they are.
type sealer struct {
	ring *keyRing
	id   *ID // the session's, which changes when it begins anew
}

func (s sealer) seal(f Format, entry, value string) string {
	if s.ring == nil {
		return value
	}
	return s.ring.seal(association{s.ring.kind, *s.id, entry}, f, value)
}

func (s sealer) open(f Format, entry, value string) (string, error) {
	if s.ring == nil {
		return value, nil
	}
	return s.ring.open(association{s.ring.kind, *s.id, entry}, f, value)
}

// keyRing holds the keys for the secret fields of one kind of session.
type keyRing struct {
	kind string
	keys []ringKey // the first seals
}

type ringKey struct {
	id   [4]byte
	aead cipher.AEAD
}

func newKeyRing(kind string, keys [][]byte) (*keyRing, error) {
	ring := &keyRing{kind: kind}
	for i, master := range keys {
		key, err := newRingKey(master)
		if err != nil {
			return nil, fmt.Errorf("key %d of Config.Keys: %w", i, err)
		}
		ring.keys = append(ring.keys, key)
	}
	return ring, nil
}

func newRingKey(master []byte) (key ringKey, err error) {
	subkey, err := hkdf.Key(sha256.New, master, nil, sealPurpose, 32)
	if err != nil {
		return key, err
	}
	block, err := aes.NewCipher(subkey)
	if err != nil {
		return key, err
	}
	key.aead, err = cipher.NewGCMWithRandomNonce(block)
	sum := sha256.Sum256(subkey)
	copy(key.id[:], sum[:])
	return key, err
}

// association is where a sealed value belongs: it opens nowhere else.
type association struct {
	kind  string
	id    ID
	entry string
}

func (p association) data() []byte {
	b := append([]byte(nil), sealPurpose...)
	for _, part := range []string{p.kind, string(p.id[:]), p.entry} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

func (r *keyRing) seal(p association, f Format, value string) string {
	key := r.keys[0]
	b := append([]byte{sealVersion}, key.id[:]...)
	b = key.aead.Seal(b, nil, []byte(value), p.data())
	return bytesForm(f, b)
}

func (r *keyRing) open(p association, f Format, sealed string) (string, error) {
	b, ok := formBytes(f, sealed)
	if !ok || len(b) < sealHeader || b[0] != sealVersion {
		return "", errSealed
	}
	id := [4]byte(b[1:sealHeader])
	for _, key := range r.keys {
		if key.id != id {
			continue
		}
		value, err := key.aead.Open(nil, nil, b[sealHeader:], p.data())
		if err != nil {
			return "", errSealed
		}
		return string(value), nil
	}
	return "", errSealed
}
