// Package session says what the shop remembers about a visitor. The typed
// session in session_duckgen.go is generated from the struct.
package session

//go:generate go run github.com/duckgen/duckgen/cmd/duckgen

// Visitor is what the shop remembers about one visitor.
//
// The directive names no cookie: the name then follows from the settings,
// "__Host-Http-session_id" over HTTPS and "session_id" over plain HTTP.
//
// Whether sessions are bound to the device of their browser, the program decides.
//
//duckgen:session age=168h idle=24h bound=false
type Visitor struct {
	// UserID says who has signed in, 0 for nobody.
	UserID int64 `session:"user_id,index,renew"`

	// Name is what the pages call the user, "" for nobody.
	Name string `session:"name,max=160"`

	// Device is where the user has signed in.
	Device Device `session:"device"`

	// Theme is "light" or "dark".
	Theme string `session:"theme,default=light"`

	// Cart has the number of pieces for each product's SKU.
	Cart map[string]int `session:"cart,merge=sum,max=50"`

	// Recent has the SKUs of the products that were looked at, the newest last.
	Recent []string `session:"recent,merge=append,max=8"`

	// Notice is shown on the next page.
	Notice string `session:"notice,once"`

	// Visits counts the pages that were looked at.
	Visits int64 `session:"visits,merge=sum"`
}

// A Device is what the list of a user's devices shows of one.
type Device struct {
	Name string // "Firefox on Linux"
	Addr string // the network address, without a port
}
