package sessions

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/duckgen/duckgen/bench/sessions/visitor"
)

// An app is what one library makes of the same small application, over its
// store in memory where it has one.
type app struct {
	name string

	// handler wraps a handler as the library's documentation says.
	handler func(http.HandlerFunc) http.Handler

	// These are for handlers. write sets "theme" or "locale", read returns one
	// of them or "name".
	fill    http.HandlerFunc // stores [visitor.Example]
	read    func(r *http.Request, field string) string
	readAll func(r *http.Request)
	write   func(w http.ResponseWriter, r *http.Request, field, value string)
	destroy http.HandlerFunc
}

// pairs returns the values of [visitor.Example] by key, as libraries without
// types want them.
func pairs() map[string]any {
	v := visitor.Example()
	return map[string]any{
		"user_id": v.UserID, "account_id": v.AccountID, "name": v.Name, "email": v.Email, "role": v.Role,
		"locale": v.Locale, "theme": v.Theme, "time_zone": v.TimeZone, "referrer": v.Referrer,
		"campaign": v.Campaign, "agent": v.Agent, "views": v.Views, "score": v.Score, "step": v.Step,
		"verified": v.Verified, "seen_at": v.SeenAt, "login_at": v.LoginAt, "consent_at": v.ConsentAt,
		"cart": v.Cart, "recent": v.Recent,
	}
}

// apps opens one app for each library that is compared.
func apps(t testing.TB) []app {
	key := bytes.Repeat([]byte{'k'}, 32)
	return []app{
		newDuckgen(t),
		newSCS("scs gob", nil),
		newSCS("scs json", jsonCodec{}),
		newGorilla("gorilla files", sessions.NewFilesystemStore(t.TempDir(), key)),
		newGorilla("gorilla cookie", sessions.NewCookieStore(key)),
	}
}
