package sessiontest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// signedInBySocket is a browser with a stored session whose live connection has
// just signed in: the URL delivers the new token.
func (s *site) signedInBySocket() (b *browser, c *socket, url string) {
	s.t.Helper()
	b = s.known()
	c = b.connect()
	c.must(func(v *VisitorSession) { v.SetUserID(7) })
	return b, c, c.told()
}

// newBySocket is a browser without a cookie whose live connection has just begun
// a session.
func (s *site) newBySocket() (b *browser, c *socket, url string) {
	s.t.Helper()
	b = s.browser()
	c = b.connect()
	c.must(func(v *VisitorSession) { v.SetName("Ada") })
	return b, c, c.told()
}

func TestL3TicketBringsARealCookie(t *testing.T) {
	s := newSite(t)
	b, _, url := s.newBySocket()
	wantStatus(t, "redemption", b.fetch(url), http.StatusNoContent)
	cookies := ownCookies(b.last)
	if len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].Value == "" {
		t.Errorf("cookies %v, want one that is HttpOnly and Secure", cookies)
	}
	if got := b.last.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q with the redeemed cookie", got)
	}
	s.now = s.now.Add(24 * time.Hour)
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q a day after the redemption: a delivered session lives on", got)
	}
}

func TestL3NoTokenInTheURLOrAtRest(t *testing.T) {
	s := newSite(t)
	b, _, url := s.newBySocket()
	b.fetch(url)
	if _, ticket, _ := strings.Cut(url, "ticket="); ticket == b.cookie {
		t.Error("the ticket is the token")
	}
	thief := s.browser()
	_, thief.cookie, _ = strings.Cut(url, "ticket=")
	if got := thief.name(); got != "" {
		t.Errorf("name %q with a ticket as a cookie", got)
	}
}

func TestL3TicketIsNoCookieBeforeItsRedemption(t *testing.T) {
	s := newSite(t)
	b, _, url := s.newBySocket()
	thief := s.browser()
	_, thief.cookie, _ = strings.Cut(url, "ticket=")
	if got := thief.name(); got != "" {
		t.Errorf("name %q with a ticket as a cookie", got)
	}
	wantStatus(t, "redemption after that", b.fetch(url), http.StatusNoContent)
}

func TestL3CookieIsNoTicket(t *testing.T) {
	s := newSite(t)
	b := s.known()
	wantStatus(t, "a cookie as a ticket", b.fetch("/lively/sync?ticket="+b.cookie), http.StatusGone)
	wantStatus(t, "a cookie as a ticket, by a browser without one",
		s.browser().fetch("/lively/sync?ticket="+b.cookie), http.StatusGone)
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q: the attempt harmed the session", got)
	}
}

func TestL3Of64RedemptionsOneSucceeds(t *testing.T) {
	for range 20 {
		s := newSite(t)
		_, _, url := s.newBySocket()
		tabs := make([]*browser, 64)
		statuses := make([]int, len(tabs))
		var all sync.WaitGroup
		for i := range tabs {
			tabs[i] = s.browser()
			all.Go(func() { statuses[i] = tabs[i].fetch(url) })
		}
		all.Wait()
		won := 0
		for i, status := range statuses {
			switch {
			case status == http.StatusNoContent:
				won++
				if got := tabs[i].name(); got != "Ada" {
					t.Errorf("name %q with the cookie of the one that won", got)
				}
			case status != http.StatusGone || tabs[i].cookie != "":
				t.Errorf("a redemption that lost: status %d, cookie %v, want 410 and none", status, tabs[i].cookie != "")
			}
		}
		if won != 1 {
			t.Fatalf("%d of 64 redemptions succeeded, want 1", won)
		}
	}
}

