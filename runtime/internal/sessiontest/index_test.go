package sessiontest

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// signedIn is a browser whose session belongs to the user.
func (s *site) signedIn(user int64) *browser {
	s.t.Helper()
	b := s.browser()
	b.visit(func(v *VisitorSession) { v.SetUserID(user); v.SetName("Ada") })
	return b
}

// find returns the handles of the user's sessions, sorted.
func (s *site) find(user int64) (handles []string) {
	s.t.Helper()
	for v, err := range s.FindByUserID(s.t.Context(), user) {
		if err != nil {
			s.t.Fatal(err)
		}
		handles = append(handles, v.Handle())
	}
	slices.Sort(handles)
	return handles
}

func (s *site) revoke(user int64, except ...*VisitorSession) int {
	s.t.Helper()
	n, err := s.RevokeByUserID(s.t.Context(), user, except...)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (b *browser) handle() (handle string) {
	b.visit(func(v *VisitorSession) { handle = v.Handle() })
	return handle
}

func TestS2FindIsCompleteAndExact(t *testing.T) {
	s := newSite(t)
	var want []string
	for range 100 {
		want = append(want, s.signedIn(7).handle())
		s.signedIn(8)
	}
	s.known()
	gone := s.signedIn(7)
	gone.visit(func(v *VisitorSession) { v.Destroy() })
	out := s.signedIn(7)
	out.visit(func(v *VisitorSession) { v.ClearUserID() })
	moved := s.signedIn(8)
	moved.visit(func(v *VisitorSession) { v.SetUserID(7) })
	want = append(want, moved.handle())
	slices.Sort(want)
	if got := s.find(7); !slices.Equal(got, want) {
		t.Errorf("%d sessions found, want exactly the %d of the user", len(got), len(want))
	}
	s.now = s.now.Add(168 * time.Hour)
	if got := s.find(7); len(got) != 0 {
		t.Errorf("%d expired sessions found", len(got))
	}
}

func TestS2RevocationIsCompleteAndExact(t *testing.T) {
	s := newSite(t)
	var theirs, others []*browser
	for range 100 {
		theirs = append(theirs, s.signedIn(7))
		others = append(others, s.signedIn(8))
	}
	others = append(others, s.known())
	if got := s.revoke(7); got != len(theirs) {
		t.Errorf("%d sessions revoked, want %d", got, len(theirs))
	}
	for _, b := range theirs {
		if got := b.name(); got != "" {
			t.Fatalf("name %q in a revoked session", got)
		}
	}
	for _, b := range others {
		if got := b.name(); got != "Ada" {
			t.Fatalf("name %q in a session of somebody else", got)
		}
	}
	if got := s.revoke(7); got != 0 || len(s.find(7)) != 0 {
		t.Errorf("%d sessions revoked again", got)
	}
}

func TestS2RevocationExcepts(t *testing.T) {
	s := newSite(t)
	mine, other := s.signedIn(7), s.signedIn(7)
	mine.visit(func(v *VisitorSession) {
		if got := s.revoke(7, v); got != 1 {
			t.Errorf("%d sessions revoked, want all but this one", got)
		}
		v.SetUserID(7) // the new password's sign-in
	})
	if mine.user() != 7 || other.user() != 0 {
		t.Errorf("users %d and %d, want the excepted session alone to live", mine.user(), other.user())
	}
}

func TestS2RevocationExceptsTheSessionThatThisRequestBegins(t *testing.T) {
	bring := map[string]func(*site) *browser{
		"no cookie": (*site).browser,
		"an expired session": func(s *site) *browser {
			b := s.known()
			s.now = s.now.Add(168 * time.Hour)
			return b
		},
		"a session that another request renews": (*site).known,
	}
	for name, bring := range bring {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := bring(s)
			old := b.clone()
			res := b.visit(func(v *VisitorSession) {
				s.revoke(7, v)
				old.visit(func(v *VisitorSession) { v.Renew() })
				v.SetUserID(7)
			})
			wantStatus(t, "revoke all others and sign in", res.StatusCode, http.StatusOK)
			if got := b.user(); got != 7 {
				t.Errorf("user %d, want the request's own sign-in", got)
			}
		})
	}
}

