package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// from is a browser that calls itself so.
func (s *site) from(agent string) *browser {
	b := s.browser()
	b.client.Transport = withAgent(agent)
	return b
}

type withAgent string

func (agent withAgent) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", string(agent))
	return http.DefaultTransport.RoundTrip(r)
}

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	iPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)

var otherDevice = regexp.MustCompile(`name="device" value="([0-9a-f]{32})"`)

func TestADeviceIsSignedOutFromAnother(t *testing.T) {
	s := newSite(t)
	laptop, phone := s.from(firefox), s.from(iPhone)
	laptop.post("/sign-in", "name", "Ada")
	phone.post("/sign-in", "name", "Ada")
	page := laptop.get("/devices")
	s.wantText(page, "Firefox on Linux")
	s.wantText(page, "Safari on iPhone")
	s.wantText(page, "127.0.0.1")
	if n := strings.Count(page, "This device"); n != 1 {
		t.Errorf("%d rows are this device, want 1", n)
	}
	page = laptop.post("/devices/sign-out", "device", s.find(page, otherDevice))
	s.wantText(page, "That device is signed out.")
	s.wantNoText(page, "iPhone")
	s.wantText(phone.get("/"), "Nobody has signed in.")
	s.wantText(laptop.get("/"), "Signed in as Ada.")
}

func TestADeviceOfSomebodyElseStaysSignedIn(t *testing.T) {
	s := newSite(t)
	ada, grace := s.browser(), s.browser()
	ada.post("/sign-in", "name", "Ada")
	grace.post("/sign-in", "name", "Grace")
	ada.post("/devices/sign-out", "device", s.find(grace.get("/session"), handle))
	s.wantText(grace.get("/"), "Signed in as Grace.")
}

func TestAllOtherDevicesAreSignedOut(t *testing.T) {
	s := newSite(t)
	laptop, phone, tablet := s.browser(), s.browser(), s.browser()
	for _, b := range []*browser{laptop, phone, tablet} {
		b.post("/sign-in", "name", "Ada")
	}
	s.wantText(laptop.post("/devices/sign-out-others"), "2 other devices are signed out.")
	s.wantText(laptop.get("/"), "Signed in as Ada.")
	s.wantText(phone.get("/"), "Nobody has signed in.")
	s.wantText(tablet.get("/"), "Nobody has signed in.")
}

func TestDevicesAreForThoseWhoHaveSignedIn(t *testing.T) {
	s := newSite(t)
	s.wantText(s.browser().get("/devices"), "Your name")
}

// cookieOf returns the session's cookie that a sign-in sets.
func (b *browser) cookieOf(form url.Values) *http.Cookie {
	b.Helper()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := b.client.PostForm(b.server.URL+"/sign-in", form)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if c.Name == "session_id" && c.Value != "" {
			return c
		}
	}
	b.Fatalf("no cookie of the session in %q", res.Header["Set-Cookie"])
	return nil
}

func TestStayingSignedInOutlivesTheBrowser(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	const month = 30 * 24 * 60 * 60
	for range 2 { // ticking the box and not, one after the other
		if c := b.cookieOf(url.Values{"name": {"Ada"}, "remember": {"yes"}}); c.MaxAge < month-60 || c.MaxAge > month {
			t.Errorf("with the box ticked the cookie lives %d s, want 30 days", c.MaxAge)
		}
		if c := b.cookieOf(url.Values{"name": {"Ada"}}); c.MaxAge != 0 || !c.Expires.IsZero() {
			t.Errorf("without the box the cookie lives %d s, want until the browser closes", c.MaxAge)
		}
	}
}

func TestAnOutageIsAPageOfTheShop(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.post("/sign-in", "name", "Ada")
	s.store.down.Store(true)
	res, err := b.client.PostForm(s.server.URL+"/cart/add", url.Values{"sku": {"captain"}})
	page := b.page("/cart/add", http.StatusServiceUnavailable, res, err)
	s.wantText(page, "<h1>That did not work</h1>")
	res, err = b.client.Get(s.server.URL + "/devices")
	b.page("/devices", http.StatusServiceUnavailable, res, err)
}

func TestTheAuditLogHasSignInsAndEnds(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	s := newSite(t)
	b := s.from(firefox)
	b.post("/sign-in", "name", "Ada")
	b.post("/sign-out")
	s.server.Close()
	for _, line := range []string{`event=signed_in`, `event=destroyed`} {
		s.wantText(log.String(), line)
	}
	s.wantText(log.String(), `device="Firefox on Linux"`)
	s.wantNoText(log.String(), "event=created")
}
