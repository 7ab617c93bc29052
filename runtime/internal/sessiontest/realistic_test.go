package sessiontest

import "time"

// Realistic is a session of 20 fields, as large applications have them. The
// benchmarks use it.
//
//duckgen:session cookie=realistic
type Realistic struct {
	UserID    int64          `session:"user_id"`
	AccountID int64          `session:"account_id"`
	Name      string         `session:"name"`
	Email     string         `session:"email"`
	Role      string         `session:"role"`
	Locale    string         `session:"locale"`
	Theme     string         `session:"theme"`
	TimeZone  string         `session:"time_zone"`
	Referrer  string         `session:"referrer"`
	Campaign  string         `session:"campaign"`
	Agent     string         `session:"agent"`
	Views     int64          `session:"views,merge=sum"`
	Score     int            `session:"score"`
	Step      int            `session:"step"`
	Verified  bool           `session:"verified"`
	SeenAt    time.Time      `session:"seen_at"`
	LoginAt   time.Time      `session:"login_at"`
	ConsentAt time.Time      `session:"consent_at"`
	Cart      map[string]int `session:"cart"`
	Recent    []string       `session:"recent"`
}
