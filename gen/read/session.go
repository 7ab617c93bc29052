package read

import (
	"go/token"
	"go/types"
	"slices"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/runtime"
)

// A session is one annotated struct with the places of what was said.
type session struct {
	*schema.Session
	pos      token.Pos               // of the struct's name
	settings map[string]settingPlace // of the directive
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
		settings: map[string]settingPlace{},
	}
}

// place returns where a setting stands, or the struct's name if it is not
// given.
func (s *session) place(setting string) token.Pos {
	if place, ok := s.settings[setting]; ok {
		return place.name
	}
	return s.pos
}

// cookies returns the names that the session's cookies can have: without cookie=
// other settings decide, which a program may change at start. There are none if
// cookie= lacks its value.
func (s *session) cookies() []string {
	if _, given := s.settings["cookie"]; given && s.Policy.Cookie == nil {
		return nil
	}
	named := func(c *runtime.Config) {
		if s.Policy.Cookie != nil {
			c.Cookie.Name = *s.Policy.Cookie
		}
	}
	prefixed, _ := runtime.Configure(named)
	plain, _ := runtime.Configure(named, func(c *runtime.Config) { c.Cookie.Secure = false })
	names := []string{prefixed.Cookie.Name, plain.Cookie.Name}
	if s.Policy.Bound != nil {
		names = append(names, prefixed.BoundCookie().Name)
	}
	return slices.Compact(names)
}

// A settingPlace is where a setting and its value stand; without a value, both
// are where the setting stands.
type settingPlace struct{ name, value token.Pos }

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
