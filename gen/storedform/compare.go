package storedform

import (
	"slices"
	"strings"
)

// A Mismatch is a part of stored values that is read differently now.
type Mismatch struct {
	Path    string // "[].Street"; empty: the whole
	Earlier *Type
	Later   *Type  // nil: the member is gone
	Was     string // the earlier name that a member does not read any more; empty: the types differ
}

// Mismatches returns what of the values that were stored as the earlier type
// does not read as the later one. Widening is not a mismatch: every earlier
// value is one of the later type.
func Mismatches(earlier, later *Type) []Mismatch { return mismatches(earlier, later, "") }

func mismatches(earlier, later *Type, path string) []Mismatch {
	switch {
	case later.Form == Pointer && earlier.Form != Pointer:
		return mismatches(earlier, later.Elem, path)
	case earlier.Form == Text && later.Form == Basic && later.Name == "string",
		earlier.Form == Binary && later.Form == Bytes:
		return nil
	case earlier.Form == Array && later.Form == Slice:
		return mismatches(earlier.Elem, later.Elem, path+"[]")
	case earlier.Form != later.Form:
		return []Mismatch{{Path: path, Earlier: earlier, Later: later}}
	}
	switch later.Form {
	case Basic:
		return unless(widens(earlier.Name, later.Name), earlier, later, path)
	case Pointer:
		return mismatches(earlier.Elem, later.Elem, path)
	case Slice:
		return mismatches(earlier.Elem, later.Elem, path+"[]")
	case Array:
		if earlier.Len != later.Len {
			return []Mismatch{{Path: path, Earlier: earlier, Later: later}}
		}
		return mismatches(earlier.Elem, later.Elem, path+"[]")
	case Map:
		found := mismatches(earlier.Elem, later.Elem, path+"[]")
		return append(found, unless(widens(earlier.Key.Name, later.Key.Name), earlier, later, path)...)
	case Struct:
		return memberMismatches(earlier, later, path)
	default: // of marshalers the types count
		return unless(earlier.Name == later.Name, earlier, later, path)
	}
}

func unless(fits bool, earlier, later *Type, path string) []Mismatch {
	if fits {
		return nil
	}
	return []Mismatch{{Path: path, Earlier: earlier, Later: later}}
}

// memberMismatches looks at the members that were there earlier. New ones are
// zero in what is stored.
func memberMismatches(earlier, later *Type, path string) []Mismatch {
	var found []Mismatch
	for _, m := range earlier.Members {
		now := later.reader(m.Name)
		if now == nil {
			found = append(found, Mismatch{Path: path + "." + m.Name, Earlier: m.Type})
			continue
		}
		place := path + "." + now.Name
		if m.Was != "" && m.Was != now.Was && m.Name == now.Name {
			found = append(found, Mismatch{Path: place, Earlier: m.Type, Later: now.Type, Was: m.Was})
		}
		found = append(found, mismatches(m.Type, now.Type, place)...)
	}
	return found
}

// reader returns the member that reads what is stored under a name, or nil.
func (t *Type) reader(name string) *Member {
	for _, reads := range []func(Member) bool{
		func(m Member) bool { return m.Name == name },
		func(m Member) bool { return m.Was == name },
	} {
		if i := slices.IndexFunc(t.Members, reads); i >= 0 {
			return &t.Members[i]
		}
	}
	return nil
}

// widths are the bits of a number's values, without the sign: those of a float
// are what it holds exactly.
var widths = map[string]int{
	"int8": 7, "int16": 15, "int32": 31, "int64": 63, "int": 63,
	"uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64, "uint": 64, "uintptr": 64,
	"float32": 24, "float64": 53,
}

// widens reports whether every value of the earlier basic type is one of the
// later. int and uint count as 64 bits wide.
func widens(earlier, later string) bool {
	if earlier == later {
		return true
	}
	from, isNumber := widths[earlier]
	to, toNumber := widths[later]
	switch {
	case earlier == "complex64" && later == "complex128":
		return true
	case !isNumber || !toNumber:
		return false
	case strings.HasPrefix(earlier, "float"):
		return later == "float64"
	case strings.HasPrefix(earlier, "int") && strings.HasPrefix(later, "uint"):
		return false
	default:
		return from <= to
	}
}
