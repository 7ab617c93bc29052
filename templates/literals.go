package templates

import (
	"math"
	"strconv"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// number is an untyped integer constant, where jennifer would write a
// conversion to the type that the number has here.
func number[T int | int64](n T) *jen.Statement { return jen.Op(strconv.FormatInt(int64(n), 10)) }

// literal is a default value of the type.
func (f *File) literal(t *schema.Type, l *schema.Literal) *jen.Statement {
	switch v := l.Value.(type) {
	case int64:
		return number(v)
	case uint64:
		return jen.Op(strconv.FormatUint(v, 10))
	case float64:
		return f.float(t, v)
	case time.Duration:
		return f.durationOf(t, v)
	default:
		return jen.Lit(v)
	}
}

// float is a constant, or the value that no constant has: infinities, NaN and
// the negative zero.
func (f *File) float(t *schema.Type, v float64) *jen.Statement {
	if !math.IsInf(v, 0) && !math.IsNaN(v) && (v != 0 || !math.Signbit(v)) {
		return jen.Lit(v)
	}
	bits := jen.Op("0x" + strconv.FormatUint(math.Float64bits(v), 16))
	return f.typ(t).Call(f.qual("math", "Float64frombits").Call(bits))
}

// durationOf is a duration, converted if the type is another one.
func (f *File) durationOf(t *schema.Type, d time.Duration) *jen.Statement {
	if t.Name != nil && t.Name.Path == "time" && t.Name.Name == "Duration" {
		return f.duration(d)
	}
	return f.typ(t).Call(f.duration(d))
}

// units are the constants of package time, from the largest.
var units = []struct {
	name string
	of   time.Duration
}{
	{"Hour", time.Hour},
	{"Minute", time.Minute},
	{"Second", time.Second},
	{"Millisecond", time.Millisecond},
	{"Microsecond", time.Microsecond},
	{"Nanosecond", time.Nanosecond},
}

// duration is a duration in the largest unit that it is a multiple of.
func (f *File) duration(d time.Duration) *jen.Statement {
	for _, unit := range units {
		if d != 0 && d%unit.of == 0 {
			return number(int64(d / unit.of)).Op("*").Add(f.qual("time", unit.name))
		}
	}
	return number(0)
}
