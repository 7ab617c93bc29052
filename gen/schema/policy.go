package schema

import (
	"net/http"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A Policy is what the directive says about cookie and expiry. A nil pointer
// was not said.
type Policy struct {
	Cookie       *string
	Path         *string
	Domain       *string
	Secure       *bool
	HTTPOnly     *bool
	SameSite     *http.SameSite
	BrowserClose *bool
	Partitioned  *bool
	Age          *time.Duration
	Idle         *time.Duration
	Bound        *runtime.Bound
	Reserved     []string
	Allow        []Rule // that the session may break
}

// A Setting is a value of the directive that becomes one of [runtime.Config].
type Setting struct {
	Name  string // in the directive, "secure"
	Field string // of the configuration, "Cookie.Secure"
	Value any    // of the field's type
	set   func(*runtime.Config)
}

// Settings returns what the policy says of the configuration, in a fixed order.
func (p Policy) Settings() []Setting {
	var all []Setting
	say(&all, "cookie", "Cookie.Name", p.Cookie, func(c *runtime.Config) *string { return &c.Cookie.Name })
	say(&all, "path", "Cookie.Path", p.Path, func(c *runtime.Config) *string { return &c.Cookie.Path })
	say(&all, "domain", "Cookie.Domain", p.Domain, func(c *runtime.Config) *string { return &c.Cookie.Domain })
	say(&all, "secure", "Cookie.Secure", p.Secure, func(c *runtime.Config) *bool { return &c.Cookie.Secure })
	say(&all, "httponly", "Cookie.HTTPOnly", p.HTTPOnly, func(c *runtime.Config) *bool { return &c.Cookie.HTTPOnly })
	say(&all, "samesite", "Cookie.SameSite", p.SameSite, func(c *runtime.Config) *http.SameSite { return &c.Cookie.SameSite })
	say(&all, "browserclose", "Cookie.BrowserClose", p.BrowserClose, func(c *runtime.Config) *bool { return &c.Cookie.BrowserClose })
	say(&all, "partitioned", "Cookie.Partitioned", p.Partitioned, func(c *runtime.Config) *bool { return &c.Cookie.Partitioned })
	say(&all, "age", "Age", p.Age, func(c *runtime.Config) *time.Duration { return &c.Age })
	say(&all, "idle", "Idle", p.Idle, func(c *runtime.Config) *time.Duration { return &c.Idle })
	say(&all, "bound", "Bound", p.Bound, func(c *runtime.Config) *runtime.Bound { return &c.Bound })
	return all
}

func say[T any](all *[]Setting, name, field string, value *T, place func(*runtime.Config) *T) {
	if value != nil {
		set := func(c *runtime.Config) { *place(c) = *value }
		*all = append(*all, Setting{Name: name, Field: field, Value: *value, set: set})
	}
}

// Configure sets what the policy says. It is what the generated code does before
// the program's own functions.
func (p Policy) Configure(c *runtime.Config) {
	for _, s := range p.Settings() {
		s.set(c)
	}
}
