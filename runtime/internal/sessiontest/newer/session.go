// Package newer has a session as the later version of a program has it. Package
// older has the version before.
package newer

//go:generate go run github.com/duckgen/duckgen/cmd/duckgen

// Visitor is the session after fields were renamed and changed.
//
//duckgen:session kind=example.com/shop.Visitor cookie=shop
type Visitor struct {
	// Renamed.
	Name     string         `session:"name,was=nick"`
	Views    int64          `session:"views,merge=sum,was=visits"`
	Cart     map[string]int `session:"cart,merge=sum,was=basket"`
	Settings map[int]string `session:"settings,was=options"`
	Recent   []string       `session:"recent,merge=append,max=3,was=seen"`
	UserID   int64          `session:"user_id,index,was=account"`
	Rank     int            `session:"rank,merge=max,was=level"`
	APIKey   string         `session:"api_key,secret,was=key"`

	// Of another type.
	Age    int               `session:"age"`
	Prefs  map[string]string `session:"prefs"`
	Labels string            `session:"labels"`
	Score  int64             `session:"score,merge=sum"`
	Hits   string            `session:"hits"`
	Parts  map[string]int    `session:"parts,merge=sum"`
	Tries  map[string]string `session:"tries"`

	// Found by it.
	Team int64 `session:"team,index"`

	Kept  string            `session:"kept"`
	Added string            `session:"added"` // unknown before
	Bulk  map[string]string `session:"bulk,max=2"`
	Tier  int64             `session:"tier,index"`
	Code  string            `session:"code,index"`

	// Its members are renamed.
	Home   Address            `session:"home"`
	Places map[string]Address `session:"places"`
}

// Address has renamed members, one of them also in Go, and one that is not stored.
type Address struct {
	Street   string `session:"street,was=Street"`
	Postcode string `session:"postcode,was=Zip"`
	Country  string // unknown before
	Printed  func() `session:"-"`
}
