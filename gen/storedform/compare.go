package storedform

import (
	"cmp"
	"slices"
	"strings"
)

// A Mismatch is a part of stored values that is read differently now.
type Mismatch struct {
	Path    string // "[].Street"; empty: the whole
	Earlier *Type
	Later   *Type  // nil: the member is gone
	Was     string // an earlier name that a member does not read any more; empty: the types differ
	Taken   string // the name of another member, which this one reads now; empty: the types differ
}

// Mismatches returns what of the values that a field of the earlier type has stored
// does not read as the later one. Widening is not a mismatch: every earlier
// value is one of the later type.
func Mismatches(earlier, later *Type) []Mismatch {
	if (earlier.Form == Map) != (later.Form == Map) { // a map field has an entry for each element
		return []Mismatch{{Earlier: earlier, Later: later}}
	}
	return mismatches(earlier, later, "")
}

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
	case Count:
		return unless(widens(earlier.counts(), later.counts()), earlier, later, path)
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

// counts is the integer that a counter holds.
func (t *Type) counts() string { return cmp.Or(t.Name, "int64") }

// memberMismatches looks at the members that were there earlier. New ones are
// zero in what is stored, unless they read what another one has left.
func memberMismatches(earlier, later *Type, path string) []Mismatch {
	var found []Mismatch
	for _, m := range earlier.Members {
		now := later.reader(m.Name)
		if now == nil {
			found = append(found, Mismatch{Path: path + "." + m.Name, Earlier: m.Type})
			continue
		}
		place := path + "." + now.Name
		if m.Name != now.Name && earlier.member(now.Name) != nil {
			found = append(found, Mismatch{Path: place, Earlier: m.Type, Later: now.Type, Taken: m.Name})
			continue
		}
		if m.Was != "" && m.Was != now.Was {
			found = append(found, Mismatch{Path: place, Earlier: m.Type, Later: now.Type, Was: m.Was})
		}
		if other := later.reader(m.Was); m.Was != "" && other != nil && other != now {
			found = append(found, Mismatch{Path: path + "." + other.Name, Earlier: m.Type, Later: other.Type, Taken: m.Was})
		}
		found = append(found, mismatches(m.Type, now.Type, place)...)
	}
	return found
}

// reader returns the member that reads what is stored under a name, or nil.
func (t *Type) reader(name string) *Member {
	if m := t.member(name); m != nil {
		return m
	}
	return t.first(func(m Member) bool { return m.Was == name })
}

// member returns the member of a name, or nil.
func (t *Type) member(name string) *Member {
	return t.first(func(m Member) bool { return m.Name == name })
}

func (t *Type) first(is func(Member) bool) *Member {
	i := slices.IndexFunc(t.Members, is)
	if i < 0 {
		return nil
	}
	return &t.Members[i]
}

// Respelled reports whether an index that has values as the earlier type encodes them
// may miss them by what the later type makes of the same. Of a number and a text it
// knows the other encodings.
func Respelled(earlier, later *Type) bool {
	switch {
	case earlier.Form == Basic && later.Form == Basic, earlier.Form == Text && later.Form == Basic:
		return false
	default:
		return respelled(earlier, later)
	}
}

// respelled reports whether equal values may have different encodings.
func respelled(earlier, later *Type) bool {
	switch {
	case later.Form == Pointer && earlier.Form != Pointer:
		return respelled(earlier, later.Elem)
	case earlier.Form == Basic && later.Form == Basic:
		return kindOf(earlier.Name) != kindOf(later.Name)
	case earlier.Form == Binary && later.Form == Bytes:
		return false
	case earlier.Form == Array && later.Form == Slice:
		return respelled(earlier.Elem, later.Elem)
	case earlier.Form != later.Form:
		return true
	}
	switch later.Form {
	case Pointer, Slice, Array:
		return respelled(earlier.Elem, later.Elem)
	case Map:
		return respelled(earlier.Key, later.Key) || respelled(earlier.Elem, later.Elem)
	case Struct:
		return membersRespelled(earlier.Members, later.Members)
	default:
		return false
	}
}

// membersRespelled leaves out the members that are new: they are zero, and nothing is
// written of them.
func membersRespelled(earlier, later []Member) bool {
	for _, m := range later {
		if !slices.ContainsFunc(earlier, func(e Member) bool { return e.Name == m.Name }) {
			continue
		}
		if earlier[0].Name != m.Name || respelled(earlier[0].Type, m.Type) {
			return true
		}
		earlier = earlier[1:]
	}
	return len(earlier) > 0
}

// kindOf is what numbers of any width are encoded alike as.
func kindOf(basic string) string { return strings.TrimRight(basic, "0123456789") }

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
