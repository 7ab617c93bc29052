package runtime

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// What a record has of the device that its session is bound to: two entries, under
// keys that no field can have. They are changed on condition that they are still what
// was seen, and by nothing else. Times are the store's, as the end of a bound token is.
const (
	boundEntry  = "@bound"  // the hash of the last bound cookie; none: no key is registered
	deviceEntry = "@device" // all else, see binding.form
)

// A boundToken is what the bound cookie carries: its end, in milliseconds since 1970,
// and random bytes. Only its hash is stored, so nobody can move the end.
type boundToken [33]byte

const boundTokenLength = len(boundToken{}) * 4 / 3

func newBoundToken(end time.Time) (t boundToken) {
	binary.BigEndian.PutUint64(t[:], uint64(end.UnixMilli()))
	rand.Read(t[8:])
	return t
}

func parseBoundToken(text string) (t boundToken, ok bool) {
	if len(text) != boundTokenLength {
		return t, false
	}
	_, err := base64.RawURLEncoding.Decode(t[:], []byte(text))
	return t, err == nil
}

func (t boundToken) text() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

func (t boundToken) end() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(t[:])))
}

// A boundHash is what is stored of a bound token.
type boundHash [sha256.Size]byte

func (t boundToken) hash(kind string) boundHash {
	var space [128]byte
	b := append(space[:0], kind...)
	b = append(b, " bound\x00"...)
	return sha256.Sum256(append(b, t[:]...))
}

// A challenge is what a browser has to sign. It is answered once.
type challenge [24]byte

func newChallenge() (c challenge) {
	rand.Read(c[:])
	return c
}

func (c challenge) text() string { return base64.RawURLEncoding.EncodeToString(c[:]) }

// A binding is what a record says of the device. The zero value says nothing.
type binding struct {
	cookie     boundHash // of the last bound cookie
	previous   boundHash // of the one that the browser had at the refresh
	demanded   time.Time // from when on a request has to bring a bound cookie; zero: the browser has shown none yet
	challenge  challenge // to be signed next
	challenged time.Time // when that was made
	key        string    // public key of the device, PKIX; empty: none is registered
}

const (
	bindingVersion = 1
	bindingHead    = 1 + 8 + 8 + len(challenge{}) + len(boundHash{})
)

// registered reports whether a device has registered its key.
func (b *binding) registered() bool { return b.key != "" }

// knows reports whether the cookie is one that the browser may have.
func (b *binding) knows(h boundHash) bool { return h == b.cookie || h == b.previous }

// demands reports whether a request that arrived then has to bring a bound cookie.
func (b *binding) demands(arrived time.Time) bool {
	return b.registered() && !b.demanded.IsZero() && !arrived.Before(b.demanded)
}

// shown takes note, at the first time, that the browser has its bound cookie. It had
// sent requests without one until the answer to its registration came, and they may
// still arrive: that they may for the grace after that answer was given.
func (b *binding) shown(now time.Time, grace time.Duration) {
	if b.demanded.IsZero() {
		b.demanded = latest(now, b.challenged.Add(grace))
	}
}

// form returns the value of the device entry.
func (b *binding) form(f Format) string {
	form := make([]byte, 0, bindingHead+len(b.key))
	form = append(form, bindingVersion)
	for _, t := range []time.Time{b.demanded, b.challenged} {
		form = binary.BigEndian.AppendUint64(form, uint64(millis(t)))
	}
	form = append(form, b.challenge[:]...)
	form = append(form, b.previous[:]...)
	return bytesForm(f, append(form, b.key...))
}

// readBinding returns what the entries say of the device. What nobody can read
// demands a cookie that nobody has: a sign-in begins another session.
func readBinding(f Format, e Entries) (b binding) {
	if cookie, found := e.Get(boundEntry); found {
		hash, ok := formBytes(f, cookie.Value)
		if !ok || len(hash) != len(b.cookie) {
			return unreadable
		}
		b.cookie = boundHash(hash)
	}
	device, found := e.Get(deviceEntry)
	if !found {
		return b
	}
	form, ok := formBytes(f, device.Value)
	if !ok || len(form) < bindingHead || form[0] != bindingVersion {
		return unreadable
	}
	b.demanded, form = readMillis(form[1:])
	b.challenged, form = readMillis(form)
	form = form[copy(b.challenge[:], form):]
	form = form[copy(b.previous[:], form):]
	b.key = string(form)
	return b
}

var unreadable = binding{key: "unreadable", demanded: time.UnixMilli(1)}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func readMillis(b []byte) (time.Time, []byte) {
	n := int64(binary.BigEndian.Uint64(b))
	if n == 0 {
		return time.Time{}, b[8:]
	}
	return time.UnixMilli(n), b[8:]
}

// ifSame is the condition that an entry is still what was seen of it.
func ifSame(e Entries, key string) *Condition {
	entry, found := e.Get(key)
	return &Condition{Absent: !found, Value: entry.Value}
}

// replaceDevice is the operation by which the binding takes the place of what the
// entries have.
func (b *binding) replaceDevice(f Format, e Entries) Op {
	return Op{Kind: OpSet, Entry: Entry{Key: deviceEntry, Value: b.form(f)}, If: ifSame(e, deviceEntry)}
}

// replaceCookie is the same of the bound cookie's hash.
func (b *binding) replaceCookie(f Format, e Entries) Op {
	return Op{Kind: OpSet, Entry: Entry{Key: boundEntry, Value: bytesForm(f, b.cookie[:])}, If: ifSame(e, boundEntry)}
}
