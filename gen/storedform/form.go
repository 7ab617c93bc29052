// Package storedform knows how sessions are stored. A [Form] is made from the
// schema of a session ([Of]), printed in the comment above the generated model
// ([Form.Lines]), and read back from there ([Read]). [Mismatches] compares the
// types of an earlier and a later form.
package storedform

import (
	"cmp"
	"slices"

	"github.com/duckgen/duckgen/gen/schema"
)

// A Form is how the sessions of one type are stored, and found again by the visitor's
// cookie.
type Form struct {
	Session  string // the generated type, "VisitorSession"
	Kind     string
	Cookie   Cookie
	Keys     []Key    // sorted by name
	Reserved []string // keys that may not come back, sorted
}

// A Key is a key with its type and what else gives stored data its meaning.
type Key struct {
	Name    string
	Type    *Type
	Index   bool
	Secret  bool
	TTL     bool   // stored with its end
	Was     string // an earlier key that is still read; empty: none
	Default string // as [schema.Literal.String] has it; empty: the zero value
}

// Of returns the stored form of a session.
func Of(s *schema.Session) Form {
	form := Form{
		Session:  s.Names().Session,
		Kind:     s.Kind,
		Cookie:   cookieOf(s.Policy.Configure),
		Reserved: slices.Sorted(slices.Values(s.Policy.Reserved)),
	}
	for _, f := range s.Fields {
		form.Keys = append(form.Keys, keyOf(f))
	}
	slices.SortFunc(form.Keys, func(a, b Key) int { return cmp.Compare(a.Name, b.Name) })
	return form
}

func keyOf(f *schema.Field) Key {
	key := Key{Name: f.Key, Type: TypeOf(f), Index: f.Index, Secret: f.Secret, TTL: f.TTL > 0, Was: f.Was}
	if f.Default != nil {
		key.Default = f.Default.String()
	}
	return key
}

// Find returns the key of the name.
func (f Form) Find(name string) (Key, bool) {
	return f.first(func(k Key) bool { return k.Name == name })
}

// Successor returns the key that reads the values of an earlier key.
func (f Form) Successor(earlier string) (Key, bool) {
	return f.first(func(k Key) bool { return k.Was == earlier })
}

func (f Form) first(is func(Key) bool) (Key, bool) {
	i := slices.IndexFunc(f.Keys, is)
	if i < 0 {
		return Key{}, false
	}
	return f.Keys[i], true
}
