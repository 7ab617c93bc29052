package codec_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/codec"
)

func TestAReadErrorSaysWhereAndWhat(t *testing.T) {
	for _, c := range []struct{ stored, want string }{
		{`{"Int8":300}`, "codec: Int8: want a signed integer of 8 bits, found a number that does not fit"},
		{`{"Uint16":"x"}`, "codec: Uint16: want an unsigned integer of 16 bits, found a string"},
		{`{"Uint16":tru}`, "codec: Uint16: want an unsigned integer of 16 bits, found no value"},
		{`{"Bool":null}`, "codec: Bool: want a bool, found null"},
		{`{"String":[]}`, "codec: String: want a string, found an array"},
		{`{"Bytes":"?"}`, "codec: Bytes: want a string in base64, found another string"},
		{`{"Time":"yesterday"}`, "codec: Time: want a string with a time (RFC 3339), found another string"},
		{`{"Slice":["a",{}]}`, "codec: Slice[1]: want a string, found an object"},
		{`{"Slice":["a"`, "codec: Slice: want ',' or ']', found the end"},
		{`{"Array":[1,2]}`, "codec: Array: want an array of length 3, found one of length 2"},
		{`{"Array":[1,2,3,4]}`, "codec: Array: want an array of length 3, found a longer one"},
		{`{"Large":[1,true]}`, "codec: Large[1]: want a number, found a bool"},
		{`{"Scores":{"a\"b":{}}}`, `codec: Scores["a\"b"]: want a number, found an object`},
		{`{"Ints":{"01":true}}`, `codec: Ints: want a signed integer of 16 bits as a key, found "01"`},
		{`{"Inners":[{},{"C":[{"X":{"k":[0,1.5]}}]}]}`, `codec: Inners[1].C[0].X["k"][1]: want a signed integer of ` + strconv.Itoa(strconv.IntSize) + ` bits, found a number that does not fit`},
		{`{"Text":"quiet"}`, "codec: Text: UnmarshalText: not loud"},
		{`{"unknown":nil}`, `codec: ["unknown"]: want a JSON value, found no value`},
		{`{"unknown":[0,"\ud800"]}`, `codec: ["unknown"]: want a string, found one with an invalid escape`},
		{`{"unknown":{"k" 1}}`, `codec: ["unknown"]: want ':', found a number`},
		{`{"unknown":{"k":[{]}}`, `codec: ["unknown"]: want a string, found no value`},
		{`{"Int":false}`, "codec: Int: want a signed integer of " + strconv.Itoa(strconv.IntSize) + " bits, found a bool"},
		{`{"Int" 1}`, "codec: want ':', found a number"},
		{`[]`, "codec: want a map, found an array"},
		{``, "codec: want a map, found the end"},
	} {
		_, err := decodeAll(everythingCodec, runtime.JSON, []byte(c.stored))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.stored, err, c.want)
		}
	}
	for _, c := range []struct{ stored, want string }{
		{"\x81\xa4Int8\xd1\x01\x2c", "codec: Int8: want a signed integer of 8 bits, found a number that does not fit"},
		{"\x81\xa4Int8\xd1\x01", "codec: Int8: want a signed integer of 8 bits, found an integer that is cut short"},
		{"\x81\xa4Int8\xd1", "codec: Int8: want a signed integer of 8 bits, found an integer that is cut short"},
		{"\x81\xa4Int8", "codec: Int8: want a signed integer of 8 bits, found the end"},
		{"\x81\xa6String\xc4\x00", "codec: String: want a string, found bytes"},
		{"\x81\xa6String\xa2a", "codec: String: want a string, found a string that is cut short"},
		{"\x81\xa5Slice\x92\xa1a\x80", "codec: Slice[1]: want a string, found a map"},
		{"\x81\xa5Slice\x93\xa1a", "codec: Slice: want an array, found an array that is cut short"},
		{"\x81\xa4Time\xc7\x0c\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00", "codec: Time: want a time, found a time that is invalid"},
		{"\x81\xa4Bool\xc1", "codec: Bool: want a bool, found no value"},
		{"\x81\xa7unknown\x91\xc1", `codec: ["unknown"]: want any value, found no value`},
		{"\xc0", "codec: want a map, found nil"},
	} {
		_, err := decodeAll(everythingCodec, runtime.MessagePack, []byte(c.stored))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.stored, err, c.want)
		}
	}
}

func TestAnErrorIsShortAndShowsNoStoredValue(t *testing.T) {
	secret := strings.Repeat("secret", 1000)
	for _, stored := range []string{
		`{"Int":"` + secret + `"}`, `{"Time":"` + secret + `"}`, `{"Bytes":"` + secret + `?"}`,
		`{"Address":"` + secret + `?"}`, `{"Float64":"` + secret + `"}`, `{"Uint8":` + strings.Repeat("9", 6000) + `}`,
		`{"` + strings.Repeat("k", 6000) + `":nil}`, `{"Ints":{"` + strings.Repeat("k", 6000) + `":true}}`,
	} {
		_, err := decodeAll(everythingCodec, runtime.JSON, []byte(stored))
		if err == nil || len(err.Error()) > 200 || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "999") {
			t.Errorf("%.20s: %v", stored, err)
		}
	}
}

