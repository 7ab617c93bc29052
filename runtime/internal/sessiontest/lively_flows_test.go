package sessiontest

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// TestL1FlowsOverLively holds events to the table of flows over HTTP: the same
// calls and deltas, the same session and the same cookie afterwards.
func TestL1FlowsOverLively(t *testing.T) {
	policies := []cookieSetting{
		{name: "HttpOnly", configure: func(*runtime.Config) {}, cookie: "shop", attributes: "; Path=/"},
		{name: "script", configure: scripted, cookie: "shop", attributes: "; Path=/"},
	}
	for _, policy := range policies {
		for _, state := range cookieStates {
			for _, f := range flows {
				t.Run(policy.name+"/"+state.name+"/"+f.action, func(t *testing.T) { runEvent(t, policy, state, f) })
			}
		}
	}
}

func runEvent(t *testing.T, policy cookieSetting, state cookieState, f flow) {
	t.Parallel()
	s := newSite(t, policy.configure)
	known := tokenIn(policy, s.answer("", func(v *VisitorSession) { v.SetName("Ada") }))
	s.now = s.now.Add(state.after).Add(time.Second)
	header := state.header("shop", known)
	c := s.browser().connectWith(header)
	s.store.took()

	c.must(f.do)

	want := state.outcome(f)
	if state.name == "duplicate" {
		want = f.alive // the handshake has settled which one counts
	}
	deltas := changesOf(s.store)
	if got, calls := s.store.took(), eventCalls(state, f, want); got != calls {
		t.Errorf("store calls %q, want %q", got, calls)
	}
	effect, token := c.obey(t, policy, header)
	if effect != want.cookie.kind() {
		t.Errorf("the cookie is %s, want %s", effect, want.cookie)
	}
	if token != "" && (sameID(token, known) != (want.cookie == cookieRenewed) || token == known) {
		t.Errorf("the cookie is %s, but token %q came after %q", want.cookie, token, known)
	}
	if got := s.nameIn(opened(want.cookie, state, known, token)); got != want.stored {
		t.Errorf("the browser's session holds %q, want %q", got, want.stored)
	}
	if got := requestDeltas(t, policy, state, f); state.name == "known" && !reflect.DeepEqual(got, deltas) {
		t.Errorf("the deltas of the event\n%+v\nare not those of a request\n%+v", deltas, got)
	}
}

// eventCalls are the calls of an event. That a cookie opens nothing is what its
// handshake has found out already, and a request does by its first call; but a
// sign-in asks whether the session remembers the token (T8).
func eventCalls(state cookieState, f flow, want outcome) string {
	if state.name != "unknown" && state.name != "expired" || f.action == "sign in" {
		return want.calls
	}
	_, rest, _ := strings.Cut(want.calls, " ")
	return rest
}

// kind leaves out whether a token that is set belongs to the same session.
func (e cookieEffect) kind() cookieEffect {
	if e == cookieNew {
		return cookieRenewed
	}
	return e
}

// obey lets the page do what it was told, and says what became of its cookie.
func (c *socket) obey(t *testing.T, policy cookieSetting, header string) (effect cookieEffect, token string) {
	t.Helper()
	told := c.told()
	switch {
	case told == "":
		return cookieKept, ""
	case strings.HasPrefix(told, `document.cookie = "shop=;`):
		return cookieRemoved, ""
	case strings.HasPrefix(told, "document.cookie"):
		return cookieRenewed, scriptCookie(t, told)
	}
	withHeader := func(r *http.Request) {
		if header != "" {
			r.Header.Set("Cookie", header)
		}
	}
	wantStatus(t, "the page's fetch", c.browser.fetch(told, withHeader), http.StatusNoContent)
	token = tokenIn(policy, c.browser.last)
	if token == "" {
		return cookieRemoved, ""
	}
	return cookieRenewed, token
}

// requestDeltas returns the deltas of the same flow over HTTP.
func requestDeltas(t *testing.T, policy cookieSetting, state cookieState, f flow) []runtime.Delta {
	s := newSite(t, policy.configure)
	known := tokenIn(policy, s.answer("", func(v *VisitorSession) { v.SetName("Ada") }))
	s.now = s.now.Add(time.Second)
	s.store.took()
	s.answer(state.header("shop", known), f.do)
	return changesOf(s.store)
}

// changesOf returns the deltas that the store has got, without what is random
// and without tickets, which only events have.
func changesOf(store *spyStore) (list []runtime.Delta) {
	for _, d := range store.deltas {
		delta := *d
		if d.Renewal != nil {
			renewal := *d.Renewal
			renewal.Proof, renewal.Family = runtime.Proof{}, runtime.Family{}
			delta.Renewal = &renewal
		}
		delta.Ticket = nil
		list = append(list, delta)
	}
	return list
}
