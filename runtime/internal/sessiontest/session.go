// Package sessiontest tests the behaviour of generated sessions, rule by rule, on
// every store. A test of a rule bears its number.
package sessiontest

import "time"

//go:generate go run github.com/duckgen/duckgen/cmd/duckgen

// Visitor has a field of every shape and of most options. The others (ttl=, limit=,
// merge=first and was=) are on the sessions beside their tests, such as Timed.
//
//duckgen:session cookie=shop age=168h bound=false
type Visitor struct {
	UserID  int64           `session:"user_id,index,renew"` // whose session it is, 0 for nobody
	Name    string          `session:"name,max=40"`
	Theme   string          `session:"theme,default=light"`
	Cart    map[string]int  `session:"cart,merge=sum,max=50"`
	Views   int64           `session:"views,merge=sum"`
	Level   int8            `session:"level,merge=sum"`
	Recent  []string        `session:"recent,merge=append,max=3"`
	Tags    []string        `session:"tags,max=4"`
	Notice  string          `session:"notice,once"`
	Notices []string        `session:"notices,once"`
	APIKey  string          `session:"api_key,secret"`
	Address Address         `session:"address"`
	SeenAt  time.Time       `session:"seen_at,merge=max"`
	Best    int             `session:"best,merge=min"`
	Nick    *string         `session:"nick"`
	Avatar  []byte          `session:"avatar,max=8"`
	Prefs   map[int]Setting `session:"prefs"`
	Ratio   float64         `session:"ratio"`
}

// Address is a struct in a field.
type Address struct {
	Street string
	Lines  []string
}

// Setting is an element of a map field.
type Setting struct {
	On    bool
	Value string
}
