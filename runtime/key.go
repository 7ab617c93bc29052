package runtime

import (
	"encoding/hex"
	"time"
)

// An ID names a session: 128 random bits that stay the same for its whole
// life. It opens nothing and may be logged.
type ID [16]byte

// String returns the id in lower-case hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// A Proof is what a store keeps of a secret: its SHA-256 together with the kind
// of the session (ASVS 5.0, 7.2.3 and 11.5.1). A stolen proof opens no session.
type Proof [32]byte

// A Family is what a store keeps of the half of a secret that plain renewals
// leave as it is: the beginning of its SHA-256. It is made at creation, at each
// sign-in and sign-out. An unknown proof of a record's own family is that of a
// token which was valid once.
type Family [8]byte

// A Key says which session an operation means and with what right. Every field
// is evidence; none of them means "trusted".
type Key struct {
	ID    ID
	Proof Proof // of the presented secret; of a ticket's secret if Ticket is set

	// Family is that of the presented secret. Zero: none, as of a ticket and of a
	// session that an index has found; and before a [Judge] needs it.
	Family Family
	token  presentedToken // says the family; nil: Family does

	// Ticket says that Proof is that of a ticket. It is valid for the one
	// update that redeems it, and for deleting a session that nothing else
	// could deliver.
	Ticket bool

	// Now is the program's clock ([Config.Now]). A store in the program's process
	// or on its machine judges by it. A store on a server judges by the server's
	// clock: the times that come with a key mean as long from its Now as they say.
	Now time.Time

	// Age is how long ago the request or event behind this operation arrived,
	// by its own monotonic clock.
	Age time.Duration

	// Held says that a running request or a live connection was admitted with
	// this proof before, so presenting it is no evidence of reuse.
	Held bool

	// Live says that no browser presents the proof with this operation: a live
	// connection does, or the very request that it was issued to. That does not
	// count as the first presentation of a renewed token.
	Live bool
}

// A presentedToken knows the family of the secret whose proof a key has.
type presentedToken interface{ presentFamily() Family }

// family returns that of the presented secret.
func (k Key) family() Family {
	if k.token != nil {
		return k.token.presentFamily()
	}
	return k.Family
}

// Arrived returns when the request or event behind the operation arrived.
func (k Key) Arrived() time.Time { return k.Now.Add(-k.Age) }
