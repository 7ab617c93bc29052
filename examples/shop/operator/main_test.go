package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// visit lets a browser sign in, and returns the session's handle and the browser's token.
func visit(t *testing.T, sessions *session.VisitorSessions, user int64) (handle, token string) {
	t.Helper()
	w := httptest.NewRecorder()
	sessions.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s := session.VisitorFrom(r.Context())
		s.SetUserID(user)
		s.SetName("Ada")
	})).ServeHTTP(w, httptest.NewRequest("GET", "https://shop.example/", nil))
	for s, err := range sessions.FindByUserID(t.Context(), user) {
		if err != nil {
			t.Fatal(err)
		}
		handle = s.Handle()
	}
	return handle, w.Result().Cookies()[0].Value
}

func TestAnOperatorListsShowsAndEndsSessions(t *testing.T) {
	db := filepath.Join(t.TempDir(), "shop.db")
	store, err := sqlitestore.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	sessions, err := session.NewVisitorSessions(store)
	if err != nil {
		t.Fatal(err)
	}
	ada, token := visit(t, sessions, 7)
	bob, _ := visit(t, sessions, 8)
	visit(t, sessions, 9)

	said := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if err := run(t.Context(), db, args, &out); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		if strings.Contains(out.String(), token) || strings.Contains(out.String(), token[len(token)/2:]) {
			t.Errorf("%q shows a token", args)
		}
		return out.String()
	}
	if got := said("list"); strings.Count(got, "\n") != 4 || !strings.Contains(got, ada) || !strings.Contains(got, bob) {
		t.Errorf("list:\n%s", got)
	}
	if got := said("show", ada); !strings.Contains(got, "user       7\n") || !strings.Contains(got, "Ada") {
		t.Errorf("show:\n%s", got)
	}
	said("end", ada)
	said("ping")
	if got := said("end-user", "8"); got != "1 sessions ended\n" {
		t.Errorf("end-user: %s", got)
	}
	for _, handle := range []string{ada, bob} {
		if err := run(t.Context(), db, []string{"show", handle}, &bytes.Buffer{}); !errors.Is(err, runtime.ErrNotFound) {
			t.Errorf("show of an ended session: %v", err)
		}
	}
	if got := said("end-all"); got != "1 sessions ended\n" {
		t.Errorf("end-all: %s", got)
	}
	if got := said("list"); strings.Count(got, "\n") != 1 {
		t.Errorf("list of nobody:\n%s", got)
	}
	for _, args := range [][]string{nil, {"show"}, {"list", "x"}, {"end"}, {"a", "b", "c"}} {
		if err := run(t.Context(), db, args, &bytes.Buffer{}); !errors.Is(err, errUsage) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if err := run(t.Context(), db+".none", []string{"list"}, &bytes.Buffer{}); err == nil {
		t.Error("a file that is missing is made")
	}
}
