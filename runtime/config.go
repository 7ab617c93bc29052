package runtime

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// MaxAge is the longest life of a session, the limit that browsers put on a
// cookie's.
const MaxAge = 400 * 24 * time.Hour

// A Config is the configuration of the sessions of one type. Fields that neither
// the directive nor the program sets have the defaults named here.
type Config struct {
	Cookie Cookie

	// Header is a header field that carries the token in place of the cookie, of
	// requests and, when the client has to learn a new one, of their responses: for
	// mobile and command-line programs. Authorization carries it as RFC 6750,
	// section 2.1, says ("Bearer " and the token), any other field by itself; an empty
	// one in a response says that the token opens nothing any more. Browsers send no
	// such field by themselves, so requests need no protection against forgery.
	// Empty, the default: the cookie.
	Header string

	// Namespace sets apart what shares a store: managers of one type and of different
	// namespaces never see each other's sessions, as those of different types. A
	// program with tenants makes a manager for each. Letters, digits and .-_~+/, at
	// most 100 bytes. Empty, the default: none.
	Namespace string

	// Age is the life of a session from its creation, at most [MaxAge].
	// Default: 7 days (ASVS 5.0, 7.3.2).
	Age time.Duration

	// Idle is how long a session lives without being used, at most Age. 0, the
	// default: no idle limit (ASVS 5.0, 7.3.1).
	Idle time.Duration

	// TouchEvery is how often the use of a session that changes nothing else is
	// recorded, at most half of Idle. It is how exact LastUsedAt and the idle limit
	// are. 0, the default: a tenth of Idle, or of the session's own limit, and never
	// without a limit.
	TouchEvery time.Duration

	// Grace is how long the old token still works after a plain renewal, once the
	// new one has been presented. Default: 30 s.
	Grace time.Duration

	// MaxBytes limits the keys and values of one session together. Default: 1 MiB.
	MaxBytes int

	// Keys are the keys for secret fields, 32 random bytes each. The first seals,
	// all open: to rotate, put a new one in front and keep the old ones for Age.
	Keys Keys

	// ServerDomain is the cookie's domain if Cookie.Domain is empty. Empty,
	// the default: a host-only cookie.
	ServerDomain string

	// Origins are further origins, such as "https://shop.example", whose pages may
	// open a Lively connection.
	Origins []string

	// SyncPath is the path at which SyncHandler is mounted. Default: "/lively/sync".
	SyncPath string

	// Bound says which sessions are bound to the device of their browser, if that
	// can. They need BindHandler, which is generated for a directive that has bound, be
	// it bound=false. Default: [BoundNever].
	Bound Bound

	// BoundAge is how long a stolen bound cookie is worth anything, and a live
	// connection that was opened with it. The browser proves before that it still has
	// its key. Minutes are right: browsers sign only so often. Default: 10 minutes.
	BoundAge time.Duration

	// BindPath is the path at which BindHandler is mounted. Default: "/session/bind".
	BindPath string

	// BoundSkipped decides whether a bound session is opened to a request whose
	// browser says, in the field Secure-Session-Skipped, that it could not refresh
	// the bound cookie. A thief can say so, too. It is called while the session is
	// being opened, and must not use that. Nil, the default: it is not opened.
	BoundSkipped func(*http.Request) bool

	// FailClosed answers every request whose session could not be loaded with 503,
	// also those that only read it.
	FailClosed bool

	// Timeout bounds each call of the store, also one that only loads, and all
	// that one commit needs. 0, the default: 5 s.
	Timeout time.Duration

	// ErrorHandler answers a request whose commit has failed before anything of
	// the handler's response went out, and what RequireSignIn cannot judge. The header is what it was when the
	// middleware began, with the handler's Vary and Access-Control-* fields; the
	// request's context carries the session. Unless it writes another status, that
	// is the one of [StatusOf]. Default: plain text.
	ErrorHandler func(w http.ResponseWriter, r *http.Request, err error)

	// SignInHandler answers what RequireSignIn does not let through: with a redirect
	// to the page where visitors sign in, say, or what the clients of an API expect.
	// The request's context carries the session, whose SignedInAt is zero if nobody
	// has signed in. Default: plain text with the status 401.
	SignInHandler http.HandlerFunc

	// CommitFailed also stores what was changed by a handler that answers with a
	// status of 500 or above. By default only what ends is stored then: Destroy,
	// and clearing a renew field.
	CommitFailed bool

	// OnEvent is called with what is not an error but worth counting, by the
	// request's goroutine. Default: it is logged, as a warning, and a malformed
	// cookie as information.
	OnEvent func(context.Context, Event)

	// OnError is called with every error of a load or commit, an [*Error], by the
	// request's goroutine. Default: it is logged, as an error, and as information
	// if the session has ended or moved on or the visitor has hung up.
	OnError func(context.Context, error)

	// Tracer, if set, is notified of what requests and live events do with their
	// sessions. It is for development tools, such as package inspect.
	Tracer Tracer

	// Now is the clock. Default: [time.Now].
	Now func() time.Time
}