func TestL3TicketIsRefused(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	without := func(r *http.Request) {
		for _, name := range []string{"Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"} {
			r.Header.Del(name)
		}
	}
	for _, c := range []struct {
		name   string
		change []func(*http.Request)
		status int
	}{
		{"to another site", []func(*http.Request){header("Sec-Fetch-Site", "cross-site")}, 403},
		{"to a sibling subdomain", []func(*http.Request){header("Sec-Fetch-Site", "same-site")}, 403},
		{"to an address typed in", []func(*http.Request){header("Sec-Fetch-Site", "none")}, 403},
		{"to a navigation", []func(*http.Request){header("Sec-Fetch-Mode", "navigate")}, 403},
		{"to an image", []func(*http.Request){header("Sec-Fetch-Dest", "image")}, 403},
		{"to a frame", []func(*http.Request){header("Sec-Fetch-Dest", "iframe")}, 403},
		{"to a request that says nothing", []func(*http.Request){without}, 403},
		{"to another origin by Origin", []func(*http.Request){without, header("Origin", "https://evil.example")}, 403},
		{"to an opaque origin", []func(*http.Request){without, header("Origin", "null")}, 403},
		{"to a Referer alone", []func(*http.Request){without, header("Referer", "https://shop.example/")}, 403},
		{"to a form of its own origin", []func(*http.Request){without, header("Origin", "https://shop.example"),
			header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")}, 403},
		{"to another method", []func(*http.Request){func(r *http.Request) { r.Method = "DELETE" }}, 405},
		{"to a GET, as an image of the page sends it", []func(*http.Request){func(r *http.Request) { r.Method = "GET" }}, 405},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			b, _, url := s.newBySocket()
			wantStatus(t, "refused redemption", b.fetch(url, c.change...), c.status)
			if len(ownCookies(b.last)) != 0 {
				t.Error("a refused redemption sets a cookie")
			}
			wantStatus(t, "the page's own fetch afterwards", b.fetch(url), http.StatusNoContent)
		})
	}
}

func TestL3AnotherMethodIsToldWhichAreAllowed(t *testing.T) {
	b := newSite(t).browser()
	b.fetch("/lively/sync", func(r *http.Request) { r.Method = "GET" })
	if got := b.last.Header.Get("Allow"); got != "POST" {
		t.Errorf("Allow %q in the answer to GET", got)
	}
}

func TestL3TicketIsRedeemedByAFetchOfItsOrigin(t *testing.T) {
	plain := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header = http.Header{"Cookie": r.Header["Cookie"]}
			r.Header.Set(name, value)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"HTTPS":              func(*http.Request) {},
		"plain HTTP":         plain("Origin", "https://shop.example"),
		"without a Dest":     func(r *http.Request) { r.Header.Del("Sec-Fetch-Dest") },
		"no-cors credential": func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "no-cors") },
	} {
		s := newSite(t)
		b, _, url := s.newBySocket()
		wantStatus(t, name, b.fetch(url, change), http.StatusNoContent)
	}
}

func TestL3TamperedTicketsAreGone(t *testing.T) {
	s := newSite(t)
	b, _, url := s.newBySocket()
	path, ticket, _ := strings.Cut(url, "=")
	flip := func(i int) string {
		c := byte('A')
		if ticket[i] == c {
			c = 'B'
		}
		return ticket[:i] + string(c) + ticket[i+1:]
	}
	for _, bad := range []string{flip(0), flip(20), flip(21), flip(40), flip(len(ticket) - 1), ticket[1:], ticket + "A",
		strings.Repeat("A", len(ticket)), "%00", strings.Repeat("A", 10_000)} {
		wantStatus(t, "ticket "+bad[:min(len(bad), 70)], b.fetch(path+"="+bad), http.StatusGone)
	}
	wantStatus(t, "the genuine ticket afterwards", b.fetch(url), http.StatusNoContent)
}

func TestL3TicketLives30Seconds(t *testing.T) {
	for _, c := range []struct {
		after  time.Duration
		status int
	}{{29999 * time.Millisecond, http.StatusNoContent}, {30 * time.Second, http.StatusGone}} {
		s := newSite(t)
		b, _, url := s.newBySocket()
		s.now = s.now.Add(c.after)
		wantStatus(t, c.after.String(), b.fetch(url), c.status)
		b, _, url = s.signedInBySocket()
		s.now = s.now.Add(c.after)
		wantStatus(t, "sign-in, "+c.after.String(), b.fetch(url), c.status)
		b = s.known()
		d := b.connect()
		d.must(func(v *VisitorSession) { v.Renew() })
		url = d.told()
		s.now = s.now.Add(c.after)
		wantStatus(t, "renewal, "+c.after.String(), b.fetch(url), c.status)
	}
}

