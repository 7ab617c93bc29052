package sessiontest

import (
	"net/http"
	"slices"
	"testing"
)

func TestV9TakingReadsAndClears(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			s.SetName("Ada")
			s.SetNotice("hello")
			s.SetNotices([]string{"a", "b"})
		})
		b.visit(func(s *VisitorSession) {
			notice, notices := s.TakeNotice(), s.TakeNotices()
			if notice != "hello" || !slices.Equal(notices, []string{"a", "b"}) {
				t.Errorf("took %q and %q", notice, notices)
			}
			if notice, notices := s.TakeNotice(), s.TakeNotices(); notice != "" || notices != nil {
				t.Errorf("took %q and %q the second time", notice, notices)
			}
			if got := s.DirtyFields(); !slices.Equal(got, []string{"notice", "notices"}) {
				t.Errorf("dirty: %q", got)
			}
		})
		b.visit(func(s *VisitorSession) {
			if notice := s.TakeNotice(); notice != "" {
				t.Errorf("took %q in a later request", notice)
			}
		})
	})
}

func TestV9TakingWhatIsAbsentChangesNothing(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		take := func(s *VisitorSession) {
			if s.TakeNotice() != "" || s.TakeNotices() != nil || s.Dirty() {
				t.Errorf("dirty: %q", s.DirtyFields())
			}
		}
		b.visit(take)
		if got := s.store.took(); got != "" {
			t.Errorf("calls without a session: %q", got)
		}
		b.visit(func(s *VisitorSession) { s.SetName("Ada") })
		s.store.took()
		b.visit(take)
		if got := s.store.took(); got != "load" {
			t.Errorf("calls %q, want the load alone", got)
		}
	})
}

func TestV9WhatWasSetInTheSameRequestCanBeTaken(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			s.SetNotice("hello")
			if got := s.TakeNotice(); got != "hello" || s.Dirty() {
				t.Errorf("took %q, dirty: %q", got, s.DirtyFields())
			}
		})
		if b.cookie != "" {
			t.Error("a notice that was set and taken started a session")
		}
	})
}

func TestV9TwoSimultaneousRequestsMayBothGetIt(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetName("Ada"); s.SetNotice("hello") })
		other := *b
		res := b.visit(func(s *VisitorSession) {
			first := s.TakeNotice()
			other.visit(func(s *VisitorSession) {
				if second := s.TakeNotice(); first != "hello" || second != "hello" {
					t.Errorf("took %q and %q", first, second)
				}
			})
		})
		if err := s.lastErr(); err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("the commit that had nothing left to clear: %v, status %d", err, res.StatusCode)
		}
		if _, stored := b.entries()["notice"]; stored {
			t.Error("the notice is still stored")
		}
	})
}