func TestV2DefaultIsNeverIndexed(t *testing.T) {
	s := newSite(t)
	b := s.known()
	if got := s.find(0); len(got) != 0 {
		t.Errorf("%d sessions found by the default", len(got))
	}
	if got := s.revoke(0); got != 0 {
		t.Errorf("%d sessions revoked by the default", got)
	}
	b.visit(func(v *VisitorSession) { v.SetUserID(7) })
	b.visit(func(v *VisitorSession) { v.SetUserID(0) })
	if got := s.revoke(0) + len(s.find(0)); got != 0 || b.name() != "Ada" {
		t.Errorf("a session that signed out is found by the default")
	}
}

func TestS2LoginAtTheSameMomentDoesNotEscape(t *testing.T) {
	s := newSite(t)
	for name, b := range map[string]*browser{"new session": s.browser(), "stored session": s.known()} {
		before := b.cookie
		res := b.visit(func(v *VisitorSession) {
			s.revoke(7)
			v.SetUserID(7)
		})
		wantStatus(t, name+", sign-in that arrived before the revocation", res.StatusCode, http.StatusConflict)
		if b.cookie != before || len(s.find(7)) != 0 {
			t.Errorf("%s: the sign-in escaped", name)
		}
	}
	c := s.known().connect()
	if err := c.event(func(v *VisitorSession) { s.revoke(7); v.SetUserID(7) }); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("an event that began before the revocation: %v, want ErrEnded", err)
	}
	if err := c.event(func(v *VisitorSession) { v.SetUserID(7) }); err != nil {
		t.Errorf("an event that began after it: %v", err)
	}
}

func TestS2RevocationAgainstConcurrentLogins(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s := on.site(t)
		for range 20 {
			var all, arrived sync.WaitGroup
			arrived.Add(16)
			for range 16 {
				b := s.browser()
				all.Go(func() {
					b.visit(func(v *VisitorSession) { arrived.Done(); arrived.Wait(); v.SetUserID(7) })
				})
			}
			arrived.Wait()
			s.revoke(7)
			all.Wait()
			if got := s.find(7); len(got) != 0 {
				t.Fatalf("%d logins that arrived before the revocation escaped it", len(got))
			}
		}
	})
}

func TestS2ConnectionOfARevokedSessionEnds(t *testing.T) {
	s := newSite(t)
	c := s.signedIn(7).connect()
	s.revoke(7)
	if err := c.event(func(v *VisitorSession) { v.SetTheme("dark") }); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("got %v, want ErrEnded", err)
	}
}

// found returns the one session that the index finds.
func (s *site) found(user int64) (found *VisitorSession) {
	s.t.Helper()
	for v, err := range s.FindByUserID(s.t.Context(), user) {
		if err != nil || found != nil {
			s.t.Fatalf("error %v, or more than one session", err)
		}
		found = v
	}
	if found == nil {
		s.t.Fatal("no session found")
	}
	return found
}

func TestS2FoundSessionsAreReadSetAndDestroyed(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(7)
	v := s.found(7)
	if v.Name() != "Ada" || v.UserID() != 7 || v.IsNew() || v.Handle() != b.handle() {
		t.Errorf("name %q, user %d, new %v, handle %q in a found session", v.Name(), v.UserID(), v.IsNew(), v.Handle())
	}
	v.SetTheme("dark")
	v.AddViews(3)
	v.SetAPIKey("k")
	if err := v.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.visit(func(v *VisitorSession) {
		if v.Theme() != "dark" || v.Views() != 3 || v.APIKey() != "k" {
			t.Errorf("theme %q, views %d, key %q, want what was set by index", v.Theme(), v.Views(), v.APIKey())
		}
	})
	v = s.found(7)
	v.Destroy()
	if err := v.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.name(); got != "" {
		t.Errorf("name %q in a session that was destroyed by index", got)
	}
}

func TestS2FoundSessionsAreNotRenewed(t *testing.T) {
	for name, renew := range map[string]func(*VisitorSession){
		"Renew":    func(v *VisitorSession) { v.Renew() },
		"sign in":  func(v *VisitorSession) { v.SetUserID(9) },
		"sign out": func(v *VisitorSession) { v.ClearUserID() },
	} {
		s := newSite(t)
		b := s.signedIn(7)
		v := s.found(7)
		renew(v)
		v.SetTheme("dark")
		if err := v.Save(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
		v.SetTheme("blue")
		if err := v.Save(t.Context()); err != nil {
			t.Errorf("%s: Save of something else afterwards: %v", name, err)
		}
		b.visit(func(v *VisitorSession) {
			if v.UserID() != 7 || v.Theme() != "blue" {
				t.Errorf("%s: user %d, theme %q", name, v.UserID(), v.Theme())
			}
		})
	}
}

func TestS2FindingCountsAsNothing(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(7)
	old := b.clone()
	b.visit(func(v *VisitorSession) { v.Renew() })
	v := s.found(7)
	v.SetTheme("dark")
	if err := v.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Hour)
	if got := old.name(); got != "Ada" {
		t.Errorf("name %q: an administrator's write passed for the browser's presentation of its new token", got)
	}
}

