// Package session says what a cinema remembers about a visitor. The typed session in
// session_duckgen.go is generated from the struct.
package session

//go:generate go run github.com/duckgen/duckgen/cmd/duckgen

// Visitor is what a cinema remembers about one visitor.
//
//duckgen:session age=24h hooks=http
type Visitor struct {
	// Bookings has what is being booked, by the ids in the paths of its pages, so that
	// each tab has its own. A booking is over half an hour after its last step, and
	// confirming claims it, so that it is booked once.
	Bookings map[string]Booking `session:"bookings,once,ttl=30m,max=5"`

	// Tickets has what was booked, the newest last.
	Tickets []Booking `session:"tickets,merge=append,max=20"`
}

// A Booking is filled in step by step.
type Booking struct {
	Film  string
	Seats int
	Guest Guest
}

// A Guest is who is coming.
type Guest struct{ Name, Email string }
