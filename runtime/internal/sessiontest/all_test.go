package sessiontest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

func (s *site) all() (handles []string) {
	s.t.Helper()
	for v, err := range s.All(s.t.Context()) {
		if err != nil {
			s.t.Fatal(err)
		}
		handles = append(handles, v.Handle())
	}
	slices.Sort(handles)
	return handles
}

func TestS7AllYieldsEverySession(t *testing.T) {
	s := newSite(t)
	want := []string{s.signedIn(7).handle(), s.signedIn(8).handle(), s.known().handle()}
	gone := s.known()
	gone.visit(func(v *VisitorSession) { v.Destroy() })
	slices.Sort(want)
	if got := s.all(); !slices.Equal(got, want) {
		t.Errorf("All yields %q, want %q", got, want)
	}
	for v, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		v.SetName("seen")
		if err := v.Save(t.Context()); err != nil {
			t.Errorf("Save of a session that All has found: %v", err)
		}
	}
	for v, err := range s.All(t.Context()) {
		if err != nil || v.Name() != "seen" {
			t.Error("what was set on a session that All has found is not stored")
		}
		break
	}
}

func TestS7FindByHandle(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(7)
	handle := b.handle()
	v, err := s.Find(t.Context(), handle)
	if err != nil {
		t.Fatal(err)
	}
	if v.Handle() != handle || v.UserID() != 7 || v.Name() != "Ada" || v.IsNew() || v.LastUsedAt().IsZero() {
		t.Errorf("Find returns %v of user %d", v, v.UserID())
	}
	v.SetName("Grace")
	if err := v.Save(t.Context()); err != nil || b.name() != "Grace" {
		t.Errorf("Save: %v, name %q", err, b.name())
	}
	v.Renew()
	if err := v.Save(t.Context()); err == nil {
		t.Error("a session that was found is renewed, but nobody can be sent the token")
	}
	v, _ = s.Find(t.Context(), handle)
	v.Destroy()
	if err := v.Save(t.Context()); err != nil || b.name() != "" {
		t.Errorf("after a Destroy: %v, name %q", err, b.name())
	}
	for what, handle := range map[string]string{
		"of an ended session": handle, "that is empty": "", "that is none": "x", "in upper case": strings.ToUpper(handle),
		"that is too long": handle + "00", "of nobody": strings.Repeat("0", 32), "with other bytes": strings.Repeat("é", 16),
	} {
		if v, err := s.Find(t.Context(), handle); !errors.Is(err, runtime.ErrNotFound) || v != nil {
			t.Errorf("Find of a handle %s: %v, %v", what, v, err)
		}
	}
}

func TestS7AHandleHasOneSpelling(t *testing.T) {
	s := newSite(t)
	handle := s.signedIn(7).handle()
	for _, other := range []string{strings.ToUpper(handle), handle[:31] + "g", handle + "00", handle[:30]} {
		if v, err := s.Find(t.Context(), other); !errors.Is(err, runtime.ErrNotFound) || v != nil {
			t.Errorf("Find of %s, with %s in the store: %v, %v", other, handle, v, err)
		}
	}
}

func TestS7ARevocationOfAllThatFailsSaysSo(t *testing.T) {
	s := newSite(t)
	s.signedIn(7)
	if err := s.store.Store.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := s.RevokeAll(t.Context()); n != 0 || !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("RevokeAll on a closed store = %d, %v", n, err)
	}
}

func TestS7FindKnowsItsOwnTypeAlone(t *testing.T) {
	s := newSite(t)
	other, err := NewLimitedSessions(s.store)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Find(t.Context(), s.known().handle()); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("Find of a handle of another type: %v", err)
	}
	for v, err := range other.All(t.Context()) {
		t.Errorf("All yields a session of another type: %v, %v", v, err)
	}
	if n, err := other.RevokeAll(t.Context()); n != 0 || err != nil {
		t.Errorf("RevokeAll of another type = %d, %v", n, err)
	}
}

func TestS7RevokeAllEndsWhatIsUnderWay(t *testing.T) {
	s := newSite(t)
	b, reader := s.signedIn(7), s.known()
	c := reader.connect()
	revokeAll := func() {
		s.wait(time.Second)
		n, err := s.RevokeAll(t.Context())
		if err != nil || n == 0 {
			t.Errorf("RevokeAll = %d, %v", n, err)
		}
	}
	res := b.during(func(v *VisitorSession) { v.Name() }, others(revokeAll), func(v *VisitorSession) { v.SetName("revived") })
	wantAnswer(t, res, http.StatusConflict)
	if b.name() != "" || reader.name() != "" {
		t.Error("a session survives")
	}
	if err := c.event(func(v *VisitorSession) { v.Name() }); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("an event of a session that was revoked: %v", err)
	}

	s.known()
	fresh := s.browser()
	res = fresh.during(func(*VisitorSession) {}, others(revokeAll), func(v *VisitorSession) { v.SetUserID(7) })
	wantAnswer(t, res, http.StatusConflict)
	wantCookies(t, res, 0)
	s.wait(time.Second)
	if got := s.all(); len(got) > 0 {
		t.Errorf("sessions %q after all were revoked", got)
	}
	if s.signedIn(7).name() != "Ada" {
		t.Error("nobody can sign in any more")
	}
}

func TestFindByYieldsTheOneUsedLastFirst(t *testing.T) {
	s := newSite(t, touchEvery(time.Minute))
	var want []string
	var browsers []*browser
	for range 5 {
		s.wait(time.Hour)
		b := s.signedIn(7)
		browsers = append(browsers, b)
		want = append(want, b.handle())
	}
	s.wait(time.Hour)
	browsers[1].visit(func(v *VisitorSession) { v.Name() })
	want = []string{want[1], want[4], want[3], want[2], want[0]}
	var got []string
	for v, err := range s.FindByUserID(t.Context(), 7) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v.Handle())
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestPing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b backend) {
		store := b.open(t)
		m, err := NewLimitedSessions(store)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Ping(t.Context()); err != nil {
			t.Errorf("Ping: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := m.Ping(ctx); err == nil {
			t.Error("Ping with a cancelled context succeeds")
		}
		if err := store.(interface{ Close() error }).Close(); err != nil {
			t.Fatal(err)
		}
		if err := m.Ping(t.Context()); !errors.Is(err, runtime.ErrClosed) {
			t.Errorf("Ping of a closed store: %v", err)
		}
	})
}
