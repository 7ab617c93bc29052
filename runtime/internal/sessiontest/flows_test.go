package sessiontest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A flow is what a request does with its session, and what comes of it.
type flow struct {
	action string
	do     func(s *VisitorSession)

	// What comes of it, by what the request's cookie opens.
	absent, dead, alive outcome
}

// An outcome is everything that a flow changes.
type outcome struct {
	calls  string // of the store, in order
	stored string // the name in the session that the browser's cookie opens afterwards
	cookie cookieEffect
}

// cookieEffect is what the browser is told.
type cookieEffect string

const (
	cookieKept    cookieEffect = "kept"
	cookieNew     cookieEffect = "new"     // of a session under a new id
	cookieRenewed cookieEffect = "renewed" // another token of the same session
	cookieRemoved cookieEffect = "removed"
	cookieSame    cookieEffect = "the same" // once more
)

// What a cookie may open besides a name.
const (
	nothing  = "no session"
	outdated = "a token that a sign-in has replaced"
	blank    = "" // a session without a name
)

// flows is the table of all that a request can do. An absent cookie is one that
// counts as none, a dead one has the shape of a token and opens nothing, and an
// alive one opens the session of Ada.
var flows = []flow{
	{"untouched", func(*VisitorSession) {},
		outcome{"", nothing, cookieKept},
		outcome{"", nothing, cookieKept},
		outcome{"", "Ada", cookieKept}},
	{"read", func(s *VisitorSession) { s.Name() },
		outcome{"", nothing, cookieKept},
		outcome{"load", nothing, cookieKept},
		outcome{"load", "Ada", cookieKept}},
	{"write", func(s *VisitorSession) { s.SetName("Grace") },
		outcome{"create", "Grace", cookieNew},
		outcome{"update create", "Grace", cookieNew},
		outcome{"update", "Grace", cookieKept}},
	{"read and write", func(s *VisitorSession) { s.Name(); s.SetName("Grace") },
		outcome{"create", "Grace", cookieNew},
		outcome{"load create", "Grace", cookieNew},
		outcome{"load update", "Grace", cookieKept}},
	{"write the same value", func(s *VisitorSession) { s.SetName(s.Name()) },
		outcome{"", nothing, cookieKept},
		outcome{"load", nothing, cookieKept},
		outcome{"load", "Ada", cookieKept}},
	{"write the same value unseen", func(s *VisitorSession) { s.SetName("Ada") },
		outcome{"create", "Ada", cookieNew},
		outcome{"update create", "Ada", cookieNew},
		outcome{"update", "Ada", cookieKept}},
	{"clear", func(s *VisitorSession) { s.ClearName() },
		outcome{"", nothing, cookieKept},
		outcome{"update", nothing, cookieKept},
		outcome{"update", blank, cookieKept}},
	{"destroy", func(s *VisitorSession) { s.Destroy() },
		outcome{"", nothing, cookieKept},
		outcome{"load delete", nothing, cookieKept},
		outcome{"load delete", nothing, cookieRemoved}},
	{"destroy and write", func(s *VisitorSession) { s.Destroy(); s.SetName("Grace") },
		outcome{"create", "Grace", cookieNew},
		outcome{"load delete create", "Grace", cookieNew},
		outcome{"load delete create", "Grace", cookieNew}},
	{"renew", func(s *VisitorSession) { s.Renew() },
		outcome{"", nothing, cookieKept},
		outcome{"update", nothing, cookieKept},
		outcome{"update", "Ada", cookieRenewed}},
	{"sign in", func(s *VisitorSession) { s.SetUserID(7) },
		outcome{"create", blank, cookieNew},
		outcome{"update create", blank, cookieNew},
		outcome{"update", "Ada", cookieRenewed}},
}

// A cookieState is what a browser may send, made of the token of Ada's session.
type cookieState struct {
	name    string
	header  func(name, token string) string
	outcome func(flow) outcome
	after   time.Duration     // since the session began
	event   runtime.EventKind // empty: none
}

