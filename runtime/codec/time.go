package codec

import (
	"bytes"
	"strconv"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/tinylib/msgp/msgp"
)

// Time returns the codec of instants. Every time is read as the same instant, to
// the nanosecond, in UTC and without the monotonic clock; the zero time is read
// as time.Time{}.
func Time() runtime.Codec[time.Time] { return timeCodec{} }

type timeCodec struct{}

func (timeCodec) Append(b []byte, f runtime.Format, v time.Time) ([]byte, error) {
	if f == runtime.JSON {
		return appendJSONTime(b, v.UTC()), nil
	}
	return msgp.AppendTimeExt(b, v), nil
}

func (timeCodec) Read(b []byte, f runtime.Format) (time.Time, []byte, error) {
	if f == runtime.JSON {
		return readJSONTime(b)
	}
	if overlong(b) {
		return time.Time{}, nil, unread(b, "a time", msgp.ErrShortBytes)
	}
	v, rest, err := msgp.ReadTimeUTCBytes(b)
	if err != nil {
		return time.Time{}, nil, unread(b, "a time", err)
	}
	return v, rest, nil
}

func (timeCodec) zero(v time.Time) bool { return v.IsZero() }

func appendJSONTime(b []byte, v time.Time) []byte {
	b = append(b, '"')
	if year := v.Year(); 0 <= year && year <= 9999 {
		b = v.AppendFormat(b, time.RFC3339Nano)
	} else {
		b = appendUnix(b, v)
	}
	return append(b, '"')
}

func readJSONTime(b []byte) (time.Time, []byte, error) {
	const want = "a string with a time (RFC 3339)"
	text, rest, err := readQuoted(b)
	if err != nil {
		return time.Time{}, nil, unexpected(b, want)
	}
	if v, ok := parseUnix(text); ok {
		return v, rest, nil
	}
	var v time.Time
	if v.UnmarshalText(text) != nil {
		return time.Time{}, nil, mismatch(want, "another string")
	}
	return v.UTC(), rest, nil
}

// appendUnix spells a time that RFC 3339 cannot, as "@seconds.nanoseconds".
func appendUnix(b []byte, v time.Time) []byte {
	b = append(b, '@')
	b = strconv.AppendInt(b, v.Unix(), 10)
	b = append(b, '.')
	return strconv.AppendInt(b, int64(v.Nanosecond()), 10)
}

func parseUnix(text []byte) (v time.Time, ok bool) {
	text, ok = bytes.CutPrefix(text, []byte("@"))
	seconds, nanoseconds, found := bytes.Cut(text, []byte("."))
	if !ok || !found {
		return time.Time{}, false
	}
	s, err := strconv.ParseInt(string(seconds), 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	ns, err := strconv.ParseUint(string(nanoseconds), 10, 32)
	if err != nil || ns >= uint64(time.Second) {
		return time.Time{}, false
	}
	return time.Unix(s, int64(ns)).UTC(), true
}