func TestL3TicketIsRedeemedOnce(t *testing.T) {
	s := newSite(t)
	b, _, url := s.signedInBySocket()
	old := b.clone()
	wantStatus(t, "redemption", b.fetch(url), http.StatusNoContent)
	wantStatus(t, "replay by the same browser", b.clone().fetch(url), http.StatusGone)
	wantStatus(t, "replay with the cookie from before", old.fetch(url), http.StatusGone)
	wantStatus(t, "replay without a cookie", s.browser().fetch(url), http.StatusGone)
	if got := b.user(); got != 7 {
		t.Errorf("user %d after replays, want the session unharmed", got)
	}
}

func TestL3TicketIsForTheBrowserOfTheHandshake(t *testing.T) {
	type setting struct {
		s *site
		b *browser
	}
	for _, c := range []struct {
		name   string
		start  func(*site) (*browser, *socket, string)
		other  func(setting) *browser
		status int
		ended  bool
	}{
		{"new, no cookie", (*site).newBySocket, func(x setting) *browser { return x.s.browser() }, 204, false},
		{"new, dead cookie", (*site).newBySocket, func(x setting) *browser {
			dead := x.s.known()
			dead.clone().visit(func(v *VisitorSession) { v.Destroy() })
			return dead
		}, 204, false},
		{"new, malformed cookie", (*site).newBySocket, func(x setting) *browser {
			return &browser{site: x.s, cookie: "nonsense"}
		}, 204, false},
		{"new, another live session", (*site).newBySocket, func(x setting) *browser { return x.s.known() }, 409, true},
		{"sign-in, no cookie", (*site).signedInBySocket, func(x setting) *browser { return x.s.browser() }, 409, true},
		{"sign-in, another live session", (*site).signedInBySocket, func(x setting) *browser { return x.s.known() }, 409, true},
		{"sign-in, dead cookie", (*site).signedInBySocket, func(x setting) *browser {
			dead := x.s.known()
			dead.clone().visit(func(v *VisitorSession) { v.Destroy() })
			return dead
		}, 409, true},
		{"sign-in, the cookie of the handshake", (*site).signedInBySocket, func(x setting) *browser { return x.b }, 204, false},
		{"renewal, no cookie", (*site).renewedBySocket, func(x setting) *browser { return x.s.browser() }, 409, false},
		{"renewal, another live session", (*site).renewedBySocket, func(x setting) *browser { return x.s.known() }, 409, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			b, socket, url := c.start(s)
			other := c.other(setting{s, b})
			before := other.cookie
			wantStatus(t, "redemption", other.fetch(url), c.status)
			if c.status == 409 && other.cookie != before {
				t.Error("the wrong browser's cookie was changed")
			}
			err := socket.event(func(v *VisitorSession) { v.Name() })
			if ended := errors.Is(err, runtime.ErrEnded); ended != c.ended {
				t.Errorf("the connection's next event: %v, want the session ended: %v", err, c.ended)
			}
		})
	}
}

// renewedBySocket is a browser whose live connection has just renewed its
// session plainly.
func (s *site) renewedBySocket() (b *browser, c *socket, url string) {
	s.t.Helper()
	b = s.known()
	c = b.connect()
	c.must(func(v *VisitorSession) { v.Renew() })
	return b, c, c.told()
}

func TestL3PlainRenewalByARequestLeavesTheSameSession(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	b.visit(func(v *VisitorSession) { v.Renew() })
	c.must(func(v *VisitorSession) { v.SetUserID(7) })
	wantStatus(t, "redemption by the renewed browser", c.sync(), http.StatusNoContent)
	if got := b.user(); got != 7 {
		t.Errorf("user %d, want the connection's sign-in", got)
	}
}

func TestL3SignInByARequestIsNotReplacedByATicket(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	b.visit(func(v *VisitorSession) { v.SetUserID(1) })
	c.must(func(v *VisitorSession) { v.SetUserID(7) })
	wantStatus(t, "redemption after another sign-in", c.sync(), http.StatusConflict)
	if got := b.user(); got != 1 {
		t.Errorf("user %d, want the browser's own sign-in kept", got)
	}
}

func TestL3AnyProcessRedeems(t *testing.T) {
	s := newSite(t)
	b, _, url := s.newBySocket()
	b.site = newSiteOn(t, s.store)
	wantStatus(t, "redemption by another process", b.fetch(url), http.StatusNoContent)
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q in the other process", got)
	}
}

