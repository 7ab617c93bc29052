package schema

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SessionMethods are the methods that every session type has, whatever its
// fields are.
var SessionMethods = []string{
	"CreatedAt", "Destroy", "Dirty", "DirtyFields", "Err", "ExpiresAt", "Format",
	"Handle", "IsNew", "Load", "LogValue", "MarshalJSON", "Renew", "RenewedAt",
	"Save", "SetExpiry", "Snapshot",
}

// Names are the package-level names that a session is generated under.
type Names struct {
	Session  string // "VisitorSession"
	Sessions string // "VisitorSessions"
	New      string // "NewVisitorSessions"
	From     string // "VisitorFrom"
	With     string // "WithVisitor"
}

// Names returns the names for the session's stem. They are exported where the
// stem is.
func (s *Session) Names() Names {
	return Names{
		Session:  s.Name + "Session",
		Sessions: s.Name + "Sessions",
		New:      s.prefixed("New") + "Sessions",
		From:     s.Name + "From",
		With:     s.prefixed("With"),
	}
}

// List returns the names in a fixed order.
func (n Names) List() []string {
	return []string{n.Session, n.Sessions, n.New, n.From, n.With}
}

func (s *Session) prefixed(verb string) string {
	first, size := utf8.DecodeRuneInString(s.Name)
	if unicode.IsUpper(first) {
		return verb + s.Name
	}
	return strings.ToLower(verb) + string(unicode.ToUpper(first)) + s.Name[size:]
}

// Accessors returns the names of the methods that the field adds to its
// session, sorted.
func (f *Field) Accessors() []string {
	n := f.Name
	names := append(f.readers(), "Set"+n, "Clear"+n, n+"Dirty")
	switch f.Shape {
	case Counter:
		names = append(names, "Add"+n)
	case List:
		if f.Merge == Append {
			names = append(names, "Append"+n)
		}
	case Map, CounterMap:
		names = append(names, "Set"+n+"Item", "Delete"+n+"Item")
		if f.Shape == CounterMap {
			names = append(names, "Add"+n+"Item")
		}
	}
	slices.Sort(names)
	return names
}

// readers are the accessors that read. A field that is read once has only the
// one that takes it as a whole.
func (f *Field) readers() []string {
	n := f.Name
	switch {
	case f.Once:
		return []string{"Take" + n}
	case f.Shape == List:
		return []string{n, n + "Len", n + "At"}
	case f.Shape == Map || f.Shape == CounterMap:
		return []string{n, n + "Len", n + "Item"}
	default:
		return []string{n}
	}
}

// SessionsMethods returns the names of the methods of the generated type that
// makes and keeps the sessions, sorted.
func (s *Session) SessionsMethods() []string {
	var names []string
	if s.Hooks.HTTP {
		names = append(names, "Middleware", "ProcessRequest", "ProcessResponse")
	}
	if s.Hooks.Lively {
		names = append(names, "CheckOrigin", "LivelyConnect", "LivelyEvent", "ProcessLivelyEvent", "SyncHandler")
	}
	for _, f := range s.Fields {
		if f.Index {
			names = append(names, "FindBy"+f.Name, "RevokeBy"+f.Name)
		}
	}
	slices.Sort(names)
	return names
}
