// Package older has a session as an earlier version of a program has it. Package
// newer has the next version, which runs on the same store.
package older

//go:generate go run github.com/duckgen/duckgen/cmd/duckgen

// Visitor is the session before fields were renamed and changed.
//
//duckgen:session kind=example.com/shop.Visitor cookie=shop
type Visitor struct {
	// Renamed later.
	Nick    string         `session:"nick"`
	Visits  int64          `session:"visits,merge=sum"`
	Basket  map[string]int `session:"basket,merge=sum"`
	Options map[int]string `session:"options"`
	Seen    []string       `session:"seen,merge=append,max=3"`
	Account int64          `session:"account,index"`
	Level   int            `session:"level,merge=max"`
	Key     string         `session:"key,secret"`

	// Of another type later.
	Age    string            `session:"age"`
	Prefs  string            `session:"prefs"`
	Labels map[string]string `session:"labels"`
	Score  int64             `session:"score"`
	Hits   int64             `session:"hits,merge=sum"`
	Parts  map[string]string `session:"parts"`
	Tries  map[string]int    `session:"tries,merge=sum"`

	// Found by it later.
	Team int64 `session:"team"`

	Kept    string            `session:"kept"`
	Dropped string            `session:"dropped"` // unknown later
	Bulk    map[string]string `session:"bulk,max=3"`
	Tier    uint8             `session:"tier,index"`
	Code    Code              `session:"code,index"`

	// Its members are renamed later.
	Home   Address            `session:"home"`
	Places map[string]Address `session:"places"`
}

// Code is text that a later version keeps as a string.
type Code struct{ Text string }

func (c Code) MarshalText() ([]byte, error) { return []byte(c.Text), nil }

func (c *Code) UnmarshalText(text []byte) error {
	c.Text = string(text)
	return nil
}

// Address is stored by the names of its fields.
type Address struct {
	Street string
	Zip    string
	Room   *int // gone later
}
