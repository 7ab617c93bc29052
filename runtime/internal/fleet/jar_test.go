package fleet

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// All pages of the site are below /app of this host.
const (
	host     = "www.shop.example"
	page     = "/app/page"
	syncPath = "/app/sync"
	bindPath = "/app/bind"
	name     = "shop"

	boundName = "__Host-bound_" + name
)

// A jar keeps the session's cookies as browsers do (RFC 6265bis, and CHIPS): those of
// different scopes are different cookies.
type jar []cookie

type cookie struct {
	scope runtime.CookieScope
	value string
}

// header is the Cookie field of a request: longer paths come first, then older cookies.
func (j jar) header() string {
	list := slices.Clone(j)
	slices.SortStableFunc(list, func(a, b cookie) int { return cmp.Compare(len(b.scope.Path), len(a.scope.Path)) })
	var pairs []string
	for _, c := range list {
		pairs = append(pairs, name+"="+c.value)
	}
	return strings.Join(pairs, "; ")
}

// take does what the Set-Cookie lines of an answer say, and reports whether they
// changed anything.
func (j *jar) take(lines []string) (changed bool) {
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil || c.Name != name {
			continue
		}
		scope := runtime.CookieScope{Domain: strings.TrimPrefix(c.Domain, "."), Path: c.Path, Partitioned: c.Partitioned}
		value := c.Value
		if c.MaxAge < 0 {
			value = ""
		}
		changed = j.put(scope, value) || changed
	}
	return changed
}

// put stores a cookie, or removes it if the value is empty. A cookie that is replaced
// keeps its age.
func (j *jar) put(scope runtime.CookieScope, value string) (changed bool) {
	i := slices.IndexFunc(*j, func(c cookie) bool { return c.scope == scope })
	switch {
	case i < 0 && value == "":
		return false
	case i < 0:
		*j = append(*j, cookie{scope, value})
		return true
	case value == "":
		*j = slices.Delete(slices.Clone(*j), i, i+1)
		return true
	}
	changed = (*j)[i].value != value
	*j = slices.Clone(*j)
	(*j)[i].value = value
	return changed
}

// holds reports whether one of the cookies is of the session.
func (j jar) holds(id runtime.ID) bool {
	return slices.ContainsFunc(j, func(c cookie) bool { return idOf(c.value) == id })
}

// session returns which session the jar has the only cookie of.
func (j jar) session() (id runtime.ID, sole bool) {
	if len(j) != 1 {
		return runtime.ID{}, false
	}
	return idOf(j[0].value), true
}

func TestJarsKeepOneCookieForEachScope(t *testing.T) {
	var j jar
	j.take([]string{"shop=a; Path=/", "shop=b; Path=/app", "shop=c; Path=/; Partitioned; Secure", "shop=d; Path=/; Domain=shop.example"})
	if got, want := j.header(), "shop=b; shop=a; shop=c; shop=d"; got != want {
		t.Errorf("the jar sends %q, want %q", got, want)
	}
	j.take([]string{"shop=; Path=/app; Max-Age=0", "shop=e; Path=/; Domain=.shop.example", "other=f", "shop=; Path=/; Max-Age=0"})
	if got, want := j.header(), "shop=c; shop=e"; got != want {
		t.Errorf("the jar sends %q, want %q", got, want)
	}
}
