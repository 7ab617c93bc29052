package read

import "github.com/duckgen/duckgen/gen/schema"

// Which options fit which types (V2, V4 to V7, V12, V13).

// A mergeRule says which types a merge fits.
type mergeRule struct {
	fits  func(*schema.Type) bool
	types string
}

var mergeRules = map[schema.Merge]mergeRule{
	schema.Sum: {
		func(t *schema.Type) bool { return isCountable(t) || t.Form == schema.MapOf && isCountable(t.Elem) },
		"int, int8 to int64, uint8, uint16, uint32 and maps of these",
	},
	schema.Max:    {isOrdered, "integers, floats, strings, time.Time and time.Duration"},
	schema.Min:    {isOrdered, "integers, floats, strings, time.Time and time.Duration"},
	schema.Append: {func(t *schema.Type) bool { return t.Form == schema.Slice }, "slices"},
}

func anyType(*schema.Type) bool { return true }

func isNoMap(t *schema.Type) bool { return t.Form != schema.MapOf }

// isScalar reports whether a field of the type is one value rather than a
// collection.
func isScalar(t *schema.Type) bool { return t.Form != schema.Slice && t.Form != schema.MapOf }

// isCountable reports whether an int64 holds every value of the type, which is
// what counters are stored as.
func isCountable(t *schema.Type) bool {
	switch t.Basic {
	case "int", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32":
		return true
	}
	return false
}

func isOrdered(t *schema.Type) bool {
	switch t.Form {
	case schema.Basic:
		return t.Basic != "bool" && !isComplex(t)
	case schema.Time:
		return t.Name.Path == "time"
	}
	return false
}

func hasDefault(t *schema.Type) bool { return t.Form == schema.Basic && !isComplex(t) }

// isIndexable leaves out what people do not look up: numbers that are rarely
// equal, optional values, structs.
func isIndexable(t *schema.Type) bool {
	switch t.Form {
	case schema.Basic:
		return !isComplex(t) && t.Basic != "float32" && t.Basic != "float64"
	case schema.Bytes, schema.Time, schema.Array, schema.BinaryMarshaler, schema.TextMarshaler:
		return true
	}
	return false
}

func hasSize(t *schema.Type) bool {
	switch t.Form {
	case schema.Bytes, schema.Slice, schema.MapOf:
		return true
	case schema.Basic:
		return t.Basic == "string"
	}
	return false
}

func isComplex(t *schema.Type) bool { return t.Basic == "complex64" || t.Basic == "complex128" }
