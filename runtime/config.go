package runtime

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxAge is the longest life of a session, the limit that browsers put on a
// cookie's.
const MaxAge = 400 * 24 * time.Hour

// A Config says how sessions of one type live. The directive's values arrive
// filled in, the defaults named here elsewhere.
type Config struct {
	Cookie Cookie

	// Age is the life of a session from its creation, at most [MaxAge].
	// Default: 7 days (ASVS 5.0, 7.3.2).
	Age time.Duration

	// Idle ends a session that was not used for so long, at most Age. 0, the
	// default: no idle limit (ASVS 5.0, 7.3.1).
	Idle time.Duration

	// Grace is how long the old token still works once the new one has been
	// presented after a plain renewal. Default: 30 s.
	Grace time.Duration

	// MaxBytes limits all keys and values of one session. Default: 1 MiB.
	MaxBytes int

	// Keys are the keys for secret fields, 32 bytes each. The first seals, all
	// open: to rotate, put a new one in front and keep the old ones for Age.
	Keys [][]byte

	// ServerDomain is the cookie's domain where Cookie.Domain is empty. Empty,
	// the default: a host-only cookie.
	ServerDomain string

	// Origins are the further origins, "https://shop.example", whose pages may
	// open a Lively connection.
	Origins []string

	// SyncPath is where SyncHandler is mounted. Default: "/lively/sync".
	SyncPath string

	// FailClosed answers 503 to every request whose session could not be
	// loaded, also to those that only read it.
	FailClosed bool

	// OnEvent hears of what is no error but worth counting. Default: logged
	// as a warning. It is called by the request's goroutine.
	OnEvent func(context.Context, Event)

	// OnError hears of every load or commit that failed. Default: logged as an
	// error. It is called by the request's goroutine.
	OnError func(context.Context, error)

	// Now is the clock. Default: [time.Now].
	Now func() time.Time
}

// defaultConfig is what the origin of this package had, made safe.
func defaultConfig() Config {
	return Config{
		Cookie: Cookie{
			Path:     "/",
			Secure:   true,
			HTTPOnly: true,
			SameSite: http.SameSiteLaxMode,
		},
		Age:      7 * 24 * time.Hour,
		Grace:    30 * time.Second,
		MaxBytes: 1 << 20,
		SyncPath: "/lively/sync",
		OnEvent:  logEvent,
		OnError:  logError,
		Now:      time.Now,
	}
}

// complete fills in what depends on other values.
func (c *Config) complete() {
	if c.Cookie.Domain == "" {
		c.Cookie.Domain = c.ServerDomain
	}
	c.Cookie.complete()
	if c.OnEvent == nil {
		c.OnEvent = logEvent
	}
	if c.OnError == nil {
		c.OnError = logError
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// validate returns everything that is wrong, each error with a way out.
func (c *Config) validate() error {
	errs := c.Cookie.problems()
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Age <= 0 || c.Age > MaxAge {
		complain("Age is %v: it must be above 0 and at most %v, the limit of browsers", c.Age, MaxAge)
	}
	if c.Idle < 0 || c.Idle > c.Age {
		complain("Idle is %v: it must be between 0 (no idle limit) and Age, %v", c.Idle, c.Age)
	}
	if c.Grace < 0 {
		complain("Grace is %v: it must not be negative", c.Grace)
	}
	if c.MaxBytes <= 0 {
		complain("MaxBytes is %d: it must be above 0", c.MaxBytes)
	}
	for i, key := range c.Keys {
		if len(key) != 32 {
			complain("Keys[%d] has %d bytes: a key has 32, make one with crypto/rand", i, len(key))
		}
	}
	if !isLocalPath(c.SyncPath) {
		complain("SyncPath is %q: it must be a path of this host that begins with one /, without a query", c.SyncPath)
	}
	for i, origin := range c.Origins {
		if !isOrigin(origin) {
			complain("Origins[%d] is %q: write scheme and host as browsers do, as in https://shop.example", i, origin)
		}
	}
	return errors.Join(errs...)
}

// isLocalPath checks that a browser which resolves the text stays on the host: it
// takes //other.example, and a backslash for a slash, for another one.
func isLocalPath(text string) bool {
	_, err := url.Parse(text)
	return err == nil && strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") &&
		!strings.ContainsAny(text, "\\?#")
}

// isOrigin checks for the one spelling in which browsers send an origin: in lower
// case and without a scheme's own port (RFC 6454, section 6.1).
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != "" && strings.ToLower(u.Scheme+"://"+u.Host) == text &&
		(u.Scheme != "https" || u.Port() != "443") && (u.Scheme != "http" || u.Port() != "80")
}
