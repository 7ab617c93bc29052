// Package visitor declares the session that the libraries are compared with.
package visitor

import "time"

//go:generate go tool duckgen

// Visitor has 20 fields, as large applications have them.
//
//duckgen:session
type Visitor struct {
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

// Example returns the values that every library stores.
func Example() Visitor {
	now := time.Date(2026, 11, 1, 9, 30, 0, 0, time.UTC)
	v := Visitor{
		UserID:    4711,
		AccountID: 1_234_567,
		Name:      "Augusta Ada King, Countess of Lovelace",
		Email:     "ada.lovelace@analytical-engine.example",
		Role:      "administrator of the engine",
		Locale:    "en-GB, en;q=0.8, de;q=0.7",
		Theme:     "dark, with a high contrast",
		TimeZone:  "Europe/London, summer time",
		Referrer:  "https://search.example/?q=sessions+in+go",
		Campaign:  "autumn-2026-newsletter-second-wave",
		Agent:     "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0",
		Views:     17,
		Score:     98_765,
		Step:      3,
		Verified:  true,
		SeenAt:    now,
		LoginAt:   now.Add(-time.Hour),
		ConsentAt: now.Add(-24 * time.Hour),
		Cart:      make(map[string]int),
	}
	for _, n := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		v.Cart["sku-100"+n] = len(v.Cart) + 1
		v.Recent = append(v.Recent, "/products/100"+n)
	}
	return v
}
