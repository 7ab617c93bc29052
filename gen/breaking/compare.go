// Package breaking compares the stored form of sessions with an earlier one and
// reports what would lose or misread sessions that are stored already. Earlier
// forms are read from generated files, whose comments hold them line by line; so
// nothing of the earlier state has to compile. Each rule has a name, is explained
// in docs/breaking.md, and can be allowed by the directive's allow=.
package breaking

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

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
	c.cookie()
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

// cookie compares what the directives say of the cookie. A form of which that is not
// known has no name of one.
func (c *comparison) cookie() {
	earlier, later := c.earlier.Cookie, c.later.Cookie
	switch {
	case earlier.Name == "" || later.Name == "" || earlier == later:
	case earlier.Name != later.Name:
		c.add(schema.RuleCookieChanged, "", fmt.Sprintf("write cookie=%s in the directive", earlier.Name),
			"the cookie was %s and is %s: browsers send the earlier one, which nothing reads, so that every session ends for its visitor",
			earlier.Name, later.Name)
	default:
		c.add(schema.RuleCookieChanged, "", "keep the scope, or name the earlier one in Config.Cookie.Earlier, where it is cleared",
			"the cookie %s was set with %s and is set with %s: browsers send the earlier one where that says alone, and visitors begin new sessions elsewhere",
			later.Name, earlier.Scope(), later.Scope())
	}
}

// key follows one earlier key to where its values are read now.
func (c *comparison) key(earlier storedform.Key) {
	later, ok := c.reader(earlier.Name)
	if !ok {
		c.gone(earlier.Name)
		c.gone(earlier.Was)
		return
	}
	if _, stored := c.earlier.Find(later.Name); stored && later.Name != earlier.Name {
		c.reused(later.Name, earlier.Name, "it was a field beside that one")
		return
	}
	c.options(earlier, later)
	c.types(earlier, later)
}

// reader returns the field that reads what is stored under a key.
func (c *comparison) reader(key string) (storedform.Key, bool) {
	if later, ok := c.later.Find(key); ok {
		return later, true
	}
	return c.later.Successor(key)
}

// gone reports a key that nothing reads any more, unless it is reserved. An empty one
// is none.
func (c *comparison) gone(key string) {
	if key == "" || slices.Contains(c.later.Reserved, key) {
		return
	}
	if _, read := c.reader(key); read {
		return // which is reported there
	}
	c.add(schema.RuleKeyDeleted, "", fmt.Sprintf("write reserved=%s in the directive, or was=%[1]s at the field that replaces it", key),
		"the key %s is gone: a later field could take it and read what is stored under it", key)
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
	c.index(earlier, later)
	if !sameLiteral(earlier.Default, later.Default) {
		c.add(schema.RuleDefaultChanged, later.Name, "",
			"the default of %s was %s and is %s: sessions that store nothing there change with it",
			later.Name, orZero(earlier.Default), orZero(later.Default))
	}
	if earlier.Was != "" && later.Was != earlier.Was {
		c.add(schema.RuleWasDropped, later.Name, "keep it for the age of the sessions after the deploy that renamed the key",
			"%s does not read the earlier key %s any more", later.Name, earlier.Was)
	}
}

// index compares how sessions are found by a key.
func (c *comparison) index(earlier, later storedform.Key) {
	const hint = "store it under a new key with index, or wait for the age of the sessions before you rely on it"
	switch {
	case !later.Index:
	case !earlier.Index:
		c.add(schema.RuleIndexChanged, later.Name, hint,
			"%s became an index: stored sessions are not found, or revoked, by it until they set it again", later.Name)
	case storedform.Respelled(earlier.Type, later.Type):
		c.add(schema.RuleIndexChanged, later.Name, hint,
			"the index %s was stored as %s, and as %s equal values may be encoded otherwise: stored sessions are not found, or revoked, by them until they set them again",
			later.Name, earlier.Type, later.Type)
	}
}

// sameLiteral reports whether two defaults are of one value. A type that became wider
// may write it otherwise.
func sameLiteral(a, b string) bool {
	if a == b {
		return true
	}
	x, err := number(a)
	y, otherErr := number(b)
	return err == nil && otherErr == nil && x.Cmp(y) == 0
}

// number reads the literal of a number or of a duration.
func number(literal string) (*big.Rat, error) {
	if d, err := time.ParseDuration(literal); err == nil {
		return new(big.Rat).SetInt64(int64(d)), nil
	}
	if r, ok := new(big.Rat).SetString(literal); ok {
		return r, nil
	}
	return nil, strconv.ErrSyntax
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
		case m.Taken != "":
			c.add(schema.RuleMemberReused, later.Name, "choose another name",
				"%s reads what is stored under %s, which was another member", place, m.Taken)
		case m.Was != "":
			c.add(schema.RuleWasDropped, later.Name, "keep it until no stored session needs it",
				"%s does not read the earlier name %s any more", place, m.Was)
		case m.Later == nil:
			c.add(schema.RuleMemberDeleted, later.Name,
				"keep the member until no stored session needs it, or write was= in the tag of the one that replaces it",
				"%s is gone: what is stored of it is dropped when the field is written next", place)
		case m.Earlier.Form == storedform.Count:
			c.add(schema.RuleKeyType, later.Name, "use a new key, and reserve this one",
				"the counter %s became narrower: of what is stored it reads no more than %s holds, and %s was more", place, m.Later, m.Earlier)
		case isMarshaler(m.Earlier) && m.Later.Form == m.Earlier.Form:
			c.add(schema.RuleMarshalerChanged, later.Name, "make sure that it does; if not, use a new key, and reserve this one",
				"stored values of %s were written by %s and are read by %s: those that it does not accept are reset", place, m.Earlier, m.Later)
		default:
			c.add(schema.RuleKeyType, later.Name, "use a new key, and reserve this one",
				"stored values of %s do not fit any more and are reset: %s became %s", place, m.Earlier, m.Later)
		}
	}
}

func isMarshaler(t *storedform.Type) bool {
	return t.Form == storedform.Text || t.Form == storedform.Binary
}

// reservations reports earlier keys that are taken, or could be.
func (c *comparison) reservations() {
	for _, name := range c.earlier.Reserved {
		if later, ok := c.reader(name); ok {
			c.reused(later.Name, name, "it was reserved")
			continue
		}
		if !slices.Contains(c.later.Reserved, name) {
			c.add(schema.RuleReservationDropped, "", fmt.Sprintf("write reserved=%s in the directive", name),
				"the key %s is not reserved any more: a later field could take it and read what is stored under it", name)
		}
	}
	for _, key := range c.earlier.Keys {
		if key.Was == "" {
			continue
		}
		later, ok := c.reader(key.Was)
		if heir, _ := c.reader(key.Name); ok && later.Name != heir.Name {
			c.reused(later.Name, key.Was, "it was the earlier key of "+key.Name)
		}
	}
}

// reused reports that a field reads a key which had another meaning.
func (c *comparison) reused(by, key, why string) {
	c.add(schema.RuleKeyReused, by, "choose another key",
		"the key %s has a new meaning, %s: what is stored under it would be read as %s", key, why, by)
}

// Allowed returns the breaks without those whose rules are allowed.
func Allowed(breaks []Break, allow []schema.Rule) []Break {
	return slices.DeleteFunc(slices.Clone(breaks), func(b Break) bool { return slices.Contains(allow, b.Rule) })
}
