// Package session says what the program remembers about a visitor. The typed
// session in session_duckgen.go is generated from the struct.
package session

//go:generate go run github.com/duckgen/duckgen/cmd/duckgen

// Visitor is what the program remembers about one visitor.
//
//duckgen:session age=168h idle=24h hooks=http
type Visitor struct {
	// Subject says who has signed in, by the provider's name for the user, "" for
	// nobody. One user has five browsers at most.
	Subject string `session:"subject,index,limit=5,renew"`

	// Name is what the pages call the user.
	Name string `session:"name"`

	// SignIns has the sign-ins that are under way, by their states, so that each tab
	// has its own. The provider's answer takes one, and one alone: it is claimed.
	SignIns map[string]SignIn `session:"sign_ins,once,ttl=10m,max=8"`
}

// A SignIn is what the provider's answer is checked with.
type SignIn struct {
	Verifier string // the secret of PKCE
	Next     string // the page that wanted the sign-in
}
