package runtime

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
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

// lasts reports whether a value has not ended yet. One without an end always lasts.
// Ends are judged by the millisecond, as those of sessions are; what is finer tells
// which of several elements is the oldest.
func (d *draft) lasts(ends int64) bool {
	return ends == 0 || d.clock.read().UnixMilli() < ends/int64(time.Millisecond)
}

// endOf returns when a value ends that the field is given now.
func (d *draft) endOf(f *Field) int64 {
	if f.TTL == 0 {
		return 0
	}
	return d.clock.read().Add(f.TTL).UnixNano()
}

// ended reports whether the time of an entry's value is over: it is absent.
func (d *draft) ended(f *Field, e Entry) bool {
	if f.TTL == 0 {
		return false
	}
	opened, err := d.open(f, e)
	return err == nil && !d.lasts(opened.ends)
}

// endedElements returns which stored elements of a map have ended, by the texts of
// their keys.
func (d *draft) endedElements(f *Field) (texts []string) {
	if f.TTL == 0 || d.stored == nil {
		return nil
	}
	for e := range d.stored.Entries.elements(f.elements).all() {
		if d.ended(f, e) {
			texts = append(texts, e.Key[len(f.elements):])
		}
	}
	for _, e := range d.earlierElements(f) {
		if d.ended(f, e) {
			texts = append(texts, e.Key[len(f.wasElements):])
		}
	}
	return texts
}

// dropsOldest reports whether a map makes room by itself.
func (f *Field) dropsOldest() bool { return f.mapped && f.TTL > 0 && f.Max > 0 }

// crowdedOut sorts the elements by their ends, and returns the oldest ones, for which
// there is no room.
func (f *Field) crowdedOut(list []element) []element {
	if !f.dropsOldest() || len(list) <= f.Max {
		return nil
	}
	slices.SortFunc(list, func(a, b element) int {
		return cmp.Or(cmp.Compare(a.ends, b.ends), strings.Compare(a.text, b.text))
	})
	return list[:len(list)-f.Max]
}

// tidies reports whether what is pending of a map also removes stored elements that
// have ended or for which there is no room.
func (p *pending) tidies() bool {
	return p.field.mapped && p.field.TTL > 0 && !p.cleared && p.changes()
}

// appendTidying removes the elements that have ended and those that are crowded out,
// and returns those of which what is pending is not stored either: it is crowded out,
// or has ended, too.
func (d *draft) appendTidying(list []Op, p *pending) (_ []Op, gone []string) {
	f := p.field
	if f.TTL == 0 || !p.changes() {
		return list, nil
	}
	for _, e := range f.crowdedOut(d.allElements(f)) {
		gone = append(gone, e.text)
	}
	for _, text := range slices.Sorted(maps.Keys(p.elements)) {
		if c := p.element(text); c.op == changeSet && !d.lasts(c.ends) {
			gone = append(gone, text)
		}
	}
	if p.cleared {
		return list, gone
	}
	tidied := slices.Sorted(slices.Values(slices.Concat(gone, d.endedElements(f))))
	for _, text := range slices.Compact(tidied) {
		key, was := f.elementKeys(text)
		_, stored := d.current(key, was)
		if stored && (p.element(text).op == changeNone || slices.Contains(gone, text)) {
			list = d.appendIf(list, f, key, was, change{}, false)
		}
	}
	return list, gone
}

// outgrown reports whether a store says that a map has no room which makes room by
// itself: others have set elements meanwhile.
func (d *draft) outgrown(err error) bool {
	var limit *LimitError
	return errors.As(err, &limit) && slices.ContainsFunc(d.pending, func(p pending) bool {
		return p.field.Key == limit.Field && p.tidies() && p.field.dropsOldest()
	})
}
