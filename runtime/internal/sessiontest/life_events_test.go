package sessiontest

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// wantLife looks at what the program was told, each with the handle of the session
// that it is about.
func wantLife(t *testing.T, s *site, want ...string) {
	t.Helper()
	var got []string
	for _, e := range s.told() {
		got = append(got, strings.TrimSpace(string(e.Kind)+" "+e.Handle))
	}
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestR17EventsTellTheLifeOfASession(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	var id string
	visit := func(do func(*VisitorSession)) {
		b.visit(do)
		id = b.handle()
		s.wait(time.Second)
	}
	visit(func(s *VisitorSession) { s.SetName("Ada") })
	wantLife(t, s, "created "+id)
	visit(func(s *VisitorSession) { s.SetName("Grace"); s.Theme() })
	wantLife(t, s)
	visit(func(s *VisitorSession) { s.SetUserID(7) })
	wantLife(t, s, "signed_in "+id)
	visit(func(s *VisitorSession) { s.Renew() })
	wantLife(t, s, "renewed "+id)
	visit(func(s *VisitorSession) { s.ClearUserID() })
	wantLife(t, s, "signed_out "+id)
	old := id
	visit(func(s *VisitorSession) { s.Destroy(); s.SetNotice("bye") })
	wantLife(t, s, "destroyed "+old, "created "+id)
}

func TestR17ACreationCanBeASignIn(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.visit(func(s *VisitorSession) { s.SetUserID(7) })
	wantLife(t, s, "created "+b.handle(), "signed_in "+b.handle())
}

func TestR17WhatDoesNotHappenIsNotTold(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	s.told()
	s.store.fail = func(string) error { return errOutage }
	b.visit(func(s *VisitorSession) { s.SetUserID(7) })
	b.visit(func(s *VisitorSession) { s.Destroy() })
	b.clone().visit(func(s *VisitorSession) { s.Renew() })
	s.store.fail = nil
	b.visit(func(s *VisitorSession) { s.SetName("Ada"); s.Discard() })
	b.do(func(w http.ResponseWriter, _ *http.Request, s *VisitorSession) {
		s.SetUserID(7)
		w.WriteHeader(http.StatusInternalServerError)
	})
	wantLife(t, s)
}

func TestR17ASecondDestroyIsNotTold(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	s.told()
	b.visit(func(v *VisitorSession) {
		v.Destroy()
		b.clone().visit(func(v *VisitorSession) { v.Destroy() })
		s.told()
	})
	wantLife(t, s)
}

func TestR17ARevocationTellsOfHowManySessions(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.browser().visit(func(s *VisitorSession) { s.SetUserID(7) })
	}
	s.told()
	for _, want := range []int{3, 0} {
		if n, err := s.RevokeByUserID(t.Context(), 7); n != want || err != nil {
			t.Errorf("revoked %d, error %v, want %d", n, err, want)
		}
	}
	told := s.told()
	if len(told) != 1 || told[0].Kind != runtime.EventRevoked || told[0].Count != 3 || told[0].Field != "user_id" ||
		told[0].String() != "revoked: sessiontest.Visitor() field user_id of 3 sessions" {
		t.Errorf("events %v, want one of 3 sessions", told)
	}
}

func TestR17ALiveEventTellsOfItsSession(t *testing.T) {
	s := newSite(t)
	c := s.signedUp().connect()
	s.told()
	var id string
	c.must(func(s *VisitorSession) { s.SetUserID(7); id = s.Handle() })
	wantLife(t, s, "signed_in "+id)
	c.sync()
	c.must(func(s *VisitorSession) { s.Destroy() })
	wantLife(t, s, "destroyed "+id)
}

func TestR17AnEventsContextHasTheSessionThatItIsAbout(t *testing.T) {
	var user int64
	s := newSite(t, func(c *runtime.Config) {
		c.OnEvent = func(ctx context.Context, e runtime.Event) {
			if e.Kind == runtime.EventSignedIn {
				user = VisitorFrom(ctx).UserID()
			}
		}
	})
	s.browser().visit(func(s *VisitorSession) { s.SetUserID(7) })
	if user != 7 {
		t.Errorf("the event's context has the session of user %d, want 7", user)
	}
}

func TestR17TheDefaultLogHasTheLifeOfSessionsForDebuggingOnly(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelDebug: 1, slog.LevelInfo: 0} {
		var log strings.Builder
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})))
		s := newSite(t, func(c *runtime.Config) { c.OnEvent = nil })
		s.browser().visit(func(s *VisitorSession) { s.SetName("Ada") })
		slog.SetDefault(before)
		if got := strings.Count(log.String(), "kind=created"); got != want {
			t.Errorf("at %v %d lines of the creation, want %d: %s", level, got, want, log.String())
		}
	}
}
