package read

import (
	"go/token"
	"go/types"

	"github.com/duckgen/duckgen/gen/schema"
)

// A session is one annotated struct with the places of what was said.
type session struct {
	*schema.Session
	pos      token.Pos            // of the struct's name
	settings map[string]token.Pos // of the directive
	fields   []*field
}

func newSession(path, name string, pos token.Pos) *session {
	return &session{
		Session: &schema.Session{
			Name:   name,
			Struct: name,
			Kind:   path + "." + name,
			Hooks:  schema.Hooks{HTTP: true, Lively: true},
		},
		pos:      pos,
		settings: map[string]token.Pos{},
	}
}

// place returns where a setting stands, and the struct's name where it is not
// given.
func (s *session) place(setting string) token.Pos {
	if pos, ok := s.settings[setting]; ok {
		return pos
	}
	return s.pos
}

// hasCookie is false where the cookie's name is one that it cannot have.
func (s *session) hasCookie() bool {
	_, given := s.settings["cookie"]
	return !given || s.Policy.Cookie != nil
}

// A field is one session field with the places of what its tag says.
type field struct {
	*schema.Field
	goType  types.Type
	pos     token.Pos // of its name
	key     token.Pos
	options map[string]optionPlace
}

// An optionPlace is where an option and its value stand.
type optionPlace struct {
	name, value token.Pos
	text        string
}

func (f *field) has(option string) bool {
	_, ok := f.options[option]
	return ok
}
