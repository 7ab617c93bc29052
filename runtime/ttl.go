package runtime

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"
)

// How a value of a field with a TTL is stored: together with the time at which it
// ends. In MessagePack that is an array of two elements, an int64 of nanoseconds
// since 1970 and the value; in JSON an object, so that the value can be queried:
//
//	{"ends": "2026-11-01T12:10:00.123456789Z", "value": "…"}

const endingHead = 10 // bytes of MessagePack before the value

var errEnding = errors.New("a value without its end, or the reverse")

// withEnd returns the stored form of a value that ends then.
func withEnd(f Format, ends int64, value string) string {
	if f == JSON {
		return `{"ends":"` + time.Unix(0, ends).UTC().Format(time.RFC3339Nano) + `","value":` + value + `}`
	}
	b := make([]byte, 0, endingHead+len(value))
	b = append(b, 0x92, 0xd3)
	b = binary.BigEndian.AppendUint64(b, uint64(ends))
	return byteString(append(b, value...))
}

// splitEnd takes the stored form apart.
func splitEnd(f Format, stored string) (ends int64, value string, err error) {
	if f == JSON {
		return splitObject(stored)
	}
	if len(stored) < endingHead || stored[0] != 0x92 || stored[1] != 0xd3 {
		return 0, "", errEnding
	}
	return int64(binary.BigEndian.Uint64(stringBytes(stored[2:endingHead]))), stored[endingHead:], nil
}

func splitObject(stored string) (ends int64, value string, err error) {
	var parts struct {
		Ends  time.Time       `json:"ends"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(stringBytes(stored), &parts); err != nil || parts.Ends.IsZero() || parts.Value == nil {
		return 0, "", errEnding
	}
	return parts.Ends.UnixNano(), byteString(parts.Value), nil
}
