package runtime

import "time"

// A Delta is what one commit changes in a stored record. What the request did
// not touch is not in it. The zero value changes nothing.
type Delta struct {
	// Ops are applied in order: the clearing of whole fields first, then at most
	// one operation for each entry.
	Ops []Op

	// Limits and MaxBytes must hold afterwards. They bind only a delta that
	// lets the field or the record grow.
	Limits   []Limit
	MaxBytes int // 0: no limit

	// Deadline replaces the record's own. Zero: it stays.
	Deadline time.Time

	// Used is when the session was used. Zero: the delta is no use of it.
	Used time.Time

	// Active is the end of the configured idle limit as this activity moves it. A
	// record with a limit of its own has another end, that much after Used. Used is
	// recorded only where one of the two limits is. Zero: no activity, or no
	// configured limit.
	Active time.Time

	// Idle replaces the record's own idle limit, also by a shorter one. Nil: it
	// stays; 0: the configured one counts again.
	Idle *time.Duration

	// Persistence replaces the record's own. Zero: it stays.
	Persistence Persistence

	// SignIn says whom the delta signs in. Nil: nobody, or it signs out.
	SignIn *SignIn

	Renewal *Renewal    // nil: the token stays
	Redeem  *Redemption // nil: no ticket is redeemed

	// Ticket delivers the token of Renewal, without which there is none, and replaces
	// that of the record. As long as only a ticket can deliver the session, the first
	// one's Saw and Sole stay. Nil: none.
	Ticket *Ticket
}

// OpKind says what an [Op] does.
type OpKind uint8

const (
	OpClear  OpKind = iota // remove the field Entry.Key and all its elements
	OpSet                  // store Entry
	OpRemove               // remove the entry Entry.Key
	OpAdd                  // add Entry.Count to the counter Entry.Key
)

// An Op changes one entry, or clears one field.
type Op struct {
	Kind OpKind

	// DropZero removes a counter that an OpAdd has brought to 0.
	DropZero bool

	Entry Entry

	// If must hold, or the whole delta is ErrConflict. Nil: unconditional.
	If *Condition
}

// A Condition demands that an entry is as it was seen.
type Condition struct {
	Absent  bool
	Counter bool   // it is a counter and has Count; otherwise it has Value
	Value   string // where it is not absent
	Count   int64
}

// A Limit bounds how many elements a map field may have.
type Limit struct {
	Field string
	Max   int
}

// A Renewal replaces the record's proof, if the presented one may do so. If it may
// not, the rest of the delta is applied and the proof stays; but a sign-in that may
// not is refused as a whole. A ticket that was outstanding ends with the proof that
// it was made for.
type Renewal struct {
	Kind   RenewalKind // the store may choose RenewJoin in place of RenewSignIn
	Proof  Proof
	Family Family // of the new secret; a plain renewal keeps that of the secret before
	Grace  time.Duration
}

// A SignIn says whom a delta signs in: the values that it sets of the fields that
// have the option renew.
type SignIn struct {
	Fields []SignInField

	// Joins says that the session type has fields with the options index and
	// renew, and that the delta sets all of them.
	Joins bool
}

// A SignInField is one field of a [SignIn].
type SignInField struct {
	Key   string
	Was   string // an earlier key; empty: none
	Value string // encoded; empty: the delta does not set it

	// Identity says that the field identifies the user. Of a session type with
	// index fields it is those that have both options, of any other one all.
	Identity bool
}

// A Redemption consumes the record's ticket, whose proof the key presents.
type Redemption struct {
	// Presented is what the browser's cookie holds; zero: no cookie.
	Presented Proof
	// Same are the other proofs of the live session that the cookie opens, back
	// to its last sign-in: the handshake may have seen one of them.
	Same []Proof
	// Live says that the cookie opens a live session.
	Live bool
}

// A Result is what a store knows after an update.
type Result struct {
	Won      bool // the delta's renewal took place
	Current  bool // the presented proof was the record's current one, or as good
	Created  time.Time
	Renewed  time.Time
	SignedIn time.Time
	Used     time.Time
	Deadline time.Time
	Expires  time.Time

	Persistence Persistence

	// Replaced are the entries that an OpAdd replaced because they were no
	// counters.
	Replaced []string
}
