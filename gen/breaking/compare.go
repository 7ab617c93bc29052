// Package breaking compares the stored form of sessions with an earlier one and
// reports what would lose or misread sessions that are stored already. Earlier
// forms are read from generated files, whose comments hold them line by line; so
// nothing of the earlier state has to compile. Each rule has a name, is explained
// in docs/breaking.md, and can be allowed by the directive's allow=.
package breaking

import (
	"fmt"
	"slices"

	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/gen/storedform"
)

// A Break is one thing that would break stored sessions.
type Break struct {
	Rule    schema.Rule
	Key     string // which of the later form it is about; empty: the session as a whole
	Message string
	Hint    string
}

// Compare returns what the later form of a session breaks of the earlier one,
// in the order of keys.
func Compare(earlier, later storedform.Form) []Break {
	c := comparison{earlier: earlier, later: later}
	if earlier.Kind != later.Kind {
		c.add(schema.RuleKindChanged, "", fmt.Sprintf("write kind=%s in the directive", earlier.Kind),
			"the kind was %s and is %s: no token opens the sessions that are stored", earlier.Kind, later.Kind)
	}
	for _, key := range earlier.Keys {
		c.key(key)
	}
	c.reservations()
	return c.breaks
}

// A comparison collects the breaks of one session.
type comparison struct {
	earlier, later storedform.Form
	breaks         []Break
}

func (c *comparison) add(rule schema.Rule, key, hint, format string, args ...any) {
	c.breaks = append(c.breaks, Break{rule, key, fmt.Sprintf(format, args...), hint})
}

// key follows one earlier key to where its values are read now.
func (c *comparison) key(earlier storedform.Key) {
	later, ok := c.later.Find(earlier.Name)
	if !ok {
		later, ok = c.later.Successor(earlier.Name)
	}
	if !ok {
		if !slices.Contains(c.later.Reserved, earlier.Name) {
			c.add(schema.RuleKeyDeleted, "", fmt.Sprintf("write reserved=%s in the directive, or was=%[1]s at the field that replaces it", earlier.Name),
				"the key %s is gone: a later field could take it and read what is stored under it", earlier.Name)
		}
		return
	}
	c.options(earlier, later)
	c.types(earlier, later)
}

// options compares what gives the stored values of a key their meaning.
func (c *comparison) options(earlier, later storedform.Key) {
	if earlier.Secret != later.Secret {
		c.add(schema.RuleSecretChanged, later.Name, "use a new key, and reserve this one",
			"the values of %s were %s and are expected %s: those that are stored are reset",
			later.Name, sealed(earlier), sealed(later))
	}
	if earlier.TTL != later.TTL {
		c.add(schema.RuleTTLChanged, later.Name, "use a new key, and reserve this one",
			"the values of %s were stored %s and are expected %s: those that are stored are reset",
			later.Name, ending(earlier), ending(later))
	}
	if later.Index && !earlier.Index {
		c.add(schema.RuleIndexChanged, later.Name, "store it under a new key with index, or wait for the age of the sessions before you rely on it",
			"%s became an index: stored sessions are not found, or revoked, by it until they set it again", later.Name)
	}
	if earlier.Default != later.Default {
		c.add(schema.RuleDefaultChanged, later.Name, "",
			"the default of %s was %s and is %s: sessions that store nothing there change with it",
			later.Name, orZero(earlier.Default), orZero(later.Default))
	}
	if earlier.Was != "" && later.Was != earlier.Was && later.Name == earlier.Name {
		c.add(schema.RuleWasDropped, later.Name, "keep it for the age of the sessions after the deploy that renamed the key",
			"%s does not read the earlier key %s any more", later.Name, earlier.Was)
	}
}

func sealed(k storedform.Key) string {
	if k.Secret {
		return "sealed"
	}
	return "plain"
}

func ending(k storedform.Key) string {
	if k.TTL {
		return "with their end"
	}
	return "without an end"
}

func orZero(literal string) string {
	if literal == "" {
		return "zero"
	}
	return literal
}

// types compares the types. Counters are compared as such first: they are
// another kind of entry.
func (c *comparison) types(earlier, later storedform.Key) {
	if earlier.Type.Counts() != later.Type.Counts() {
		c.add(schema.RuleMergeSum, later.Name, "use a new key, and reserve this one",
			"%s was stored as %s and is %s: counters are entries of their own kind, so what is stored is reset",
			later.Name, earlier.Type, later.Type)
		return
	}
	for _, m := range storedform.Mismatches(earlier.Type, later.Type) {
		place := later.Name + m.Path
		switch {
		case m.Was != "":
			c.add(schema.RuleWasDropped, later.Name, "keep it until no stored session needs it",
				"%s does not read the earlier name %s any more", place, m.Was)
		case m.Later == nil:
			c.add(schema.RuleMemberDeleted, later.Name,
				"keep the member until no stored session needs it, or write was= in the tag of the one that replaces it",
				"%s is gone: what is stored of it is dropped when the field is written next", place)
		default:
			c.add(schema.RuleKeyType, later.Name, "use a new key, and reserve this one",
				"stored values of %s do not fit any more and are reset: %s became %s", place, m.Earlier, m.Later)
		}
	}
}

// reservations reports earlier keys that are taken, or could be.
func (c *comparison) reservations() {
	for _, name := range c.earlier.Reserved {
		if later, ok := c.later.Find(name); ok {
			c.reused(later.Name, "it was reserved")
			continue
		}
		if _, ok := c.later.Successor(name); !ok && !slices.Contains(c.later.Reserved, name) {
			c.add(schema.RuleReservationDropped, "", fmt.Sprintf("write reserved=%s in the directive", name),
				"the key %s is not reserved any more: a later field could take it and read what is stored under it", name)
		}
	}
	for _, key := range c.earlier.Keys {
		if key.Was == "" {
			continue
		}
		if later, ok := c.later.Find(key.Was); ok {
			c.reused(later.Name, "it was the earlier key of "+key.Name)
		}
	}
}

func (c *comparison) reused(key, why string) {
	c.add(schema.RuleKeyReused, key, "choose another key",
		"the key %s has a new meaning, %s: what is stored under it would be read as this field", key, why)
}

// Allowed returns the breaks without those whose rules are allowed.
func Allowed(breaks []Break, allow []schema.Rule) []Break {
	return slices.DeleteFunc(slices.Clone(breaks), func(b Break) bool { return slices.Contains(allow, b.Rule) })
}