func TestL3UndeliveredSessionsEnd(t *testing.T) {
	for name, start := range map[string]func(*site) (*browser, *socket, string){
		"new session": (*site).newBySocket, "sign-in": (*site).signedInBySocket,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b, c, _ := start(s)
			s.now = s.now.Add(29 * time.Second)
			c.must(func(v *VisitorSession) {
				if got := v.Name(); got != "Ada" {
					t.Errorf("name %q before the ticket has ended", got)
				}
			})
			s.now = s.now.Add(time.Second)
			if err := c.event(func(v *VisitorSession) { v.Name() }); !errors.Is(err, runtime.ErrEnded) {
				t.Errorf("an event when the ticket has ended: %v, want ErrEnded", err)
			}
			if got := b.name(); got != "" {
				t.Errorf("name %q: the old token lives", got)
			}
		})
	}
}

func TestL3RenewalOfAnUndeliveredSessionIsUndeliveredToo(t *testing.T) {
	for name, start := range map[string]func(*site) (*browser, *socket, string){
		"new session": (*site).newBySocket, "sign-in": (*site).signedInBySocket,
	} {
		s := newSite(t, func(c *runtime.Config) { c.Idle = 2 * time.Hour })
		b, c, _ := start(s)
		c.must(func(v *VisitorSession) { v.Renew() })
		wantStatus(t, name+", then renewed", b.fetch(c.told()), http.StatusNoContent)
		s.now = s.now.Add(time.Hour)
		if got := b.name(); got != "Ada" {
			t.Errorf("%s: name %q an hour after the delivery", name, got)
		}
		_, c, _ = start(s)
		c.must(func(v *VisitorSession) { v.Renew() })
		s.now = s.now.Add(30 * time.Second)
		if err := c.event(func(v *VisitorSession) { v.Name() }); !errors.Is(err, runtime.ErrEnded) {
			t.Errorf("%s: the end of a later ticket that nobody redeemed: %v, want ErrEnded", name, err)
		}
	}
}

func TestL3AConnectionThatBeganASessionSignsInToIt(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store backend) {
		s := store.site(t)
		b := s.browser()
		c := b.connect()
		c.must(func(v *VisitorSession) { v.SetName("Ada") })
		wantStatus(t, "the first event", c.sync(), http.StatusNoContent)
		c.must(func(v *VisitorSession) { v.SetUserID(7) })
		wantStatus(t, "the sign-in", c.sync(), http.StatusNoContent)
		if b.user() != 7 || b.name() != "Ada" {
			t.Errorf("user %d, name %q", b.user(), b.name())
		}
	})
}

func TestL3AConnectionSignsInAndOutAsOftenAsItLikes(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	for range runtime.MaxEarlier {
		c.must(func(v *VisitorSession) { v.SetUserID(7) })
		wantStatus(t, "a sign-in", c.sync(), http.StatusNoContent)
		c.must(func(v *VisitorSession) { v.ClearUserID() })
		wantStatus(t, "a sign-out", c.sync(), http.StatusNoContent)
	}
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q", got)
	}
}

// TestL3ARenewalAfterTheDeliveryIsPlain is about a ticket that nobody fetches, of a
// session whose token the browser has long had.
func TestL3ARenewalAfterTheDeliveryIsPlain(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store backend) {
		s := store.site(t)
		b := s.known()
		c := b.connect()
		c.must(func(v *VisitorSession) { v.SetUserID(7) })
		wantStatus(t, "the sign-in", c.sync(), http.StatusNoContent)
		s.wait(5 * time.Minute)
		c.must(func(v *VisitorSession) { v.Renew() })
		c.told() // and never fetches
		s.wait(time.Minute)
		if got := b.user(); got != 7 {
			t.Errorf("user %d after a renewal that nobody fetched", got)
		}
	})
}

