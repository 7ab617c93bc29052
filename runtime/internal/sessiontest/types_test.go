package sessiontest

import (
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/duckgen/duckgen/internal/testtier"
)

// same compares values as sessions do: an empty collection is an absent one,
// times are instants, and NaNs are equal.
var same = cmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.EquateNaNs(),
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b url.URL) bool { return a.String() == b.String() }),
	cmp.Transformer("parts", func(c complex128) [2]float64 { return [2]float64{real(c), imag(c)} }),
	cmp.Transformer("parts", func(c complex64) [2]float32 { return [2]float32{real(c), imag(c)} }),
	cmp.Transformer("instant", func(s Stamp) time.Time { return time.Time(s) }),
}

// oddTexts are strings that encodings stumble over.
var oddTexts = []string{
	"", "\x00", "\x7f", "\xff", "\xed\xa0\x80", "\u2028", "𝄞", `"`, `\`, `\u0000`, "\n", "null", "0", "cart:1", ":", "a;b", "<&>",
}

func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom(oddTexts),
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return string(b) }),
	)
}

func anyFloat() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1e21, 1e-7, 0.1, math.MaxFloat64, math.SmallestNonzeroFloat64}),
		rapid.Map(rapid.Uint64(), math.Float64frombits),
	)
}

func anyInstant() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		seconds := rapid.OneOf(
			rapid.Int64Range(-1<<40, 1<<40),
			rapid.SampledFrom([]int64{0, -62135596800, 253402300799, 253402300800, -1, 1 << 34, 1 << 32}),
		).Draw(t, "seconds")
		zone := time.FixedZone("somewhere", rapid.IntRange(-50000, 50000).Draw(t, "zone"))
		return time.Unix(seconds, rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds")).In(zone)
	})
}

func anyLink() *rapid.Generator[url.URL] {
	return rapid.Map(rapid.SampledFrom([]string{
		"", "/", "https://shop.example/a%2Fb?q=1#f", "mailto:ada@shop.example", "//user:pass@[::1]:80/?", "a?b=%00",
	}), func(text string) url.URL {
		link, err := url.Parse(text)
		if err != nil {
			panic(err) // the texts above
		}
		return *link
	})
}

func anyAddr() *rapid.Generator[netip.Addr] {
	return rapid.Map(rapid.SampledFrom([]string{"", "127.0.0.1", "::1", "fe80::1%eth0", "::ffff:1.2.3.4"}),
		func(text string) netip.Addr {
			addr, _ := netip.ParseAddr(text) // "" is the zero address
			return addr
		})
}

func anyBig() *rapid.Generator[big.Int] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) big.Int {
		n := new(big.Int).SetBytes(b)
		if len(b)%2 == 1 {
			n.Neg(n)
		}
		return *n
	})
}

// everything draws values for all fields, by reflection but for the types that
// have rules of their own.
func everything() *rapid.Generator[Everything] {
	integer := func(least, most int64) *rapid.Generator[any] {
		return rapid.OneOf(rapid.SampledFrom([]int64{0, least, most}), rapid.Int64Range(least, most)).AsAny()
	}
	of := func(v any) reflect.Type { return reflect.TypeOf(v) }
	prefix := rapid.Map(anyAddr(), func(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()/2) })
	ratio := rapid.Map(anyBig(), func(n big.Int) big.Rat { return *new(big.Rat).SetFrac(&n, big.NewInt(7)) })
	return rapid.MakeCustom[Everything](rapid.MakeConfig{
		Types: map[reflect.Type]*rapid.Generator[any]{
			of(""):             anyText().AsAny(),
			of(Word("")):       rapid.Map(anyText(), func(s string) Word { return Word(s) }).AsAny(),
			of(float64(0)):     anyFloat().AsAny(),
			of(float32(0)):     rapid.Map(anyFloat(), func(f float64) float32 { return float32(f) }).AsAny(),
			of(int64(0)):       integer(math.MinInt64, math.MaxInt64),
			of(time.Time{}):    anyInstant().AsAny(),
			of(Stamp{}):        rapid.Map(anyInstant(), func(t time.Time) Stamp { return Stamp(t) }).AsAny(),
			of(url.URL{}):      anyLink().AsAny(),
			of(netip.Addr{}):   anyAddr().AsAny(),
			of(netip.Prefix{}): prefix.AsAny(),
			of(big.Int{}):      anyBig().AsAny(),
			of(big.Rat{}):      ratio.AsAny(),
			of(Celsius(0)):     rapid.Map(rapid.Byte(), func(b byte) Celsius { return Celsius(b) }).AsAny(),
			of(uintptr(0)):     rapid.Map(rapid.Uint64(), func(n uint64) uintptr { return uintptr(n) }).AsAny(),
			of(complex64(0)): rapid.Map(anyFloat(), func(f float64) complex64 {
				return complex(float32(f), -float32(f))
			}).AsAny(),
			of(complex128(0)): rapid.Map(anyFloat(), func(f float64) complex128 { return complex(-f, f) }).AsAny(),
		},
	})
}

// setEverything calls the setter of every field, and in turn those of the
// elements of maps.
func setEverything(s *EverythingSession, v Everything) {
	session, values := reflect.ValueOf(s), reflect.ValueOf(v)
	for i := range values.NumField() {
		name, value := values.Type().Field(i).Name, values.Field(i)
		setItem := session.MethodByName("Set" + name + "Item")
		if !setItem.IsValid() || i%2 == 0 {
			session.MethodByName("Set" + name).Call([]reflect.Value{value})
			continue
		}
		session.MethodByName("Clear" + name).Call(nil)
		for _, k := range value.MapKeys() {
			setItem.Call([]reflect.Value{k, value.MapIndex(k)})
		}
	}
}

// everyType runs a program with sessions of Everything.
func everyType(t testing.TB, format storeFormat) *program[EverythingSession] {
	return start(t, format.newStore(t), NewEverythingSessions, EverythingFrom)
}

// What is set in one request is what is read in the next, and setting that again
// is no change.
func TestV1EveryFieldTypeSurvivesTheStore(t *testing.T) {
	testtier.Checks(t, testtier.Count(100, 25, 100))
	var programs []*program[EverythingSession]
	for _, format := range storeFormats {
		programs = append(programs, everyType(t, format))
	}
	rapid.Check(t, func(t *rapid.T) {
		first, second := everything().Draw(t, "first"), everything().Draw(t, "second")
		loaded := rapid.Bool().Draw(t, "loaded before the second")
		format := rapid.IntRange(0, len(programs)-1).Draw(t, "format")
		var browser jar
		roundTrip(t, programs[format], &browser, storeFormats[format].name, first, false)
		roundTrip(t, programs[format], &browser, storeFormats[format].name, second, loaded)
	})
}

func roundTrip(t *rapid.T, p *program[EverythingSession], browser *jar, format string, v Everything, loaded bool) {
	p.visit(browser, func(s *EverythingSession) {
		if loaded {
			s.Snapshot()
		}
		s.ClearUntil() // it merges
		setEverything(s, v)
		if diff := cmp.Diff(v, s.Snapshot(), same); diff != "" {
			t.Errorf("%s, before the commit (-set +read):\n%s", format, diff)
		}
	})
	p.visit(browser, func(s *EverythingSession) {
		read := s.Snapshot()
		if diff := cmp.Diff(v, read, same); diff != "" {
			t.Errorf("%s, in the next request (-set +read):\n%s", format, diff)
		}
		setEverything(s, read)
		if s.Dirty() {
			t.Errorf("%s: dirty after setting what was read: %q", format, s.DirtyFields())
		}
	})
	if got := p.told(); got != nil {
		t.Errorf("%s: misfits told: %q", format, got)
	}
}

func TestV2ZeroValuesOfEveryTypeAreNotStored(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			p := everyType(t, format)
			var browser jar
			p.visit(&browser, func(s *EverythingSession) {
				setEverything(s, Everything{})
				if s.Dirty() {
					t.Errorf("dirty: %q, want nothing", s.DirtyFields())
				}
			})
			if browser.cookie != "" {
				t.Error("zero values started a session")
			}
		})
	}
}

func TestV12OptionalValuesOfEveryTypeTellZeroFromAbsent(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			p := everyType(t, format)
			var browser jar
			v := Everything{
				MaybeInt: new(int), MaybePoint: &Point{}, MaybeTime: &time.Time{}, MaybeList: &[]string{},
				Prefix: &netip.Prefix{}, Back: &url.URL{}, Ratio: &big.Rat{}, Key: &[32]byte{},
				MaybeMany: []*int{nil, new(int)}, MaybeByName: map[string]*float64{"a": nil, "b": new(float64)},
			}
			p.visit(&browser, func(s *EverythingSession) { setEverything(s, v) })
			p.visit(&browser, func(s *EverythingSession) {
				if diff := cmp.Diff(v, s.Snapshot(), same); diff != "" {
					t.Errorf("(-set +read):\n%s", diff)
				}
			})
		})
	}
}

func TestV12OnlySlicesThatAppendHaveAppend(t *testing.T) {
	session := reflect.TypeFor[*EverythingSession]()
	var appends []string
	for m := range session.Methods() {
		if len(m.Name) > 6 && m.Name[:6] == "Append" {
			appends = append(appends, m.Name)
		}
	}
	if !slices.Equal(appends, []string{"AppendSecrets"}) {
		t.Errorf("methods %q, want AppendSecrets alone", appends)
	}
	for name, want := range map[string]bool{
		"TakeOnce": true, "Once": false, "SetOnce": true, "ClearOnce": true, "OnceDirty": true,
		"BytesLen": false, "DigestLen": false, "WordsLen": true, "AddCount": true, "AddInt": false,
	} {
		if _, has := session.MethodByName(name); has != want {
			t.Errorf("method %s: %v, want %v", name, has, want)
		}
	}
}