// unknownToken has the shape of a token. No store has seen it.
var unknownToken = base64.RawURLEncoding.EncodeToString([]byte("an id that nobody has, and a secret of 32 bytes."))

func absent(f flow) outcome { return f.absent }
func dead(f flow) outcome   { return f.dead }
func alive(f flow) outcome  { return f.alive }

// beside is what comes of a known cookie with another one beside it: the store is
// asked for both, and the known one is sent again. Nothing is done for a request
// that does not use its session.
func beside(f flow) outcome {
	o := f.alive
	switch f.action {
	case "untouched":
		return o
	case "write the same value unseen":
		o.calls = "load"
	}
	rest := strings.TrimPrefix(o.calls, "load")
	o.calls = strings.TrimSpace("load load " + strings.TrimSpace(rest))
	if o.cookie == cookieKept {
		o.cookie = cookieSame
	}
	return o
}

var cookieStates = []cookieState{
	{name: "no cookie", header: func(_, _ string) string { return "" }, outcome: absent},
	{name: "known", header: func(name, token string) string { return name + "=" + token }, outcome: alive},
	{name: "unknown", header: func(name, _ string) string { return name + "=" + unknownToken }, outcome: dead},
	{name: "malformed", header: func(name, token string) string { return name + "=" + token[1:] }, outcome: absent,
		event: runtime.EventMalformedCookie},
	{name: "empty", header: func(name, _ string) string { return name + "=" }, outcome: absent},
	{name: "duplicate", header: func(name, token string) string {
		return name + "=" + token + "; " + name + "=" + unknownToken
	}, outcome: beside, event: runtime.EventDuplicateCookie},
	{name: "expired", header: func(name, token string) string { return name + "=" + token }, outcome: dead,
		after: 168 * time.Hour},
}

// A cookieSetting is a configuration and the cookie that it makes. When a cookie
// ends depends on the flow.
type cookieSetting struct {
	name       string
	configure  func(*runtime.Config)
	cookie     string // its name
	attributes string // those before the end
	flags      string // those after it
	noEnd      bool
}

var cookieSettings = []cookieSetting{
	{"as the directive has it", func(*runtime.Config) {},
		"shop", "; Path=/", "; HttpOnly; Secure; SameSite=Lax", false},
	{"without a name", func(c *runtime.Config) { c.Cookie.Name = "" },
		"__Host-Http-session_id", "; Path=/", "; HttpOnly; Secure; SameSite=Lax", false},
	{"name", func(c *runtime.Config) { c.Cookie.Name = "__Secure-s" },
		"__Secure-s", "; Path=/", "; HttpOnly; Secure; SameSite=Lax", false},
	{"path", func(c *runtime.Config) { c.Cookie.Path = "/a" },
		"shop", "; Path=/a", "; HttpOnly; Secure; SameSite=Lax", false},
	{"domain", func(c *runtime.Config) { c.Cookie.Domain = "shop.example" },
		"shop", "; Path=/; Domain=shop.example", "; HttpOnly; Secure; SameSite=Lax", false},
	{"the server's domain", func(c *runtime.Config) { c.ServerDomain = "shop.example" },
		"shop", "; Path=/; Domain=shop.example", "; HttpOnly; Secure; SameSite=Lax", false},
	{"a domain before the server's", func(c *runtime.Config) { c.Cookie.Domain, c.ServerDomain = "shop.example", "example" },
		"shop", "; Path=/; Domain=shop.example", "; HttpOnly; Secure; SameSite=Lax", false},
	{"the server's domain without a name", func(c *runtime.Config) { c.ServerDomain, c.Cookie.Name = "shop.example", "" },
		"session_id", "; Path=/; Domain=shop.example", "; HttpOnly; Secure; SameSite=Lax", false},
	{"plain HTTP", func(c *runtime.Config) { c.Cookie.Secure = false },
		"shop", "; Path=/", "; HttpOnly; SameSite=Lax", false},
	{"plain HTTP without a name", func(c *runtime.Config) { c.Cookie.Secure, c.Cookie.Name = false, "" },
		"session_id", "; Path=/", "; HttpOnly; SameSite=Lax", false},
	{"for scripts", func(c *runtime.Config) { c.Cookie.HTTPOnly = false },
		"shop", "; Path=/", "; Secure; SameSite=Lax", false},
	{"strict", func(c *runtime.Config) { c.Cookie.SameSite = http.SameSiteStrictMode },
		"shop", "; Path=/", "; HttpOnly; Secure; SameSite=Strict", false},
	{"any site", func(c *runtime.Config) { c.Cookie.SameSite = http.SameSiteNoneMode },
		"shop", "; Path=/", "; HttpOnly; Secure; SameSite=None", false},
	{"partitioned", func(c *runtime.Config) { c.Cookie.Partitioned = true },
		"shop", "; Path=/", "; HttpOnly; Secure; SameSite=Lax; Partitioned", false},
	{"until the browser closes", func(c *runtime.Config) { c.Cookie.BrowserClose = true },
		"shop", "; Path=/", "; HttpOnly; Secure; SameSite=Lax", true},
}