// TestL3ASignInByAConnectionWhoseCookieWasReplaced is about a handshake that came with
// a token which a sign-in had just ended.
func TestL3ASignInByAConnectionWhoseCookieWasReplaced(t *testing.T) {
	for user, kept := range map[int64]string{7: "Ada", 8: ""} {
		s := newSite(t)
		b := s.known()
		late := b.clone()
		b.visit(signIn)
		c := late.connect()
		c.must(func(v *VisitorSession) { v.SetUserID(user) })
		wantStatus(t, "the sign-in", c.sync(), http.StatusNoContent)
		if late.user() != user || late.name() != kept {
			t.Errorf("user %d, name %q, want %d and %q", late.user(), late.name(), user, kept)
		}
	}
}

func TestL3EventsDoNotProlongAnUndeliveredSession(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Idle = time.Hour })
	_, c, _ := s.newBySocket()
	s.now = s.now.Add(20 * time.Second)
	c.must(func(v *VisitorSession) { v.Name(); v.SetTheme("dark") })
	s.now = s.now.Add(10 * time.Second)
	if err := c.event(func(v *VisitorSession) { v.Name() }); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("30 s after the creation: %v, want ErrEnded", err)
	}
}

func TestT4UndeliveredRenewalKeepsTheOldToken(t *testing.T) {
	s := newSite(t)
	b, c, _ := s.renewedBySocket()
	s.now = s.now.Add(time.Hour)
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q with the old token an hour after a renewal that nobody fetched", got)
	}
	c.must(func(v *VisitorSession) {
		if got := v.Name(); got != "Ada" {
			t.Errorf("name %q on the connection", got)
		}
	})
}

func TestT4DeliveredRenewalEndsTheOldTokenAfterTheGrace(t *testing.T) {
	s := newSite(t)
	b, _, url := s.renewedBySocket()
	old := b.clone()
	wantStatus(t, "redemption", b.fetch(url), http.StatusNoContent)
	s.now = s.now.Add(time.Minute)
	if got := old.name(); got != "Ada" {
		t.Errorf("name %q with the old token before the new one was presented", got)
	}
	b.name()
	s.now = s.now.Add(29 * time.Second)
	if got := old.name(); got != "Ada" {
		t.Errorf("name %q with the old token in the grace", got)
	}
	s.now = s.now.Add(time.Second + time.Millisecond)
	s.kinds()
	if got := old.name(); got != "" {
		t.Errorf("name %q with the old token after the grace", got)
	}
	if got := s.kinds(); !slices.Contains(got, runtime.EventReused) {
		t.Errorf("events %q, want that the token was reused", got)
	}
	if got := b.name(); got != "" {
		t.Errorf("name %q: the store ends a session whose token was reused", got)
	}
}

func TestT5ReuseAtTheSyncPathIsAnEvent(t *testing.T) {
	s := newSite(t)
	b := s.known()
	old := b.clone()
	b.visit(func(v *VisitorSession) { v.Renew() })
	b.name()
	s.now = s.now.Add(30*time.Second + time.Millisecond)
	s.kinds()
	old.fetch("/lively/sync")
	if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventReused}) {
		t.Errorf("events %q, want that the token was reused", got)
	}
}

func TestL3FailedSignInLeavesLaterRenewalsPlain(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	err := c.event(func(v *VisitorSession) { v.SetUserID(7); v.SetName(strings.Repeat("x", 41)) })
	if !errors.Is(err, runtime.ErrTooLarge) {
		t.Fatalf("got %v, want ErrTooLarge", err)
	}
	c.must(func(v *VisitorSession) { v.Renew() })
	s.now = s.now.Add(time.Hour)
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q: a renewal after a failed sign-in ended the session", got)
	}
}

func TestL3ExpiryChangeAfterTheDeliveryHarmsNothing(t *testing.T) {
	s := newSite(t)
	b, c, url := s.newBySocket()
	wantStatus(t, "redemption", b.fetch(url), http.StatusNoContent)
	c.must(func(v *VisitorSession) { v.SetExpiry(begin.Add(24 * time.Hour)) })
	if c.told() == "" {
		t.Error("the page was not told of the cookie's new end")
	}
	s.now = s.now.Add(time.Hour)
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q: an expiry set on the connection ended the delivered session", got)
	}
}

