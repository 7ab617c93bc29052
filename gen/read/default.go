package read

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
)

// readDefault reads default= for the field's type. A default that is the type's
// zero is none.
func (r *reader) readDefault(f *field) {
	place := f.options["default"]
	var value any
	var err error
	if isDuration(f.goType) {
		value, err = parseDuration(place.text)
	} else {
		value, err = parseLiteral(f.Type.Basic, place.text)
	}
	if err != nil {
		r.report(place.value, diag.BadDefault, defaultHint(f), "%q is not a valid %s: %v", place.text, r.text(f), reason(err))
		return
	}
	if text, ok := value.(string); ok && f.Max > 0 && len(text) > f.Max {
		r.report(place.value, diag.BadDefault, "shorten it, or raise max=",
			"the default has %d bytes, max allows %d", len(text), f.Max)
		return
	}
	if !reflect.ValueOf(value).IsZero() {
		f.Default = &schema.Literal{Value: value}
	}
}

func defaultHint(f *field) string {
	switch {
	case isDuration(f.goType):
		return durationHint
	case f.Type.Basic == "bool":
		return boolHint
	case strings.HasPrefix(f.Type.Basic, "float"):
		return "write a finite number such as 0.5"
	default:
		return "write a number that the type holds"
	}
}

// reason shortens what package strconv says to why.
func reason(err error) error {
	var number *strconv.NumError
	if errors.As(err, &number) {
		return number.Err
	}
	return err
}

// parseLiteral reads a value of a predeclared type as a bool, int64, uint64,
// float64 or string.
func parseLiteral(basic, text string) (any, error) {
	bits := bitSize(basic)
	switch {
	case basic == "string":
		return text, nil
	case basic == "bool":
		if text != "true" && text != "false" {
			return nil, errors.New("it is neither true nor false")
		}
		return text == "true", nil
	case strings.HasPrefix(basic, "int"):
		return strconv.ParseInt(text, 10, bits)
	case strings.HasPrefix(basic, "uint"):
		return strconv.ParseUint(text, 10, bits)
	default:
		return parseFloat(text, bits)
	}
}

func parseFloat(text string, bits int) (any, error) {
	f, err := strconv.ParseFloat(text, bits)
	switch {
	case err != nil:
		return nil, err
	case math.IsNaN(f) || math.IsInf(f, 0):
		return nil, errors.New("it is not finite")
	case f == 0:
		return 0.0, nil
	}
	return f, nil
}

// bitSize returns the size of a numeric type, 64 for those that depend on the
// machine.
func bitSize(basic string) int {
	digits := strings.TrimLeft(basic, "abcdefghijklmnopqrstuvwxyz")
	bits, err := strconv.Atoi(digits)
	if err != nil {
		return 64
	}
	return bits
}
