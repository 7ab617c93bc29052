package lively

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/tinylib/msgp/msgp"
)

// The opcodes, named as in the Duck framework.
const (
	opPatches    = 1
	opEvent      = 100
	opScript     = 101
	opResult     = 111
	opNavigation = 120
	opPage       = 121
	opUnknown    = 150
	opFetch      = 170
)

// The opcodes of the browser client's own protocol.
const (
	opTaken     = 200
	opAnswer    = 201
	opHeartbeat = 202
)

// maxDepth is how deep the arrays and maps of an event's value may be nested.
const maxDepth = 16

// A frameError says why a frame closes its connection.
type frameError struct {
	code   websocket.StatusCode
	reason string
}

func (e *frameError) Error() string { return e.reason }

func malformed(format string, args ...any) error {
	return &frameError{websocket.StatusInvalidFramePayloadData, fmt.Sprintf(format, args...)}
}

// result is what a script has come to.
type result struct {
	value any
	fault string // empty: none
	uid   string
}

// A decoder reads one frame. The first error stays. It allocates no more than a
// small multiple of the frame's size.
type decoder struct {
	rest     []byte
	elements int // that arrays and maps may still have
	err      error
}

// opcodeOf returns the opcode of a frame, 0 if it has none.
func opcodeOf(b []byte) int64 {
	d := &decoder{rest: b, elements: math.MaxInt}
	d.array()
	return d.integer()
}

// decodeFrame returns an [Event], a [Navigation] or a result. Its arrays and maps
// have at most so many elements together.
func decodeFrame(b []byte, elements int) (any, error) { return decodeAny(b, elements, false) }

// decodeNumbered does the same for a page whose events have numbers.
func decodeNumbered(b []byte, elements int) (any, error) { return decodeAny(b, elements, true) }

func decodeAny(b []byte, elements int, numbered bool) (any, error) {
	d := &decoder{rest: b, elements: math.MaxInt}
	n := d.array()
	d.elements = elements
	opcode := d.integer()
	if d.err != nil {
		return nil, malformed("a frame is an array that begins with an opcode")
	}
	var frame any
	switch opcode {
	case opEvent:
		event := Event{Root: d.text(), Component: d.text(), Name: d.text(), Value: d.value(0), Document: d.flag()}
		if numbered {
			d.want(n, 8)
			event.number, event.origin = d.number(), d.number()
		} else {
			d.want(n, 6)
		}
		frame = event
	case opResult:
		d.want(n, 4)
		frame = result{value: d.value(0), fault: d.optionalText(), uid: d.text()}
	case opNavigation:
		d.want(n, 5)
		frame = Navigation{Previous: d.optionalText(), Next: d.optionalText(), Path: d.text(), Headers: d.texts()}
	default:
		return nil, &frameError{websocket.StatusUnsupportedData, fmt.Sprintf("unknown opcode %d", opcode)}
	}
	d.end(opcode)
	return frame, d.err
}

func (d *decoder) end(opcode int64) {
	if d.err == nil && len(d.rest) > 0 {
		d.fail(malformed("a frame of opcode %d has bytes behind its end", opcode))
	}
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err, d.rest = err, nil
	}
}

func (d *decoder) want(got, want int) {
	if got != want {
		d.fail(malformed("the frame has %d elements, not %d", got, want))
	}
}

// take keeps what a reading function of msgp has left. What a frame lacks and
// what is of another type is malformed alike.
func (d *decoder) take(rest []byte, err error, want string) {
	if err != nil {
		d.fail(malformed("the frame has no %s where one belongs", want))
		return
	}
	d.rest = rest
}

// array returns how many elements follow. Every element has a byte at least.
func (d *decoder) array() int {
	n, rest, err := msgp.ReadArrayHeaderBytes(d.rest)
	return d.count(n, rest, err, 1, "array")
}

func (d *decoder) mapping() int {
	n, rest, err := msgp.ReadMapHeaderBytes(d.rest)
	return d.count(n, rest, err, 2, "map")
}