func TestL3OutageAtTheRedemptionLosesNothing(t *testing.T) {
	for _, call := range []string{"load", "update"} {
		s := newSite(t)
		b, _, url := s.signedInBySocket()
		before := b.cookie
		s.store.fail = func(c string) error {
			if c == call {
				return errOutage
			}
			return nil
		}
		wantStatus(t, "redemption while "+call+" fails", b.fetch(url), http.StatusServiceUnavailable)
		if b.cookie != before {
			t.Error("an outage changed the cookie")
		}
		if len(s.errs) == 0 {
			t.Error("the program was not told of the outage")
		}
		s.store.fail = nil
		wantStatus(t, "redemption afterwards", b.fetch(url), http.StatusNoContent)
	}
}

func TestR10DuplicatesAtTheSyncPathCountAsNone(t *testing.T) {
	twice := func(r *http.Request) { r.Header.Set("Cookie", "shop=evil; shop=worse") }
	s := newSite(t)
	b, _, url := s.newBySocket()
	wantStatus(t, "a new session", b.fetch(url, twice), http.StatusNoContent)
	lines := b.last.Header["Set-Cookie"]
	if len(lines) < 2 || !strings.Contains(lines[len(lines)-1], "shop="+b.cookie+"; Path=/;") {
		t.Errorf("Set-Cookie %q, want the other scopes cleared and the new token set", lines)
	}
	if got := s.kinds(); !slices.Contains(got, runtime.EventDuplicateCookie) {
		t.Errorf("events %q, want the duplicates told", got)
	}
	b, c, url := s.signedInBySocket()
	wantStatus(t, "a sign-in", b.fetch(url, twice), http.StatusConflict)
	if err := c.event(func(v *VisitorSession) { v.Name() }); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("the undeliverable session: %v, want ErrEnded", err)
	}
}

func TestR10AnAnswerWithoutACookieSettlesDuplicates(t *testing.T) {
	gone := "/lively/sync?ticket=" + unknownToken
	for name, c := range map[string]struct {
		url    string
		status int
	}{
		"a live one that is not to be removed": {"/lively/sync", http.StatusConflict},
		"an unknown ticket":                    {gone, http.StatusGone},
	} {
		s := newSite(t)
		b := s.known()
		beside := func(r *http.Request) { r.Header.Set("Cookie", "shop="+unknownToken+"; shop="+b.cookie) }
		wantStatus(t, name, b.fetch(c.url, beside), c.status)
		lines := b.last.Header["Set-Cookie"]
		if len(lines) < 2 || !strings.Contains(lines[len(lines)-1], "shop="+b.cookie+"; Path=/;") {
			t.Errorf("%s: Set-Cookie %q, want the live token again and the other scopes cleared", name, lines)
		}
		wantName(t, s, b.cookie, "Ada")
	}
	s := newSite(t)
	b := s.browser()
	neither := func(r *http.Request) { r.Header.Set("Cookie", "shop=evil; shop=worse") }
	wantStatus(t, "none that counts", b.fetch(gone, neither), http.StatusGone)
	if len(b.last.Header["Set-Cookie"]) == 0 || len(ownCookies(b.last)) != 0 {
		t.Errorf("Set-Cookie %q, want other scopes cleared and the configured one left alone", b.last.Header["Set-Cookie"])
	}
	s.store.fail = func(string) error { return errOutage }
	wantStatus(t, "an outage", b.fetch(gone, func(r *http.Request) {
		r.Header.Set("Cookie", "shop="+unknownToken+"; shop="+unknownToken[:len(unknownToken)-1]+"A")
	}), http.StatusServiceUnavailable)
	if got := b.last.Header["Set-Cookie"]; len(got) != 0 {
		t.Errorf("Set-Cookie %q while the store is down, want none", got)
	}
	s.errs = nil
	wantStatus(t, "an outage without a ticket", b.fetch("/lively/sync", func(r *http.Request) {
		r.Header.Set("Cookie", "shop="+unknownToken+"; shop="+unknownToken[:len(unknownToken)-1]+"A")
	}), http.StatusServiceUnavailable)
	if got := b.last.Header["Set-Cookie"]; len(got) != 0 || len(s.errs) != 1 {
		t.Errorf("Set-Cookie %q and the errors %v, want no cookie removed and one error", got, s.errs)
	}
	wantStatus(t, "no ticket at all", b.fetch("/lively/sync?ticket=x"), http.StatusGone)
	s.store.fail = nil
	one := s.known()
	wantStatus(t, "one cookie", one.fetch(gone), http.StatusGone)
	if got := one.last.Header["Set-Cookie"]; len(got) != 0 {
		t.Errorf("Set-Cookie %q for one cookie, want none", got)
	}
}

