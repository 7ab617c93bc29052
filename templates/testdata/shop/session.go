// Package shop is what the golden file belongs to: sessions with every shape of
// field.
package shop

import (
	"net/netip"
	"time"
)

// Visitor is what the shop remembers about one visitor.
type Visitor struct {
	UserID  int64 // find and end a user's sessions; a change renews the token
	Name    string
	Theme   string
	Cart    map[string]int
	Views   int64
	Recent  []string
	Notice  string
	APIKey  string
	Address Address
	SeenAt  time.Time
	Stamps  Stamps
	Old     *uint8
	Grid    [3][]Pair[string, time.Duration]
	Spot    struct{ X, Y float64 }
	From    netip.Addr
	scratch func(Address) error
}

// Address is where to send things.
type Address struct {
	Street string
	Lines  []string
}

// Pair is two things.
type Pair[A, B any] struct {
	First  A
	Second B
}

// Stamps are kept by day.
type Stamps map[Day]Stamp

// Day is a day of the week.
type Day uint8

// Stamp is a moment.
type Stamp time.Time

// Admin is who works in the shop.
type Admin struct {
	User    string
	Home    Address
	Logins  uint32
	LastAt  Stamp
	Trail   []Address
	Tries   map[Day]uint16
	Backoff time.Duration
}

var _ = Visitor{}.scratch