func TestR7FoundSessionThatEndedMeanwhileStaysEnded(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(7)
	v := s.found(7)
	b.visit(func(v *VisitorSession) { v.Destroy() })
	v.SetTheme("dark")
	if err := v.Save(t.Context()); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("got %v, want ErrEnded", err)
	}
	if got := len(s.find(7)); got != 0 {
		t.Errorf("%d sessions found afterwards", got)
	}
}

func TestS2FoundSessionFollowsAPlainRenewalAndNoSignIn(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(7)
	v := s.found(7)
	b.visit(func(v *VisitorSession) { v.Renew() })
	v.SetTheme("dark")
	if err := v.Save(t.Context()); err != nil {
		t.Errorf("after a plain renewal: %v", err)
	}
	v = s.found(7)
	b.visit(func(v *VisitorSession) { v.SetUserID(7) })
	s.now = s.now.Add(time.Minute)
	v.SetTheme("blue")
	if err := v.Save(t.Context()); err == nil {
		t.Error("a minute after a sign-in: no error")
	}
	b.visit(func(v *VisitorSession) {
		if got := v.Theme(); got != "dark" {
			t.Errorf("theme %q", got)
		}
	})
}

// misled is a store whose index finds for every value what it has of the first one.
type misled struct {
	*memstore.Store
	first *runtime.IndexValue
}

func (s *misled) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	if s.first == nil {
		s.first = &v
	}
	return s.Store.Find(ctx, *s.first, now)
}

func TestS2FindYieldsNothingForWhichAnIndexIsBehind(t *testing.T) {
	s := newSiteOn(t, &spyStore{Store: &misled{Store: openMemory(t).(*memstore.Store)}})
	s.signedIn(7)
	if found := s.find(7); len(found) != 1 {
		t.Errorf("%d sessions of the user found, want 1", len(found))
	}
	if found := s.find(8); len(found) != 0 {
		t.Errorf("%d sessions of another user found", len(found))
	}
}

// familiar is a store that judges by the family of each key, as one on a server does.
type familiar struct {
	runtime.Store
	runtime.Indexer
	families []runtime.Family // of updates
}

func (s *familiar) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	s.families = append(s.families, key.Family)
	return s.Store.Update(ctx, key, d)
}

func TestS2AFoundSessionHasNoFamilyToShow(t *testing.T) {
	memory := openMemory(t).(*memstore.Store)
	store := &familiar{Store: memory, Indexer: memory}
	s := newSiteOn(t, &spyStore{Store: store})
	s.signedIn(7).visit(func(v *VisitorSession) { v.SetTheme("dark") })
	v := s.found(7)
	v.SetTheme("light")
	if err := v.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	none := runtime.Family{}
	if got := store.families; len(got) != 2 || got[0] == none || got[1] != none {
		t.Errorf("the updates of a browser and of a found session show %x, want a family of the first alone", got)
	}
}

// unindexed is a store without abilities.
type unindexed struct{ runtime.Store }

func TestS2StoreWithoutAnIndexSaysSo(t *testing.T) {
	sessions, err := NewVisitorSessions(unindexed{openMemory(t)}, func(c *runtime.Config) {
		c.Keys = [][]byte{newKey()}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sessions.RevokeByUserID(context.Background(), 7); !errors.Is(err, runtime.ErrNoIndex) {
		t.Errorf("RevokeByUserID: %v, want ErrNoIndex", err)
	}
	for _, err = range sessions.FindByUserID(context.Background(), 7) {
	}
	if !errors.Is(err, runtime.ErrNoIndex) {
		t.Errorf("FindByUserID: %v, want ErrNoIndex", err)
	}
}

func TestS2FindingEndsWithItsLoop(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.signedIn(7)
	}
	seen := 0
	for _, err := range s.FindByUserID(t.Context(), 7) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		break
	}
	if seen != 1 {
		t.Errorf("%d sessions found before the loop ends, want 1", seen)
	}
}
