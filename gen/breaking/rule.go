package breaking

import "slices"

// A Rule names one way to break stored sessions. A name keeps its meaning for
// good. What each means and how to live with it is in docs/breaking.md.
type Rule string

const (
	SessionDeleted     Rule = "SESSION_DELETED"     // a session type is gone
	KindChanged        Rule = "KIND_CHANGED"        // its stored sessions belong to no type any more
	KeyDeleted         Rule = "KEY_DELETED"         // a key is gone and not reserved
	KeyReused          Rule = "KEY_REUSED"          // a reserved or earlier key has a new meaning
	KeyType            Rule = "KEY_TYPE"            // stored values do not fit the type any more
	MemberDeleted      Rule = "MEMBER_DELETED"      // a part of a stored struct is gone
	MergeSum           Rule = "MERGE_SUM"           // a value became a counter, or the other way round
	SecretChanged      Rule = "SECRET_CHANGED"      // sealed values became plain ones, or the other way round
	IndexChanged       Rule = "INDEX_CHANGED"       // stored sessions are not found by the field
	DefaultChanged     Rule = "DEFAULT_CHANGED"     // what is not stored means something else
	WasDropped         Rule = "WAS_DROPPED"         // an earlier key is not read any more
	ReservationDropped Rule = "RESERVATION_DROPPED" // a reserved key may come back
)

// Rules returns every rule, in the order of docs/breaking.md.
func Rules() []Rule {
	return []Rule{
		SessionDeleted, KindChanged, KeyDeleted, KeyReused, KeyType, MemberDeleted,
		MergeSum, SecretChanged, IndexChanged, DefaultChanged, WasDropped, ReservationDropped,
	}
}

// IsRule reports whether a rule has the name, in upper case as rules are.
func IsRule(name string) bool { return slices.Contains(Rules(), Rule(name)) }
