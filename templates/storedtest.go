package templates

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/example"
	"github.com/duckgen/duckgen/gen/schema"
	duckruntime "github.com/duckgen/duckgen/runtime"
)

const codectestPath = codecPath + "/codectest"

// Expected is what a test expects of the value of one field.
type Expected struct {
	Variable string   // of the field
	Key      string   // that it is stored under
	Texts    []string // the key of a map's entry, or a value in MessagePack and in JSON
}

// expect returns what is expected of a field already, whatever it is called in
// Go now, or else what is given.
func (f *field) expect(given ...string) []string {
	fits := func(e Expected) bool { return len(e.Texts) == len(given) }
	i := slices.IndexFunc(f.expected, func(e Expected) bool { return fits(e) && e.Variable == f.variable })
	if i < 0 {
		i = slices.IndexFunc(f.expected, func(e Expected) bool {
			return fits(e) && e.Key == f.Key && strings.HasPrefix(e.Variable, f.prefix)
		})
	}
	if i < 0 {
		return given
	}
	return f.expected[i].Texts
}

// RenderTest returns a test that holds the codecs of the file's sessions to the
// stored form that an example of each field has now, or to what is expected already.
// It stands on the file that [File.Render] returns. The result is nil if no field
// has an example.
func (f *File) RenderTest(expected []Expected) ([]byte, error) {
	f.expected = expected
	body := f.begin()
	tests := false
	for _, s := range f.sessions {
		tests = s.storedTest(body) || tests
	}
	if !tests {
		return nil, nil
	}
	return f.finish(body)
}

// storedTest is the test of one session, and whether there is anything to test.
func (s *session) storedTest(g *jen.Group) bool {
	var checks []jen.Code
	var without []string
	for _, f := range s.fields {
		own, complete := f.storedChecks()
		checks = append(checks, own...)
		if !complete {
			without = append(without, f.Name)
		}
	}
	if len(checks) == 0 {
		return false
	}
	var d doc
	d.say("%s fails if a value of %s would be written or read in another way than when this file was generated:"+
		" stored sessions would lose it. What it expects of a field stays when the file is generated again; duckgen -update makes it what is written now.",
		s.test, s.Struct)
	if len(without) > 0 {
		d.say("It leaves out %s, whose stored form only the methods of their types know.", strings.Join(without, ", "))
	}
	d.write(g)
	t := s.local("t").Op("*").Add(s.qual("testing", "T"))
	g.Func().Id(s.test).Params(t).Block(checks...)
	g.Line()
	return true
}

// storedChecks hold the keys and values of a field. Counters are integers
// whatever their field is, and need none.
func (f *field) storedChecks() (checks []jen.Code, complete bool) {
	stored := f.Type
	switch f.Shape {
	case schema.Counter:
		return nil, true
	case schema.CounterMap:
		return []jen.Code{f.keyCheck()}, true
	case schema.Map:
		checks = append(checks, f.keyCheck())
		stored = f.Type.Elem
	}
	value, ok := example.Typical(stored)
	if !ok {
		return checks, false
	}
	expected := f.expect(storedText(stored, duckruntime.MessagePack, value), storedText(stored, duckruntime.JSON, value))
	args := []jen.Code{
		f.local("t"), jen.Lit(f.Key), jen.Id(f.variable).Dot("Codec"), f.example(stored, value),
		jen.Lit(expected[0]), quoted(expected[1]),
	}
	call := jen.Call(args...)
	if len(expected[1]) > shortText {
		call = jen.Add(callLines(args...))
	}
	return append(checks, f.qual(codectestPath, "Stored").Add(call)), true
}

// shortText is how long the text of a value may be in a call of one line.
const shortText = 40

func (f *field) keyCheck() jen.Code {
	key, _ := example.Typical(f.Type.Key)
	return f.qual(codectestPath, "Key").Call(
		f.local("t"), jen.Lit(f.Key), jen.Id(f.variable).Dot("Keys"), f.example(f.Type.Key, key),
		jen.Lit(f.expect(example.Key(duckruntime.JSON, key))[0]),
	)
}

// storedText is the encoding of an example, which cannot fail.
func storedText(t *schema.Type, format duckruntime.Format, value any) string {
	encoded, _ := example.Encode(t, format, value)
	return string(encoded)
}

// quoted is a string with as few escapes as possible.
func quoted(text string) jen.Code {
	if strings.Contains(text, `"`) && strconv.CanBackquote(text) {
		return jen.Op("`" + text + "`")
	}
	return jen.Lit(text)
}

// example is an example value as Go writes it if its type is known.
func (f *File) example(t *schema.Type, value any) *jen.Statement {
	switch v := value.(type) {
	case []byte:
		return f.typ(t).Call(jen.Lit(string(v)))
	case time.Time:
		return f.exampleTime(t, v)
	case *any:
		return f.examplePointer(t, *v)
	case []any:
		return f.typ(t).Values(f.exampleElements(t, v)...)
	case []example.Entry:
		var entries []jen.Code
		for _, e := range v {
			entries = append(entries, f.example(t.Key, e.Key).Op(":").Add(f.example(t.Elem, e.Value)))
		}
		return f.typ(t).Values(entries...)
	case int64:
		return number(v)
	case uint64:
		return number(int64(v))
	case float32:
		return jen.Lit(float64(v))
	case complex128:
		return jen.Op(strings.Trim(fmt.Sprint(v), "()"))
	default:
		return jen.Lit(v)
	}
}

func (f *File) exampleTime(t *schema.Type, v time.Time) *jen.Statement {
	date := f.qual("time", "Date").Call(number(v.Year()), f.qual("time", v.Month().String()), number(v.Day()),
		number(v.Hour()), number(v.Minute()), number(v.Second()), number(0), f.qual("time", "UTC"))
	if isTime(t) {
		return date
	}
	return f.typ(t).Call(date)
}

// constantTypes are those that an example has without a conversion.
var constantTypes = []string{"bool", "string", "int", "float64", "complex128"}

func (f *File) examplePointer(t *schema.Type, elem any) *jen.Statement {
	value := f.example(t.Elem, elem)
	if t.Elem.Form == schema.Basic && (t.Elem.Name != nil || !slices.Contains(constantTypes, t.Elem.Basic)) {
		value = f.typ(t.Elem).Call(value)
	}
	pointer := f.goOwn("new").Call(value)
	if t.Name == nil {
		return pointer
	}
	return f.typ(t).Call(pointer)
}

// exampleElements are the members of a struct, the elements of a slice, or the
// first one of an array.
func (f *File) exampleElements(t *schema.Type, values []any) []jen.Code {
	var elements []jen.Code
	for i, v := range values {
		switch {
		case t.Form == schema.Struct:
			elements = append(elements, jen.Id(t.Members[i].Name).Op(":").Add(f.example(t.Members[i].Type, v)))
		case t.Form == schema.Slice || i == 0:
			elements = append(elements, f.example(t.Elem, v))
		}
	}
	return elements
}