// set returns the line that gives the browser a token until the session ends.
func (c cookieSetting) set(token string, ends, now time.Time) string {
	line := c.cookie + "=" + token + c.attributes
	if !c.noEnd {
		seconds := int(ends.Sub(now) / time.Second)
		line += "; Expires=" + ends.UTC().Format(http.TimeFormat) + "; Max-Age=" + strconv.Itoa(seconds)
	}
	return line + c.flags
}

// removed returns the line that takes the token from the browser.
func (c cookieSetting) removed() string {
	return c.cookie + "=" + c.attributes + "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0" + c.flags
}

func TestFlowsOverHTTP(t *testing.T) {
	for _, setting := range cookieSettings {
		for _, state := range cookieStates {
			for _, f := range flows {
				t.Run(setting.name+"/"+state.name+"/"+f.action, func(t *testing.T) { runFlow(t, setting, state, f) })
			}
		}
	}
}

func runFlow(t *testing.T, setting cookieSetting, state cookieState, f flow) {
	t.Parallel()
	s := newSite(t, setting.configure)
	known := tokenIn(setting, s.answer("", func(s *VisitorSession) { s.SetName("Ada") }))
	s.now = s.now.Add(state.after).Add(time.Second)
	s.store.took()

	res := s.answer(state.header(setting.cookie, known), f.do)

	want := state.outcome(f)
	if got := s.store.took(); got != want.calls {
		t.Errorf("store calls %q, want %q", got, want.calls)
	}
	token := tokenIn(setting, res)
	if got, line := ownLine(setting, res), want.cookie.line(setting, token, s.now); got != line {
		t.Errorf("Set-Cookie\n got %q\nwant %q", got, line)
	}
	if sameID(token, known) != (want.cookie == cookieRenewed || want.cookie == cookieSame) ||
		(token == known) != (want.cookie == cookieSame) {
		t.Errorf("token %q after %q, but the cookie is %s", token, known, want.cookie)
	}
	if got := s.nameIn(opened(want.cookie, state, known, token)); got != want.stored {
		t.Errorf("the browser's session holds %q, want %q", got, want.stored)
	}
	if got := s.kinds(); !slices.Equal(got, state.events(f)) {
		t.Errorf("events %q, want %q", got, state.events(f))
	}
	if len(s.errs) > 0 || res.StatusCode != http.StatusOK {
		t.Errorf("status %d, errors %v", res.StatusCode, s.errs)
	}
	checkCaching(t, res, f)
}

// line returns the Set-Cookie line of the effect.
func (e cookieEffect) line(setting cookieSetting, token string, now time.Time) string {
	switch e {
	case cookieNew:
		return setting.set(token, now.Add(168*time.Hour), now)
	case cookieRenewed, cookieSame:
		return setting.set(token, begin.Add(168*time.Hour), now)
	case cookieRemoved:
		return setting.removed()
	default:
		return ""
	}
}