func TestL5DestructionOverASocketClearsTheCookie(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.Destroy() })
	url := c.told()
	if url != "/lively/sync" {
		t.Errorf("the page was told %q, want the sync URL without a ticket", url)
	}
	wantStatus(t, "fetch", b.fetch(url), http.StatusNoContent)
	if b.cookie != "" || len(ownCookies(b.last)) != 1 || ownCookies(b.last)[0].MaxAge >= 0 {
		t.Errorf("cookies %v, want the session's removed", ownCookies(b.last))
	}
	c.must(func(v *VisitorSession) { v.SetName("Grace") })
	wantStatus(t, "redemption of a later session", c.sync(), http.StatusNoContent)
	if got := b.name(); got != "Grace" {
		t.Errorf("name %q, want the session begun after the destruction", got)
	}
}

func TestL5FetchClearsOnlyWhatIsNotLive(t *testing.T) {
	s := newSite(t)
	live := s.known()
	wantStatus(t, "with a live session", live.fetch("/lively/sync"), http.StatusConflict)
	if got := live.name(); got != "Ada" {
		t.Errorf("name %q: a live session lost its cookie", got)
	}
	early := live.clone()
	live.visit(func(v *VisitorSession) { v.SetUserID(7) })
	wantStatus(t, "with the token from before a sign-in", early.fetch("/lively/sync"), http.StatusConflict)
	if early.cookie == "" {
		t.Error("a removal overtook the cookie of a sign-in")
	}
	none := s.browser()
	wantStatus(t, "without a cookie", none.fetch("/lively/sync"), http.StatusNoContent)
	if len(ownCookies(none.last)) != 0 {
		t.Errorf("cookies %v for a browser that has none", ownCookies(none.last))
	}
}

func TestR3DestroyThenWriteInAnEventReplacesTheSession(t *testing.T) {
	s := newSite(t)
	b := s.known()
	old := b.clone()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.Destroy(); v.SetNotice("signed out") })
	wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
	b.visit(func(v *VisitorSession) {
		if got := v.TakeNotice(); got != "signed out" || v.Name() != "" {
			t.Errorf("notice %q, name %q, want a fresh session with the notice", got, v.Name())
		}
	})
	if got := old.name(); got != "" {
		t.Errorf("name %q with the destroyed session's token", got)
	}
}

func TestL3CookieIsToldToBeClearedThoughTheNewSessionFails(t *testing.T) {
	s := newSite(t)
	b := s.known()
	c := b.connect()
	s.store.fail = func(call string) error {
		if call == "create" {
			return errOutage
		}
		return nil
	}
	if err := c.event(func(v *VisitorSession) { v.Destroy(); v.SetName("x") }); !errors.Is(err, errOutage) {
		t.Errorf("got %v, want the outage", err)
	}
	wantStatus(t, "fetch", c.sync(), http.StatusNoContent)
	if b.cookie != "" {
		t.Error("the browser keeps the cookie of a destroyed session")
	}
}

func TestT2SignInOverASocketRenewsTheToken(t *testing.T) {
	s := newSite(t)
	b, c, url := s.signedInBySocket()
	old := b.clone()
	old.visit(func(v *VisitorSession) {
		if got := v.Name(); got != "" || !errors.Is(v.Err(), runtime.ErrSuperseded) {
			t.Errorf("name %q, Err %v with the token from before", got, v.Err())
		}
	})
	wantStatus(t, "redemption", b.fetch(url), http.StatusNoContent)
	if got := b.user(); got != 7 || b.name() != "Ada" {
		t.Errorf("user %d, name %q, want the sign-in and the data from before", got, b.name())
	}
	c.must(func(v *VisitorSession) {
		if got := v.UserID(); got != 7 {
			t.Errorf("user %d on the connection before it reconnects", got)
		}
	})
}

