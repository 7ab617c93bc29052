package sessions

import (
	"context"
	"net/http"
	"testing"

	"github.com/duckgen/duckgen/bench/sessions/visitor"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func newDuckgen(t testing.TB) app {
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	sessions, err := visitor.NewVisitorSessions(store, func(c *runtime.Config) {
		c.OnError = func(context.Context, error) {} // the refused commits of a session that has ended
	})
	if err != nil {
		t.Fatal(err)
	}
	return app{
		name:    "duckgen",
		handler: func(h http.HandlerFunc) http.Handler { return sessions.Middleware(h) },
		fill: func(_ http.ResponseWriter, r *http.Request) {
			fillVisitor(visitor.VisitorFrom(r.Context()), visitor.Example())
		},
		read: func(r *http.Request, field string) string {
			s := visitor.VisitorFrom(r.Context())
			switch field {
			case "theme":
				return s.Theme()
			case "locale":
				return s.Locale()
			default:
				return s.Name()
			}
		},
		readAll: func(r *http.Request) { visitor.VisitorFrom(r.Context()).Snapshot() },
		write: func(_ http.ResponseWriter, r *http.Request, field, value string) {
			s := visitor.VisitorFrom(r.Context())
			if field == "theme" {
				s.SetTheme(value)
			} else {
				s.SetLocale(value)
			}
		},
		destroy: func(_ http.ResponseWriter, r *http.Request) { visitor.VisitorFrom(r.Context()).Destroy() },
	}
}

func fillVisitor(s *visitor.VisitorSession, v visitor.Visitor) {
	s.SetUserID(v.UserID)
	s.SetAccountID(v.AccountID)
	s.SetName(v.Name)
	s.SetEmail(v.Email)
	s.SetRole(v.Role)
	s.SetLocale(v.Locale)
	s.SetTheme(v.Theme)
	s.SetTimeZone(v.TimeZone)
	s.SetReferrer(v.Referrer)
	s.SetCampaign(v.Campaign)
	s.SetAgent(v.Agent)
	s.SetViews(v.Views)
	s.SetScore(v.Score)
	s.SetStep(v.Step)
	s.SetVerified(v.Verified)
	s.SetSeenAt(v.SeenAt)
	s.SetLoginAt(v.LoginAt)
	s.SetConsentAt(v.ConsentAt)
	s.SetCart(v.Cart)
	s.SetRecent(v.Recent)
}
