package sessiontest

import (
	"maps"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
)

const everythingKind = "github.com/duckgen/duckgen/runtime/internal/sessiontest.Everything"

// A damaged is a stored session of which one entry at a time is damaged.
type damaged struct {
	*program[EverythingSession]
	browser jar
	whole   Everything
	entries map[string]runtime.Entry
	keys    []string
}

func newDamaged(t testing.TB, format storeFormat) *damaged {
	t.Helper()
	d := &damaged{program: everyType(t, format)}
	populate(reflect.ValueOf(&d.whole).Elem())
	d.visit(&d.browser, func(s *EverythingSession) { setEverything(s, d.whole) })
	d.entries = entriesOf(t, d.store, d.key())
	d.keys = slices.Sorted(maps.Keys(d.entries))
	return d
}

func (d *damaged) key() runtime.Key {
	return keyOf(d.t, everythingKind, d.browser.cookie, time.Now())
}

// populate gives a value and all that it holds something else than zero.
func populate(v reflect.Value) {
	if special := specialValue(v.Type()); special.IsValid() {
		v.Set(special)
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("text \x00\xff")
	case reflect.Float32, reflect.Float64:
		v.SetFloat(-1.5)
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(1.5, -2))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		populate(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		populate(v.Index(0))
		populate(v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			populate(v.Index(i))
		}
	case reflect.Map:
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		populate(e)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(k, e)
		populate(k)
		v.SetMapIndex(k, e)
	case reflect.Struct:
		for i := range v.NumField() {
			populate(v.Field(i))
		}
	default:
		v.Set(reflect.ValueOf(100).Convert(v.Type()))
	}
}

// specialValue returns a value of a type that has more than its exported fields.
func specialValue(t reflect.Type) reflect.Value {
	for _, v := range []any{
		time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Stamp(begin),
		netip.MustParseAddr("fe80::1%eth0"),
		netip.MustParsePrefix("10.0.0.0/8"),
		url.URL{Scheme: "https", Host: "shop.example", Path: "/a"},
		*big.NewInt(-12345),
		*big.NewRat(22, 7),
	} {
		if reflect.TypeOf(v) == t {
			return reflect.ValueOf(v)
		}
	}
	return reflect.Value{}
}

// check damages one entry and reads everything: all other fields are whole, and
// the damaged one is, too, or reads as its default and was told.
func (d *damaged) check(t *testing.T, e runtime.Entry) {
	t.Helper()
	d.t = t
	put(t, d.store, d.key(), e)
	var got Everything
	d.visit(&d.browser, func(s *EverythingSession) {
		got = s.Snapshot()
		if s.Err() != nil || s.Dirty() {
			t.Errorf("%v: error %v, dirty %v, want neither", e, s.Err(), s.Dirty())
		}
	})
	put(t, d.store, d.key(), d.entries[e.Key])
	told := d.told()
	if len(told) > 1 || len(told) == 1 && told[0] != e.Key {
		t.Errorf("%v: misfits told: %q", e, told)
	}
	values := reflect.ValueOf(got)
	for i := range values.NumField() {
		field := values.Type().Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("session"), ",")
		want, read := reflect.ValueOf(d.whole).Field(i), values.Field(i)
		if key == runtime.FieldOf(e.Key) {
			d.checkDamaged(t, e, want, read, len(told) > 0)
		} else if diff := cmp.Diff(want.Interface(), read.Interface(), same); diff != "" {
			t.Errorf("%v: %s has changed, too (-want +got):\n%s", e, field.Name, diff)
		}
	}
}

// checkDamaged checks the field that the damaged entry belongs to. Of a map all
// other elements are whole.
func (d *damaged) checkDamaged(t *testing.T, e runtime.Entry, whole, read reflect.Value, told bool) {
	t.Helper()
	if strings.Contains(e.Key, ":") {
		lost := 0
		for _, k := range whole.MapKeys() {
			element := read.MapIndex(k)
			if !element.IsValid() || !cmp.Equal(whole.MapIndex(k).Interface(), element.Interface(), same) {
				lost++
			}
		}
		if lost > 1 || told && read.Len() != whole.Len()-1 || !told && read.Len() != whole.Len() {
			t.Errorf("%v: told is %v, read %v of %v", e, told, read, whole)
		}
		return
	}
	if told && !cmp.Equal(reflect.Zero(read.Type()).Interface(), read.Interface(), same) {
		t.Errorf("%v: told to be damaged, but read as %v", e, read)
	}
}

// Whatever happens to the bytes of one entry, nothing panics, and no other field
// is harmed.
func TestV11EachByteOfEachEntryCanBeDamaged(t *testing.T) {
	for _, format := range storeFormats[:2] {
		t.Run(format.name, func(t *testing.T) {
			d := newDamaged(t, format)
			for _, key := range d.keys {
				e := d.entries[key]
				step := len(e.Value)/testtier.Count(1, 1, 64) + 1
				for i := 0; i < len(e.Value); i += step {
					e.Value = flip(d.entries[key].Value, i)
					d.check(t, e)
					e.Value = d.entries[key].Value[:i]
					d.check(t, e)
				}
				e.Value = d.entries[key].Value + "\x01"
				d.check(t, e)
				d.check(t, otherKind(e))
			}
		})
	}
}

// otherKind makes a counter of a value, and a value of a counter.
func otherKind(e runtime.Entry) runtime.Entry {
	if e.Kind == runtime.CounterEntry {
		return runtime.Entry{Key: e.Key, Kind: runtime.PlainEntry, Value: "5"}
	}
	return runtime.Entry{Key: e.Key, Kind: runtime.CounterEntry, Count: 5}
}

// FuzzDamagedEntries replaces an entry, or a part of it, by any bytes.
func FuzzDamagedEntries(f *testing.F) {
	sessions := []*damaged{newDamaged(f, storeFormats[0]), newDamaged(f, storeFormats[1])}
	f.Add(uint8(0), uint16(0), uint16(0), uint16(1<<15), []byte{0xdf, 0xff, 0xff, 0xff, 0xff})
	f.Add(uint8(1), uint16(30), uint16(2), uint16(3), []byte(`1e400`))
	f.Add(uint8(1), uint16(60), uint16(0), uint16(1<<15), []byte(`{"X":[[[[`))
	f.Fuzz(func(t *testing.T, format uint8, entry, from, length uint16, data []byte) {
		d := sessions[int(format)%len(sessions)]
		e := d.entries[d.keys[int(entry)%len(d.keys)]]
		begin := min(int(from), len(e.Value))
		end := min(begin+int(length), len(e.Value))
		e.Value = e.Value[:begin] + string(data) + e.Value[end:]
		if len(e.Value) < 1<<16 {
			d.check(t, e)
		}
	})
}
