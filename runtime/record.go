package runtime

import "time"

// A Record is a stored session. Created, Renewed, SignedIn, Used, Deadline, Expires and
// Idle are in whole milliseconds. When something ended or was first presented is kept as
// exactly as the clock tells it, at least to the microsecond, because it is
// compared with the arrival of requests.
type Record struct {
	Kind    string         // of the session type
	Proof   Proof          // of the current secret
	Family  Family         // of the current secret
	Earlier []EarlierProof // the last proofs before it, newest first, at most [MaxEarlier]

	Created  time.Time
	Renewed  time.Time // the last renewal; Created until there is one
	SignedIn time.Time // the last sign-in; zero before the first and after a sign-out
	Used     time.Time // the last recorded activity; zero: none besides the renewals
	Deadline time.Time // no activity moves it
	Expires  time.Time // when the session ends; now == Expires is expired

	// Idle is the session's own idle limit, at most [MaxAge]. 0: the configured one.
	Idle        time.Duration
	Persistence Persistence // of its cookie

	Ticket  *Ticket // nil: none outstanding
	Entries Entries

	// Ended is when the session was destroyed or revoked. A record that has
	// ended is only the mark of it: it has no entries, and counts as missing
	// once [MarkLife] has passed.
	Ended time.Time
}

// Persistence says whether the cookie of a session outlives the browser.
type Persistence uint8

const (
	PersistenceConfigured Persistence = iota // as Cookie.BrowserClose says
	PersistencePermanent                     // until the session's deadline
	PersistenceBrowser                       // until the browser is closed
)

// MaxEarlier is how many earlier proofs a record keeps. A plain renewal that would
// forget one that may be in use does not take place.
const MaxEarlier = 4

// An EarlierProof is a proof that a renewal has replaced.
type EarlierProof struct {
	Proof Proof
	Ended time.Time // when it was replaced, or ended by a later sign-in or sign-out
	By    RenewalKind

	// Presented is when one of its successors was first presented, which ends
	// the life of the token after Grace if plain renewals have replaced it. Zero
	// until then.
	Presented time.Time
	Grace     time.Duration
}

// A RenewalKind says why a token is replaced, and what becomes of the ones before.
type RenewalKind uint8

const (
	// RenewPlain: the tokens before work until the new one has been presented and
	// the grace has passed.
	RenewPlain RenewalKind = iota

	// RenewSignIn and RenewSignOut: the tokens before reach nothing any more.
	RenewSignIn
	RenewSignOut

	// RenewJoin: the token before stays as good as the new one until a renewal of
	// another kind. It is a sign-in of the same user by a token that another sign-in
	// has just ended, a double click for instance; and the redemption of a ticket,
	// which replaces a token that only a live connection has.
	RenewJoin
)

// A Ticket lets a browser fetch the cookie of a session that a live connection
// has created or renewed. It is redeemed once, by [Delta.Redeem].
type Ticket struct {
	Proof Proof     // of the ticket's secret
	Ends  time.Time // now == Ends is too late
	Saw   Proof     // what the browser must present, or another token of that session; zero: no live session

	// Sole says that nothing but this ticket can deliver the session's token:
	// the session ends with it.
	Sole bool
}

// Live reports whether a record is there, has not ended and has not expired.
func (r *Record) Live(now time.Time) bool {
	return r != nil && r.Ended.IsZero() && now.Before(r.Expires)
}

// Mark returns what a store keeps of a session that has ended, until the mark
// expires.
//
// The end is kept as exactly as the clock tells it: which came first, the end or
// a request, is often a matter of microseconds.
func (r *Record) Mark(now time.Time) *Record {
	return &Record{
		Kind:    r.Kind,
		Proof:   r.Proof,
		Family:  r.Family,
		Earlier: r.Earlier,
		Created: r.Created,
		Renewed: r.Renewed,
		Expires: now.Add(MarkLife).Truncate(time.Millisecond), // as the expiry of any record
		Ended:   now,
	}
}