// A Cookie is the cookie that carries the token (RFC 6265bis; ASVS 5.0, 3.3).
type Cookie struct {
	// Name is used exactly as given. Empty: "__Host-Http-session_id" if Secure,
	// HTTPOnly, the path / and no domain allow that prefix, else "session_id".
	Name string

	// Path, Domain and Partitioned are the cookie's scope. Where one of them changes,
	// browsers keep the cookie of before beside the new one: name that scope in Earlier
	// if Partitioned changes together with another one, or if a proxy hides the domain.
	Path   string // default: "/"
	Domain string // empty: Config.ServerDomain, and without that host-only

	// Partitioned keeps one cookie for each top-level site (CHIPS).
	Partitioned bool

	// Earlier names the scopes at which earlier deploys have set this cookie.
	// Browsers may still have it there, and send it beside the present one.
	Earlier []CookieScope

	Secure   bool          // default: true; false only for plain HTTP
	HTTPOnly bool          // default: true
	SameSite http.SameSite // default: Lax

	// BrowserClose makes the cookie end with the browser's own session.
	BrowserClose bool
}

// Configure returns the configuration that the functions make of the defaults,
// in order, and everything in it that cannot work. A nil function is skipped.
// [NewManager] starts with it, and duckgen judges a directive by it.
func Configure(configure ...func(*Config)) (Config, []Problem) {
	c := defaultConfig()
	for _, f := range configure {
		if f != nil {
			f(&c)
		}
	}
	c.complete()
	return c, c.problems()
}

const defaultTimeout = 5 * time.Second

func defaultConfig() Config {
	return Config{
		Cookie: Cookie{
			Path:     "/",
			Secure:   true,
			HTTPOnly: true,
			SameSite: http.SameSiteLaxMode,
		},
		Age:          7 * 24 * time.Hour,
		Grace:        30 * time.Second,
		MaxBytes:     1 << 20,
		SyncPath:     "/lively/sync",
		BoundAge:     10 * time.Minute,
		BindPath:     "/session/bind",
		Timeout:      defaultTimeout,
		OnEvent:      logEvent,
		OnError:      logError,
		ErrorHandler: answerError,

		SignInHandler: answerSignIn,
		Now:           time.Now,
	}
}

// complete fills in what depends on other values.
func (c *Config) complete() {
	c.Cookie.complete(c.ServerDomain)
	c.Header = http.CanonicalHeaderKey(c.Header)
	if c.OnEvent == nil {
		c.OnEvent = logEvent
	}
	if c.OnError == nil {
		c.OnError = logError
	}
	if c.ErrorHandler == nil {
		c.ErrorHandler = answerError
	}
	if c.SignInHandler == nil {
		c.SignInHandler = answerSignIn
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// notifyTracer has the tracer hear what the program hears.
func (c *Config) notifyTracer() {
	t, onEvent, onError := c.Tracer, c.OnEvent, c.OnError
	if t == nil {
		return
	}
	c.OnEvent = func(ctx context.Context, e Event) { t.Event(ctx, e); onEvent(ctx, e) }
	c.OnError = func(ctx context.Context, err error) { t.Error(ctx, err); onError(ctx, err) }
}

// logsEvents reports whether OnEvent is the default.
func (c *Config) logsEvents() bool {
	return reflect.ValueOf(c.OnEvent).Pointer() == reflect.ValueOf(logEvent).Pointer()
}

// kindOf returns the kind of the sessions in the namespace. No kind has a #.
func (c *Config) kindOf(kind string) string {
	if c.Namespace == "" {
		return kind
	}
	return kind + "#" + c.Namespace
}

const (
	plainCookieName    = "session_id"
	prefixedCookieName = "__Host-Http-" + plainCookieName
)

func (c *Cookie) complete(serverDomain string) {
	if c.Path == "" {
		c.Path = "/"
	}
	if c.Domain == "" {
		c.Domain = serverDomain
	}
	c.Earlier = slices.Clone(c.Earlier)
	for i := range c.Earlier {
		c.Earlier[i].complete()
	}
	if c.SameSite == 0 || c.SameSite == http.SameSiteDefaultMode {
		c.SameSite = http.SameSiteLaxMode
	}
	if c.Name != "" {
		return
	}
	c.Name = plainCookieName
	if c.Secure && c.HTTPOnly && c.Path == "/" && c.Domain == "" {
		c.Name = prefixedCookieName
	}
}

// complete writes the scope as browsers compare it.
func (s *CookieScope) complete() {
	s.Domain = strings.ToLower(s.Domain)
	if s.Path == "" {
		s.Path = "/"
	}
}
