package schema

import "slices"

// A Rule names one way to break stored sessions. A name keeps its meaning for
// good. What each means and how to live with it is in docs/breaking.md.
type Rule string

const (
	RuleSessionDeleted     Rule = "SESSION_DELETED"     // a session type is gone
	RuleKindChanged        Rule = "KIND_CHANGED"        // its stored sessions belong to no type any more
	RuleCookieChanged      Rule = "COOKIE_CHANGED"      // browsers do not send it where it is read now
	RuleKeyDeleted         Rule = "KEY_DELETED"         // a key is gone and not reserved
	RuleKeyReused          Rule = "KEY_REUSED"          // a reserved or earlier key has a new meaning
	RuleKeyType            Rule = "KEY_TYPE"            // stored values do not fit the type any more
	RuleMarshalerChanged   Rule = "MARSHALER_CHANGED"   // another type reads what one has marshalled
	RuleMemberDeleted      Rule = "MEMBER_DELETED"      // a part of a stored struct is gone
	RuleMemberReused       Rule = "MEMBER_REUSED"       // a member reads what was another one
	RuleMergeSum           Rule = "MERGE_SUM"           // a value became a counter, or the other way round
	RuleSecretChanged      Rule = "SECRET_CHANGED"      // sealed values became plain ones, or the other way round
	RuleTTLChanged         Rule = "TTL_CHANGED"         // values are stored with their end, or no longer
	RuleIndexChanged       Rule = "INDEX_CHANGED"       // stored sessions are not found by the field
	RuleDefaultChanged     Rule = "DEFAULT_CHANGED"     // what is not stored means something else
	RuleWasDropped         Rule = "WAS_DROPPED"         // an earlier key is not read any more
	RuleReservationDropped Rule = "RESERVATION_DROPPED" // a reserved key may come back
)

// Rules returns every rule, in the order of docs/breaking.md.
func Rules() []Rule {
	return []Rule{
		RuleSessionDeleted, RuleKindChanged, RuleCookieChanged, RuleKeyDeleted, RuleKeyReused, RuleKeyType,
		RuleMarshalerChanged, RuleMemberDeleted, RuleMemberReused,
		RuleMergeSum, RuleSecretChanged, RuleTTLChanged, RuleIndexChanged, RuleDefaultChanged, RuleWasDropped, RuleReservationDropped,
	}
}

// IsRule reports whether a rule has the name, in upper case as rules are.
func IsRule(name string) bool { return slices.Contains(Rules(), Rule(name)) }
