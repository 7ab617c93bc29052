package sessions

import (
	"net/http"
	"testing"

	"github.com/alexedwards/scs/v2"

	"github.com/duckgen/duckgen/bench/sessions/visitor"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// adopt signs a visitor in who is signed in with scs, as docs/migrating.md says.
func adopt(t *testing.T, old *scs.SessionManager, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		s := visitor.VisitorFrom(ctx)
		if id := old.GetInt64(ctx, "user_id"); id != 0 && s.UserID() == 0 && s.Err() == nil {
			s.SetUserID(id)
			if err := s.Save(ctx); err == nil {
				if err := old.Destroy(ctx); err != nil {
					t.Error(err)
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

func TestAVisitorOfAnotherLibraryStaysSignedIn(t *testing.T) {
	store := memstore.New()
	defer store.Close()
	sessions, err := visitor.NewVisitorSessions(store)
	if err != nil {
		t.Fatal(err)
	}
	old := scs.New()
	both := app{handler: func(h http.HandlerFunc) http.Handler {
		return sessions.Middleware(old.LoadAndSave(adopt(t, old, h)))
	}}
	user := func(b browser) (id int64) {
		b.visit(both, func(_ http.ResponseWriter, r *http.Request) { id = visitor.VisitorFrom(r.Context()).UserID() })
		return id
	}
	b := browser{}
	b.visit(app{handler: func(h http.HandlerFunc) http.Handler { return old.LoadAndSave(h) }},
		func(_ http.ResponseWriter, r *http.Request) { old.Put(r.Context(), "user_id", int64(42)) })

	if id := user(b); id != 42 {
		t.Fatalf("at the first request the user is %d, not 42", id)
	}
	if id := user(b); id != 42 {
		t.Fatalf("at the second request the user is %d, not 42", id)
	}
	b.visit(both, func(_ http.ResponseWriter, r *http.Request) { visitor.VisitorFrom(r.Context()).Destroy() })
	if id := user(b); id != 0 {
		t.Fatalf("after signing out the user is %d", id)
	}
}
