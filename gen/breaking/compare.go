package breaking

import (
	"fmt"
	"slices"
)

// A Break is one thing that would break stored sessions.
type Break struct {
	Rule    Rule
	Key     string // which of the later form it is about; empty: the session as a whole
	Message string
	Hint    string
}

// Compare returns what the later form of a session breaks of the earlier one,
// in the order of keys. An error means that a form is none.
func Compare(earlier, later Form) ([]Break, error) {
	c := comparison{earlier: earlier, later: later}
	if earlier.Kind != later.Kind {
		c.add(KindChanged, "", fmt.Sprintf("write kind=%s in the directive", earlier.Kind),
			"the kind was %s and is %s: nobody finds the sessions that are stored", earlier.Kind, later.Kind)
	}
	for _, key := range earlier.Keys {
		if err := c.key(key); err != nil {
			return nil, err
		}
	}
	c.reservations()
	return c.breaks, nil
}

// A comparison collects the breaks of one session.
type comparison struct {
	earlier, later Form
	breaks         []Break
}

func (c *comparison) add(rule Rule, key, hint, format string, args ...any) {
	c.breaks = append(c.breaks, Break{rule, key, fmt.Sprintf(format, args...), hint})
}

// key follows one earlier key to where its values are read now.
func (c *comparison) key(earlier Key) error {
	later, ok := c.later.find(earlier.Name)
	if !ok {
		later, ok = c.renamed(earlier.Name)
	}
	if !ok {
		if !slices.Contains(c.later.Reserved, earlier.Name) {
			c.add(KeyDeleted, "", fmt.Sprintf("write reserved=%s in the directive, or was=%[1]s at the field that replaces it", earlier.Name),
				"the key %s is gone: a later field could take it and read what is stored under it", earlier.Name)
		}
		return nil
	}
	c.options(earlier, later)
	return c.typ(earlier, later)
}

// renamed returns the key that reads the values of an earlier one.
func (c *comparison) renamed(name string) (Key, bool) {
	i := slices.IndexFunc(c.later.Keys, func(k Key) bool { return k.Was == name })
	if i < 0 {
		return Key{}, false
	}
	return c.later.Keys[i], true
}

// options compares what gives the stored values of a key their meaning.
func (c *comparison) options(earlier, later Key) {
	if earlier.Secret != later.Secret {
		c.add(SecretChanged, later.Name, "use a new key, and reserve this one",
			"the values of %s were %s and are expected %s: those that are stored are reset",
			later.Name, sealed(earlier), sealed(later))
	}
	if later.Index && !earlier.Index {
		c.add(IndexChanged, later.Name, "store it under a new key with index, or wait for the age of the sessions before you rely on it",
			"%s became an index: stored sessions are not found, or revoked, by it until they set it again", later.Name)
	}
	if earlier.Default != later.Default {
		c.add(DefaultChanged, later.Name, "",
			"the default of %s was %s and is %s: sessions that store nothing there change with it",
			later.Name, orZero(earlier.Default), orZero(later.Default))
	}
	if earlier.Was != "" && later.Was != earlier.Was && later.Name == earlier.Name {
		c.add(WasDropped, later.Name, "keep it for the age of the sessions after the deploy that renamed the key",
			"%s does not read the earlier key %s any more", later.Name, earlier.Was)
	}
}

func sealed(k Key) string {
	if k.Secret {
		return "sealed"
	}
	return "plain"
}

func orZero(literal string) string {
	if literal == "" {
		return "zero"
	}
	return literal
}

// typ compares the types. Counters are compared as such first: they are another
// kind of entry.
func (c *comparison) typ(earlier, later Key) error {
	from, err := parseStored(earlier.Type)
	if err != nil {
		return err
	}
	to, err := parseStored(later.Type)
	if err != nil {
		return err
	}
	if counts(from) != counts(to) {
		c.add(MergeSum, later.Name, "use a new key, and reserve this one",
			"%s was stored as %s and is %s: counters are entries of their own kind, so what is stored is reset",
			later.Name, from, to)
		return nil
	}
	for _, m := range misfits(from, to, "") {
		place := later.Name + m.path
		if m.rule == MemberDeleted {
			c.add(m.rule, later.Name, "keep the member until no stored session needs it",
				"%s is gone: what is stored of it is dropped when the field is written next", place)
			continue
		}
		c.add(m.rule, later.Name, "use a new key, and reserve this one",
			"stored values of %s do not fit any more and are reset: %s", place, m.text)
	}
	return nil
}

// counts reports whether a type is stored as counters.
func counts(t *stored) bool {
	if t.form == mapping {
		t = t.elem
	}
	return t.form == basic && t.name == "count"
}

// reservations reports earlier keys that are taken, or could be.
func (c *comparison) reservations() {
	for _, name := range c.earlier.Reserved {
		if later, ok := c.later.find(name); ok {
			c.reused(later.Name, "it was reserved")
			continue
		}
		if _, ok := c.renamed(name); !ok && !slices.Contains(c.later.Reserved, name) {
			c.add(ReservationDropped, "", fmt.Sprintf("write reserved=%s in the directive", name),
				"the key %s is not reserved any more: a later field could take it and read what is stored under it", name)
		}
	}
	for _, key := range c.earlier.Keys {
		if key.Was == "" {
			continue
		}
		if later, ok := c.later.find(key.Was); ok {
			c.reused(later.Name, "it was the earlier key of "+key.Name)
		}
	}
}

func (c *comparison) reused(key, why string) {
	c.add(KeyReused, key, "choose another key",
		"the key %s has a new meaning, %s: what is stored under it would be read as this field", key, why)
}

// Allowed returns the breaks without those whose rules are allowed.
func Allowed(breaks []Break, allow []string) []Break {
	return slices.DeleteFunc(slices.Clone(breaks), func(b Break) bool {
		return slices.Contains(allow, string(b.Rule))
	})
}
