// Package session says what the kiosk remembers about a guest. The typed session in
// session_duckgen.go is generated from the struct.
package session

//go:generate go run github.com/duckgen/duckgen/cmd/duckgen

// Guest is what the kiosk remembers about one guest.
//
//duckgen:session age=168h idle=24h bound=false
type Guest struct {
	// UserID says who has signed in, 0 for nobody.
	UserID int64 `session:"user_id,index,renew"`

	// Name is what the pages call the user, "" for nobody.
	Name string `session:"name,max=80"`

	// Cart has the number of pieces of each kind.
	Cart map[string]int `session:"cart,merge=sum,max=20"`

	// Orders counts what was ordered, and Visits how often the guest has come.
	Orders int64 `session:"orders,merge=sum"`
	Visits int64 `session:"visits,merge=sum"`

	// Notice is shown on the next page.
	Notice string `session:"notice,once"`
}