func (d *decoder) count(n uint32, rest []byte, err error, least int, want string) int {
	d.take(rest, err, want)
	if d.err == nil && uint64(n)*uint64(least) > uint64(len(rest)) {
		d.fail(malformed("the frame ends within an %s", want))
	}
	if d.elements -= int(n); d.err == nil && d.elements < 0 {
		d.fail(&frameError{websocket.StatusMessageTooBig, "the frame has too many elements"})
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

func (d *decoder) integer() int64 {
	n, rest, err := msgp.ReadInt64Bytes(d.rest)
	d.take(rest, err, "integer")
	return n
}

// number reads the number of an event, which is above 0.
func (d *decoder) number() uint64 {
	n := d.integer()
	if n <= 0 {
		d.fail(malformed("the frame has no number of an event where one belongs"))
	}
	return uint64(n)
}

func (d *decoder) flag() bool {
	v, rest, err := msgp.ReadBoolBytes(d.rest)
	d.take(rest, err, "boolean")
	return v
}

func (d *decoder) text() string {
	raw, rest, err := msgp.ReadStringZC(d.rest)
	d.take(rest, err, "text")
	if !utf8.Valid(raw) {
		d.fail(malformed("the frame has text that is not UTF-8"))
	}
	return string(raw)
}

func (d *decoder) optionalText() string {
	if d.err == nil && msgp.IsNil(d.rest) {
		d.rest = d.rest[1:]
		return ""
	}
	return d.text()
}

// texts reads a map of texts, nil for nil.
func (d *decoder) texts() map[string]string {
	if d.err == nil && msgp.IsNil(d.rest) {
		d.rest = d.rest[1:]
		return nil
	}
	n := d.mapping()
	m := make(map[string]string, min(n, 64))
	for range n {
		key := d.text()
		m[key] = d.text()
		if d.err != nil {
			return nil
		}
	}
	return m
}

// value reads what JSON could say: nil, bool, int64, uint64, float64, string,
// []byte, []any or map[string]any.
func (d *decoder) value(depth int) any {
	if d.err != nil {
		return nil
	}
	if depth > maxDepth {
		d.fail(malformed("a value is nested deeper than %d", maxDepth))
		return nil
	}
	switch msgp.NextType(d.rest) {
	case msgp.NilType:
		d.rest = d.rest[1:]
		return nil
	case msgp.BoolType:
		return d.flag()
	case msgp.IntType:
		return d.integer()
	case msgp.UintType:
		n, rest, err := msgp.ReadUint64Bytes(d.rest)
		d.take(rest, err, "integer")
		if int64(n) >= 0 {
			return int64(n)
		}
		return n
	case msgp.Float32Type, msgp.Float64Type:
		v, rest, err := msgp.ReadFloat64Bytes(d.rest)
		d.take(rest, err, "number")
		return v
	case msgp.StrType:
		return d.text()
	case msgp.BinType:
		raw, rest, err := msgp.ReadBytesBytes(d.rest, nil)
		d.take(rest, err, "bytes")
		return raw
	case msgp.ArrayType:
		return d.list(depth)
	case msgp.MapType:
		return d.object(depth)
	default:
		d.fail(malformed("the frame has a value of a type that no event has"))
		return nil
	}
}

func (d *decoder) list(depth int) []any {
	n := d.array()
	list := make([]any, 0, min(n, 64))
	for range n {
		v := d.value(depth + 1)
		if d.err != nil {
			return nil
		}
		list = append(list, v)
	}
	return list
}

func (d *decoder) object(depth int) map[string]any {
	n := d.mapping()
	m := make(map[string]any, min(n, 64))
	for range n {
		key := d.text()
		m[key] = d.value(depth + 1)
		if d.err != nil {
			return nil
		}
	}
	return m
}

// begin appends what every frame to the page begins with.
func begin(elements uint32, opcode int) []byte {
	return msgp.AppendInt(msgp.AppendArrayHeader(make([]byte, 0, 256), elements), opcode)
}

func appendOptional(b []byte, text string) []byte {
	if text == "" {
		return msgp.AppendNil(b)
	}
	return msgp.AppendString(b, text)
}

// encodeScript asks for a result where uid is not empty.
func encodeScript(code, variable string, milliseconds int64, uid string) []byte {
	b := begin(6, opScript)
	b = msgp.AppendString(b, code)
	b = appendOptional(b, variable)
	if milliseconds > 0 {
		b = msgp.AppendInt64(b, milliseconds)
	} else {
		b = msgp.AppendNil(b)
	}
	b = msgp.AppendBool(b, uid != "")
	return msgp.AppendString(b, uid)
}

func encodeFetch(url string) []byte { return msgp.AppendString(begin(2, opFetch), url) }

func encodeUnknown(component string, reload bool) []byte {
	b := msgp.AppendArrayHeader(begin(2, opUnknown), 2)
	return msgp.AppendBool(msgp.AppendString(b, component), reload)
}

// encodeTaken says which event was the last one that was taken up, and how many
// events and bytes of them may be under way at once.
func encodeTaken(number uint64, known bool, events, bytes int) []byte {
	b := begin(4, opTaken)
	if known {
		b = msgp.AppendUint64(b, number)
	} else {
		b = msgp.AppendNil(b)
	}
	return msgp.AppendInt(msgp.AppendInt(b, events), bytes)
}

func encodeAnswer(a answer) []byte {
	return msgp.AppendInt(msgp.AppendUint64(begin(3, opAnswer), a.number), int(a.outcome))
}

func encodeHeartbeat() []byte { return begin(1, opHeartbeat) }

func encodePatches(d dialect, list []Patch) []byte {
	return appendPatches(begin(2, opPatches), d, list)
}

func encodePage(d dialect, p Page) []byte {
	b := begin(6, opPage)
	b = msgp.AppendString(b, p.Path)
	b = msgp.AppendBool(b, p.Reload)
	b = appendOptional(b, d.component(p))
	b = appendPatches(b, d, p.Patches)
	return msgp.AppendBool(b, !p.Partial)
}
