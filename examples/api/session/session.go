// Package session says what the API remembers about a client. The typed session in
// session_duckgen.go is generated from the struct.
package session

//go:generate go run github.com/duckgen/duckgen/cmd/duckgen

// Client is what the API remembers about one client: an app on somebody's phone, a
// command-line program.
//
//duckgen:session age=720h idle=168h hooks=http
type Client struct {
	// UserID says who has signed in, 0 for nobody.
	UserID int64 `session:"user_id,index,renew"`

	// Device is what the client calls itself.
	Device string `session:"device,max=100"`

	// Cart has the number of pieces for each product's SKU.
	Cart map[string]int `session:"cart,merge=sum,max=50"`
}