// failing has the methods that a case needs.
type failing struct{ Why error }

func (v failing) MarshalBinary() ([]byte, error)  { return nil, v.Why }
func (v failing) MarshalText() ([]byte, error)    { return nil, v.Why }
func (v *failing) UnmarshalBinary(b []byte) error { return errNotLoud }
func (v *failing) UnmarshalText(b []byte) error   { return errNotLoud }

// shrinking gives back less than it was given.
type shrinking struct{ failing }

func (v shrinking) AppendBinary(b []byte) ([]byte, error) { return b[:0], v.Why }
func (v shrinking) AppendText(b []byte) ([]byte, error)   { return nil, v.Why }

type holder struct{ List []failing }

func TestTheErrorsOfMarshalMethodsAreReturnedWithTheirPath(t *testing.T) {
	text, binary := codec.Text[failing](), codec.Binary[failing]()
	shortText, shortBinary := codec.Text[shrinking](), codec.Binary[shrinking]()
	nested := codec.Struct(codec.Member("List", codec.Slice[[]failing](text), func(v *holder) *[]failing { return &v.List }))
	inMap := codec.Map[map[string]failing](codec.StringKey[string](), binary)
	bad, short := failing{errNotLoud}, shrinking{failing{errNotLoud}}
	for _, f := range formats {
		_, err1 := text.Append(nil, f, bad)
		_, err2 := binary.Append(nil, f, bad)
		_, err3 := shortText.Append(nil, f, short)
		_, err4 := shortBinary.Append(nil, f, short)
		_, err5 := nested.Append(nil, f, holder{[]failing{{}, bad}})
		_, err6 := inMap.Append(nil, f, map[string]failing{"k": bad})
		_, err7 := decodeAll(text, f, encode(t, text, f, failing{}))
		_, err8 := decodeAll(binary, f, encode(t, binary, f, failing{}))
		for i, want := range []struct {
			err  error
			text string
		}{
			{err1, "codec: MarshalText: not loud"},
			{err2, "codec: MarshalBinary: not loud"},
			{err3, "codec: AppendText: not loud"},
			{err4, "codec: AppendBinary: not loud"},
			{err5, "codec: List[1]: MarshalText: not loud"},
			{err6, `codec: ["k"]: MarshalBinary: not loud`},
			{err7, "codec: UnmarshalText: not loud"},
			{err8, "codec: UnmarshalBinary: not loud"},
		} {
			if want.err == nil || want.err.Error() != want.text || !errors.Is(want.err, errNotLoud) {
				t.Errorf("%v, case %d: got %v, want %s", f, i+1, want.err, want.text)
			}
		}
	}
}

func TestAnAppendMethodThatTakesBytesAwayIsAnError(t *testing.T) {
	_, err1 := codec.Text[shrinking]().Append([]byte("before"), runtime.MessagePack, shrinking{})
	_, err2 := codec.Binary[shrinking]().Append([]byte("before"), runtime.MessagePack, shrinking{})
	for _, err := range []error{err1, err2} {
		if err == nil || !strings.Contains(err.Error(), "it returned 0 bytes, fewer than the 8 it was given") {
			t.Errorf("got %v", err)
		}
	}
}

// foreign is a codec of somebody else.
type foreign struct{ runtime.Codec[string] }

func (foreign) Append([]byte, runtime.Format, string) ([]byte, error) { return nil, errNotLoud }

func (foreign) Read([]byte, runtime.Format) (string, []byte, error) { return "", nil, errNotLoud }

func TestTheErrorsOfOtherCodecsAreReturnedWithTheirPath(t *testing.T) {
	c := codec.Slice[[]string](foreign{})
	for _, f := range formats {
		_, err1 := c.Append(nil, f, []string{"a"})
		_, _, err2 := c.Read(encode(t, codec.Slice[[]string](codec.String[string]()), f, []string{"a"}), f)
		for _, err := range []error{err1, err2} {
			if !errors.Is(err, errNotLoud) || err.Error() != "codec: [0]: not loud" {
				t.Errorf("%v: got %v", f, err)
			}
		}
	}
}

func TestTheErrorOfAKeyIsNotThatOfItsValue(t *testing.T) {
	c := codec.Map[map[string]int](codec.StringKey[string](), codec.Int[int]())
	for f, stored := range map[runtime.Format]string{runtime.JSON: `{1:2}`, runtime.MessagePack: "\x81\x01\x02"} {
		if _, _, err := c.Read([]byte(stored), f); err == nil || !strings.Contains(err.Error(), "want a string") {
			t.Errorf("%v: got %v, want that the key is no string", f, err)
		}
	}
}
