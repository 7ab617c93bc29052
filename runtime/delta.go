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

	// Active is the end of the idle limit as this activity moves it. Zero: no
	// activity, or no idle limit.
	Active time.Time

	// CurrentOnly applies the delta only if the presented proof is the record's
	// current one, and is ErrSuperseded otherwise. Every delta that signs
	// somebody in has it.
	CurrentOnly bool

	Renewal *Renewal    // nil: the token stays
	Ticket  *Ticket     // nil: none. It is stored only if the presented proof is the current one
	Redeem  *Redemption // nil: no ticket is redeemed
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
	Kind  OpKind
	Entry Entry

	// DropZero removes a counter that an OpAdd has brought to 0.
	DropZero bool

	// If must hold, or the whole delta is ErrConflict. Nil: unconditional.
	If *Condition
}

// A Condition demands that an entry is as it was seen.
type Condition struct {
	Absent bool
	Value  string // where it is not absent
}

// A Limit bounds how many elements a map field may have.
type Limit struct {
	Field string
	Max   int
}

// A Renewal replaces the record's proof if the presented one is current.
// Otherwise the rest of the delta is applied and the proof stays. A ticket that was
// outstanding ends with the proof that it was made for.
type Renewal struct {
	Proof Proof

	// SignIn ends every earlier token at once. Without it they work until the
	// new one has been presented and Grace has passed.
	SignIn bool
	Grace  time.Duration
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
	Current  bool // the presented proof was the record's current one
	Created  time.Time
	Renewed  time.Time
	Deadline time.Time
	Expires  time.Time

	// Replaced are the entries that an OpAdd replaced because they were no
	// counters.
	Replaced []string
}
