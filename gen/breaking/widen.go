package breaking

import (
	"slices"
	"strings"
)

// A misfit says which part of a stored type is read differently now.
type misfit struct {
	rule Rule
	path string // "[].Street"; empty: the whole
	text string
}

// misfits returns what of the values that were stored as the earlier type does
// not read as the later one. Widening is none: every earlier value is one of the
// later type.
func misfits(earlier, later *stored, path string) []misfit {
	switch {
	case later.form == pointer && earlier.form != pointer:
		return misfits(earlier, later.elem, path)
	case earlier.form == text && later.form == basic && later.name == "string",
		earlier.form == binary && later.form == basic && later.name == "bytes":
		return nil
	case earlier.form == array && later.form == slice:
		return misfits(earlier.elem, later.elem, path+"[]")
	case earlier.form != later.form:
		return changed(path, earlier, later)
	}
	switch later.form {
	case basic:
		if !widens(earlier.name, later.name) {
			return changed(path, earlier, later)
		}
		return nil
	case structure:
		return memberMisfits(earlier, later, path)
	case mapping:
		found := misfits(earlier.elem, later.elem, path+"[]")
		if !widens(earlier.key.name, later.key.name) {
			found = append(found, changed(path, earlier, later)...)
		}
		return found
	case pointer:
		return misfits(earlier.elem, later.elem, path)
	case slice:
		return misfits(earlier.elem, later.elem, path+"[]")
	case array:
		if earlier.name != later.name {
			return changed(path, earlier, later)
		}
		return misfits(earlier.elem, later.elem, path+"[]")
	default:
		if earlier.name != later.name {
			return changed(path, earlier, later)
		}
		return nil
	}
}

func changed(path string, earlier, later *stored) []misfit {
	return []misfit{{KeyType, path, earlier.String() + " is no " + later.String()}}
}

// memberMisfits looks at the members that were there earlier. New ones are zero
// in what is stored.
func memberMisfits(earlier, later *stored, path string) []misfit {
	var found []misfit
	for _, m := range earlier.members {
		i := slices.IndexFunc(later.members, func(l member) bool { return l.name == m.name })
		if i < 0 {
			found = append(found, misfit{MemberDeleted, path + "." + m.name, ""})
			continue
		}
		found = append(found, misfits(m.typ, later.members[i].typ, path+"."+m.name)...)
	}
	return found
}

// widths are the bits of a number's values, without the sign: those of a float
// are what it holds exactly.
var widths = map[string]int{
	"int8": 7, "int16": 15, "int32": 31, "int64": 63, "int": 63, "count": 63,
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
	case !isNumber || !toNumber || earlier == "count" || later == "count":
		return false
	case strings.HasPrefix(earlier, "float"):
		return later == "float64"
	case strings.HasPrefix(earlier, "int") && strings.HasPrefix(later, "uint"):
		return false
	default:
		return from <= to
	}
}

// String returns the type as the stored form has it.
func (s *stored) String() string {
	switch s.form {
	case pointer:
		return "*" + s.elem.String()
	case slice:
		return "[]" + s.elem.String()
	case array:
		return "[" + s.name + "]" + s.elem.String()
	case mapping:
		return "map[" + s.key.String() + "]" + s.elem.String()
	case binary:
		return "binary(" + s.name + ")"
	case text:
		return "text(" + s.name + ")"
	case structure:
		members := make([]string, len(s.members))
		for i, m := range s.members {
			members[i] = m.name + ":" + m.typ.String()
		}
		return "{" + strings.Join(members, ",") + "}"
	default:
		return s.name
	}
}
