package schema

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SessionMethods are the methods that every session type has, whatever its fields
// and its directive are.
var SessionMethods = []string{
	"CSRFToken", "CheckCSRF", "CreatedAt", "Destroy", "Destroyed", "Dirty", "DirtyFields", "Discard", "Err", "ExpiresAt",
	"Format", "Handle", "IsNew", "LastUsedAt", "Load", "LogValue", "MarshalJSON", "Passive",
	"Reload", "Renew", "Renewed", "RenewedAt", "Save", "SetExpiry", "SetIdle", "SetPersistent", "SignedInAt", "Snapshot",
}

// Methods returns the names of the methods that the session's type has whatever its
// fields are, sorted.
func (s *Session) Methods() []string {
	names := slices.Clone(SessionMethods)
	if s.Policy.Bound != nil {
		names = append(names, "Bound")
	}
	slices.Sort(names)
	return names
}

// Names are the package-level names that a session is generated under.
type Names struct {
	Session  string // "VisitorSession"
	Sessions string // "VisitorSessions"
	New      string // "NewVisitorSessions"
	From     string // "VisitorFrom"
	With     string // "WithVisitor"
}

// The ends of the names of the generated types.
const (
	SessionSuffix  = "Session"
	SessionsSuffix = "Sessions"
)

// Names returns the names for the session's stem. They are exported if the
// stem is.
func (s *Session) Names() Names {
	return Names{
		Session:  s.Name + SessionSuffix,
		Sessions: s.Name + SessionsSuffix,
		New:      s.prefixed("New") + SessionsSuffix,
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

// SignsIn reports whether there is a sign-in: a field that renews the token.
func (s *Session) SignsIn() bool {
	return slices.ContainsFunc(s.Fields, func(f *Field) bool { return f.Renew })
}

// SessionsMethods returns the names of the methods of the sessions' generated
// manager, sorted.
func (s *Session) SessionsMethods() []string {
	names := []string{"All", "Find", "NewCookie", "Ping", "RevokeAll"}
	if s.Hooks.HTTP {
		names = append(names, "Middleware", "ProcessRequest", "ProcessResponse")
	}
	if s.Hooks.HTTP && s.SignsIn() {
		names = append(names, "RequireSignIn")
	}
	if s.Hooks.Lively {
		names = append(names, "CheckOrigin", "LivelyConnect", "LivelyEvent", "ProcessLivelyEvent", "SyncHandler")
	}
	if s.Policy.Bound != nil {
		names = append(names, "BindHandler")
	}
	for _, f := range s.Fields {
		if f.Index {
			names = append(names, FindByX.Of(f.Name), RevokeByX.Of(f.Name))
		}
	}
	slices.Sort(names)
	return names
}
