package sessiontest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// TestNoHistoryOpensABoundSessionToAThief has a browser go about its business, with
// answers that are lost, while a thief copies its cookies and uses them at any time.
func TestNoHistoryOpensABoundSessionToAThief(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			boundLive(t, runtime.BoundSignIn, func(s *site) {
				h := &boundHistory{r: rand.New(rand.NewPCG(seed, 11)), d: newDevice(s.t, s)}
				h.d.enter()
				h.issued = time.Now().Add(-time.Second)
				for range 60 {
					h.step()
				}
			})
		})
	}
}

// A boundHistory is a browser and the thief of its cookies.
type boundHistory struct {
	r       *rand.Rand
	d       *device
	issued  time.Time // the browser's bound cookie
	views   int64     // that anybody has stored
	thieves []*boundThief
}

// A boundThief has copied cookies, and opened a live connection if it could.
type boundThief struct {
	*device
	until time.Time // when its bound cookie ends; zero: it has none
	live  *socket
}

// may reports whether the thief's cookies may be worth anything. After two refreshes of
// the browser they are not, however long they would have been.
func (b *boundThief) may() bool { return time.Now().Before(b.until) }

func (h *boundHistory) step() {
	time.Sleep(time.Duration(h.r.Int64N(int64(3 * time.Minute))))
	switch h.r.IntN(6) {
	case 0:
		h.steal()
	case 1:
		h.refresh(h.r.IntN(2) == 0)
	case 2:
		h.signIn()
	case 3, 4:
		h.visit()
	}
	for _, thief := range h.thieves {
		h.use(thief)
	}
}

// steal copies the session's cookie, or both.
func (h *boundHistory) steal() {
	thief := &boundThief{device: h.d.copied("shop")}
	if h.r.IntN(3) > 0 {
		thief.device = h.d.copied("shop", boundCookieName)
		thief.until = h.issued.Add(10 * time.Minute)
	}
	thief.challenge, thief.session = h.d.challenge, h.d.session // with a key of its own
	thief.live, _ = thief.handshake()
	if thief.live != nil && !thief.may() {
		h.d.t.Error("a thief's handshake is answered")
	}
	h.thieves = append(h.thieves, thief)
}

// refresh is one of the browser, whose answer may be lost.
func (h *boundHistory) refresh(lost bool) {
	d := h.d
	if lost {
		d = h.d.copied("shop", boundCookieName)
		d.key, d.challenge, d.session = h.d.key, h.d.challenge, h.d.session
	}
	steps := d.refresh()
	if steps[len(steps)-1] != http.StatusOK || slices.Contains(steps, http.StatusBadRequest) || d.cookies[boundCookieName] == "" {
		h.d.t.Errorf("a refresh takes the steps %v", steps)
	}
	if !lost {
		h.issued = time.Now()
	}
}

// visit does as browsers do: it refreshes first if the bound cookie has ended.
func (h *boundHistory) visit() {
	if time.Since(h.issued) >= 9*time.Minute+30*time.Second {
		h.refresh(false)
	}
	h.views++
	if res := h.d.see(func(s *VisitorSession) { s.AddViews(1) }); res.StatusCode != http.StatusOK {
		h.d.t.Errorf("the browser's blind write is answered %d", res.StatusCode)
	}
	h.d.see(func(s *VisitorSession) {
		if s.UserID() != 7 || s.Views() != h.views {
			h.d.t.Errorf("user %d, %d views, want %d: %v", s.UserID(), s.Views(), h.views, s.Err())
		}
	})
}

// signIn ends the token that thieves have.
func (h *boundHistory) signIn() {
	if time.Since(h.issued) >= 9*time.Minute+30*time.Second {
		h.refresh(false)
	}
	h.d.see(func(s *VisitorSession) { s.SetUserID(7) })
	h.thieves = nil
}

// use tries everything that the thief has.
func (h *boundHistory) use(thief *boundThief) {
	t := h.d.t
	thief.see(func(s *VisitorSession) {
		if s.UserID() == 7 && !thief.may() {
			t.Error("a thief opens the session")
		}
	})
	if res := thief.see(func(s *VisitorSession) { s.AddViews(1) }); res.StatusCode == http.StatusOK {
		h.views++
		if !thief.may() {
			t.Error("a thief's write is stored")
		}
	}
	if thief.live != nil {
		_ = thief.live.event(func(s *VisitorSession) {
			if !thief.may() {
				t.Error("a thief's event takes place")
			}
			h.views++
			s.AddViews(1)
		})
	}
	if res := thief.bind(thief.session, thief.proof(thief.challenge, false)); res.StatusCode == http.StatusOK {
		t.Error("a thief refreshes")
	}
}