// opened returns the token that decides which session the browser has.
func opened(effect cookieEffect, state cookieState, known, token string) string {
	switch {
	case effect == cookieNew || effect == cookieRenewed:
		return token
	case state.name == "known", state.name == "duplicate":
		return known
	default:
		return unknownToken
	}
}

func (s cookieState) events(f flow) []runtime.EventKind {
	if s.event == "" || s.name == "duplicate" && f.action == "untouched" {
		return nil
	}
	return []runtime.EventKind{s.event}
}

// checkCaching holds the response to R9.
func checkCaching(t *testing.T, res *http.Response, f flow) {
	t.Helper()
	sets := len(res.Header["Set-Cookie"]) > 0
	if got := res.Header.Get("Cache-Control"); (got == "no-store") != sets {
		t.Errorf("Cache-Control %q, but it sets a cookie: %v", got, sets)
	}
	reads := strings.HasPrefix(f.action, "read") || f.action == "write the same value"
	if got := res.Header.Get("Vary"); (got == "Cookie") != reads {
		t.Errorf("Vary %q, but it reads the session: %v", got, reads)
	}
}

// answer serves one request that brings the cookie header.
func (s *site) answer(header string, do func(*VisitorSession)) *http.Response {
	r := httptest.NewRequest("GET", "https://shop.example/a/b", nil)
	if header != "" {
		r.Header.Set("Cookie", header)
	}
	w := httptest.NewRecorder()
	s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { do(VisitorFrom(r.Context())) })).ServeHTTP(w, r)
	return w.Result()
}

// ownLine returns the Set-Cookie line for the configured scope, "" for none.
func ownLine(setting cookieSetting, res *http.Response) (own string) {
	for _, line := range res.Header["Set-Cookie"] {
		name, rest, _ := strings.Cut(line, "=")
		_, attributes, _ := strings.Cut(rest, "; ")
		var scope string
		for a := range strings.SplitSeq(attributes, "; ") {
			if strings.HasPrefix(a, "Path=") || strings.HasPrefix(a, "Domain=") {
				scope += "; " + a
			}
		}
		partitioned := strings.Contains(attributes, "; Partitioned") == strings.Contains(setting.flags, "; Partitioned")
		if name == setting.cookie && scope == setting.attributes && partitioned {
			own += line
		}
	}
	return own
}

// tokenIn returns the token that the response gives the browser, "" for none.
func tokenIn(setting cookieSetting, res *http.Response) string {
	_, rest, _ := strings.Cut(ownLine(setting, res), "=")
	token, _, _ := strings.Cut(rest, ";")
	return token
}

// sameID reports whether two tokens are of one session.
func sameID(a, b string) bool { return idOf(a) != "" && idOf(a) == idOf(b) }

// idOf returns the part of a token's text that is of its id alone.
func idOf(token string) string { return token[:min(len(token), 20)] }

// nameIn returns the name in the stored session that a token opens.
func (s *site) nameIn(token string) string {
	s.t.Helper()
	record, err := s.store.Store.Load(context.Background(), s.presenting(token))
	switch {
	case errors.Is(err, runtime.ErrNotFound), errors.Is(err, runtime.ErrEnded):
		return nothing
	case errors.Is(err, runtime.ErrSuperseded):
		return outdated
	case err != nil:
		s.t.Fatal(err)
	}
	entry, found := record.Entries.Get("name")
	if !found {
		return blank
	}
	return entry.Value[1:] // a short string of MessagePack begins with its length
}

// presenting returns the key of a token, for a look that counts as no request.
func (s *site) presenting(token string) runtime.Key {
	s.t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 48 {
		s.t.Fatalf("%q is no token", token)
	}
	const kind = "github.com/duckgen/duckgen/runtime/internal/sessiontest.Visitor"
	proof := sha256.Sum256(slices.Concat([]byte(kind), []byte{0}, raw[16:]))
	return runtime.Key{ID: runtime.ID(raw), Proof: proof, Now: s.now, Held: true, Live: true}
}

// lastTold returns the error that the program was told last.
func (s *site) lastTold() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errs) == 0 {
		return nil
	}
	return s.errs[len(s.errs)-1]
}