func TestL4CookieGoesByScriptWithoutHttpOnly(t *testing.T) {
	s := newSite(t, scripted, func(c *runtime.Config) { c.Cookie.Domain = "shop.example" })
	b := s.browser()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.SetName("Ada") })
	script := c.told()
	value := scriptCookie(t, script)
	want := `document.cookie = "shop=` + value + `; expires=Sun, 08 Nov 2026 12:00:00 GMT; path=/; ` +
		`domain=shop.example; SameSite=Lax; Secure";`
	if script != want {
		t.Errorf("script\n%s\nwant\n%s", script, want)
	}
	b.cookie = value
	if got := b.name(); got != "Ada" {
		t.Errorf("name %q with the cookie of the script", got)
	}
	s.now = s.now.Add(time.Hour)
	c.must(func(v *VisitorSession) {
		if got := v.Name(); got != "Ada" {
			t.Errorf("name %q an hour later: what went by script needs no ticket", got)
		}
	})
}

func TestL4ScriptRemovesRenewsAndExpires(t *testing.T) {
	s := newSite(t, scripted)
	b := s.known()
	c := b.connect()
	c.must(func(v *VisitorSession) { v.SetExpiry(begin.Add(time.Hour)) })
	if got, want := c.told(), `document.cookie = "shop=`+b.cookie+`; expires=Sun, 01 Nov 2026 13:00:00 GMT; path=/; SameSite=Lax; Secure";`; got != want {
		t.Errorf("expiry: script %s, want %s", got, want)
	}
	c.must(func(v *VisitorSession) { v.SetUserID(7) })
	value := scriptCookie(t, c.told())
	if value == b.cookie {
		t.Error("a sign-in kept the token")
	}
	b.cookie = value
	if got := b.user(); got != 7 {
		t.Errorf("user %d with the token of the script", got)
	}
	c.must(func(v *VisitorSession) { v.Destroy() })
	if got, want := c.told(), `document.cookie = "shop=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/; SameSite=Lax; Secure";`; got != want {
		t.Errorf("destruction: script %s, want %s", got, want)
	}
}

func TestL4ScriptIsSafelyQuoted(t *testing.T) {
	s := newSite(t, scripted, func(c *runtime.Config) {
		c.Cookie.Path = `/a"</script><!--\'` + "b"
		c.Cookie.BrowserClose, c.Cookie.Partitioned = true, true
		c.Cookie.SameSite = http.SameSiteStrictMode
	})
	c := s.browser().connect()
	c.must(func(v *VisitorSession) { v.SetName("Ada") })
	script := c.told()
	want := `document.cookie = "shop=` + scriptCookie(t, script) +
		`; path=/a\"\u003c/script\u003e\u003c!--\\'b; SameSite=Strict; Secure; Partitioned";`
	if script != want {
		t.Errorf("script\n%s\nwant\n%s", script, want)
	}
}

// scriptCookie returns the token that a script sets.
func scriptCookie(t *testing.T, script string) string {
	t.Helper()
	rest, ok := strings.CutPrefix(script, `document.cookie = "shop=`)
	value, _, _ := strings.Cut(rest, ";")
	if !ok || value == "" {
		t.Fatalf("script %q, want one that sets the session's cookie", script)
	}
	return value
}

func TestL3TicketForASignInIsRedeemedHoweverManyTokensItReplaced(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s := on.site(t)
		b := s.known()
		for range runtime.MaxEarlier {
			b.visit(func(v *VisitorSession) { v.SetUserID(7) })
		}
		c := b.connect()
		c.must(func(v *VisitorSession) { v.SetUserID(7) })
		wantStatus(t, "redemption", c.sync(), http.StatusNoContent)
		if got := b.user(); got != 7 {
			t.Errorf("user %d with the redeemed cookie, want 7", got)
		}
	})
}

func TestL3TicketForARenewalLeavesATokenThatWorks(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s := on.site(t)
		b := s.known()
		for range runtime.MaxEarlier - 1 {
			b.visit(func(v *VisitorSession) { v.Renew() })
		}
		c := b.connect()
		c.must(func(v *VisitorSession) { v.Renew() })
		wantStatus(t, "redemption while four tokens are in their grace", c.sync(), http.StatusConflict)
		if got := b.name(); got != "Ada" {
			t.Errorf("name %q with the token from before, want Ada", got)
		}
		s.wait(time.Hour)
		if got := b.name(); got != "Ada" {
			t.Errorf("name %q an hour later, want Ada", got)
		}
	})
}
