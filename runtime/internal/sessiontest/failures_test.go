package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A failure is a row of docs/failures.md: what goes wrong under which request.
// What comes of it is observed.
type failure struct {
	what, request string
	call          string // of the store that fails; empty: none does
	configure     func(*runtime.Config)
	anonymous     bool                                       // the visitor comes without a cookie
	before        func(s *site, b *browser) (current string) // and the token that the session has then
	do            func(s *site, b *browser, w http.ResponseWriter, v *VisitorSession)
}

// simple is a handler that needs its session alone.
func simple(do func(*VisitorSession)) func(*site, *browser, http.ResponseWriter, *VisitorSession) {
	return func(_ *site, _ *browser, _ http.ResponseWriter, v *VisitorSession) { do(v) }
}

var failures = []failure{
	{what: "load", request: "reads", call: "load", do: simple(func(v *VisitorSession) { v.Name() })},
	{what: "load, with `FailClosed`", request: "reads", call: "load", do: simple(func(v *VisitorSession) { v.Name() }),
		configure: func(c *runtime.Config) { c.FailClosed = true }},
	{what: "load", request: "reads and writes", call: "load", do: simple(func(v *VisitorSession) { v.Name(); v.SetName("Grace") })},
	{what: "load", request: "appends, which loads", call: "load", do: simple(func(v *VisitorSession) { v.AppendRecent("x") })},
	{what: "load", request: "destroys", call: "load", do: simple(func(v *VisitorSession) { v.Destroy() })},
	{what: "save", request: "writes", call: "update", do: simple(func(v *VisitorSession) { v.SetName("Grace") })},
	{what: "save", request: "reads and writes", call: "update", do: simple(func(v *VisitorSession) { v.Name(); v.SetName("Grace") })},
	{what: "save", request: "renews", call: "update", do: simple(func(v *VisitorSession) { v.Renew(); v.SetName("Grace") })},
	{what: "save", request: "signs in", call: "update", do: simple(func(v *VisitorSession) { v.SetUserID(7); v.SetName("Grace") })},
	{what: "save", request: "destroys", call: "delete", do: simple(func(v *VisitorSession) { v.Destroy() })},
	{what: "save", request: "destroys, then writes", call: "create", do: simple(func(v *VisitorSession) { v.Destroy(); v.SetName("Grace") })},
	{what: "save", request: "writes without a session", call: "create", anonymous: true,
		do: simple(func(v *VisitorSession) { v.SetName("Grace") })},
	{what: "save, by `Save`", request: "writes and answers by itself", call: "update", do: simple(func(v *VisitorSession) {
		v.SetName("Grace")
		_ = v.Save(context.Background())
	})},
	{what: "load, then `Save`", request: "reads, writes and answers by itself", call: "load", do: simple(func(v *VisitorSession) {
		v.SetName(v.Name() + "Grace")
		_ = v.Save(context.Background())
	})},
	{what: "extend", request: "reads", call: "update", do: simple(func(v *VisitorSession) { v.Name() }),
		configure: func(c *runtime.Config) { c.Idle = time.Hour },
		before:    func(s *site, b *browser) string { s.wait(30 * time.Minute); return b.cookie }},
	{what: "save: a field or the record is too large", request: "writes",
		do: simple(func(v *VisitorSession) { v.SetName(strings.Repeat("n", 41)) })},
	{what: "save: a counter overflows", request: "adds",
		do: simple(func(v *VisitorSession) { v.SetViews(1<<63 - 1); v.AddViews(1) })},
	{what: "save: the entry changed nine times meanwhile", request: "appends",
		before: func(s *site, b *browser) string { s.store.before = contend(s, b); return b.cookie },
		do:     simple(func(v *VisitorSession) { v.AppendRecent("x") })},
	{what: "save: the session has ended meanwhile", request: "reads and writes",
		do: func(_ *site, b *browser, _ http.ResponseWriter, v *VisitorSession) {
			v.Name()
			b.tab().visit(func(s *VisitorSession) { s.Destroy() })
			v.SetName("Grace")
		}},
	{what: "load: the session has ended meanwhile", request: "reads",
		do: func(_ *site, b *browser, _ http.ResponseWriter, v *VisitorSession) {
			b.tab().visit(func(s *VisitorSession) { s.Destroy() })
			v.Name()
		}},
	{what: "load: a sign-in has replaced the token", request: "reads", before: signInElsewhere,
		do: simple(func(v *VisitorSession) { v.Name() })},
	{what: "save: a sign-in has replaced the token", request: "writes", before: signInElsewhere,
		do: simple(func(v *VisitorSession) { v.SetName("Grace") })},
	{what: "load: the token was renewed, and is used after the grace", request: "reads", before: renewElsewhere,
		do: simple(func(v *VisitorSession) { v.Name() })},
	{what: "save: the response has begun", request: "renews and writes",
		do: func(_ *site, _ *browser, w http.ResponseWriter, v *VisitorSession) {
			w.WriteHeader(http.StatusOK)
			v.Renew()
			v.SetName("Grace")
		}},
	{what: "save: the response has begun", request: "destroys",
		do: func(_ *site, _ *browser, w http.ResponseWriter, v *VisitorSession) {
			w.WriteHeader(http.StatusOK)
			v.Destroy()
		}},
}

func signInElsewhere(s *site, b *browser) string {
	other := b.tab()
	other.visit(func(s *VisitorSession) { s.SetUserID(7) })
	s.wait(time.Second)
	return other.cookie
}

func renewElsewhere(s *site, b *browser) string {
	other := b.tab()
	other.visit(func(s *VisitorSession) { s.Renew() })
	other.visit(func(s *VisitorSession) { s.Name() })
	s.wait(time.Minute)
	return other.cookie
}

// contend lets somebody else append before every update of the request.
func contend(s *site, b *browser) func(string) {
	inside, n := false, 0
	return func(call string) {
		if call != "update" || inside {
			return
		}
		inside = true
		n++
		b.tab().visit(func(s *VisitorSession) { s.AppendRecent(strconv.Itoa(n)) })
		inside = false
	}
}

// brittle is a store of which one call fails, before or after it took effect.
type brittle struct {
	runtime.Store
	call    string
	err     error
	applied bool
}

// failing runs the operation unless it fails before that.
func (b *brittle) failing(call string, run func() error) error {
	if b.call != call {
		return run()
	}
	if b.applied {
		_ = run()
	}
	return b.err
}

func (b *brittle) Load(ctx context.Context, key runtime.Key) (r *runtime.Record, err error) {
	err = b.failing("load", func() error { r, err = b.Store.Load(ctx, key); return err })
	return r, err
}

func (b *brittle) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	return b.failing("create", func() error { return b.Store.Create(ctx, key, r) })
}

func (b *brittle) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (result *runtime.Result, err error) {
	err = b.failing("update", func() error { result, err = b.Store.Update(ctx, key, d); return err })
	return result, err
}

func (b *brittle) Delete(ctx context.Context, key runtime.Key) error {
	return b.failing("delete", func() error { return b.Store.Delete(ctx, key) })
}

func (b *brittle) Find(context.Context, runtime.IndexValue, time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) { yield(runtime.Found{}, b.err) }
}

func (b *brittle) Revoke(context.Context, runtime.IndexValue, time.Time, ...runtime.ID) (int, error) {
	return 0, b.err
}

// faults are the ways in which a call of the store fails.
var faults = []error{errOutage, context.DeadlineExceeded, context.Canceled}

// observed is what came of a failure.
type observed struct{ visitor, cookie, stored, err, onError, event string }

// observe runs the failure once.
func (f failure) observe(t *testing.T, fault error, applied bool) observed {
	t.Helper()
	s := newSite(t, func(c *runtime.Config) {
		if f.configure != nil {
			f.configure(c)
		}
	})
	b := s.signedUp()
	known := b.cookie
	if f.before != nil {
		known = f.before(s, b)
	}
	intact := s.store.Store
	s.kinds()
	s.store.Store = &brittle{Store: intact, call: f.call, err: fault, applied: applied}
	if f.anonymous {
		b.cookie = ""
	}
	var err error
	res := b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		f.do(s, b, w, v)
		_, _ = io.WriteString(w, "page of "+v.Name())
		err = v.Err()
	})
	s.store.Store = intact
	if f.call != "" && (len(s.errs) != 1 || !errors.Is(s.errs[0], fault)) {
		t.Errorf("the program was told %v, want %v once", s.errs, fault)
	}
	return observed{
		visitor: visitorSees(t, res, fault != nil && f.call == "load"),
		cookie:  cookieOf(res),
		stored:  storedAs(s, known, f.anonymous),
		err:     named(err),
		onError: named(errors.Join(s.errs...)),
		event:   eventOf(s),
	}
}

func visitorSees(t *testing.T, res *http.Response, outage bool) string {
	t.Helper()
	body, _ := io.ReadAll(res.Body)
	page := strings.HasPrefix(string(body), "page of")
	if page != (res.StatusCode == http.StatusOK) {
		t.Errorf("status %d with the body %q", res.StatusCode, body)
	}
	switch {
	case !page:
		return fmt.Sprint(res.StatusCode)
	case string(body) == "page of ":
		return "the page, with defaults"
	default:
		return "the page"
	}
}

func cookieOf(res *http.Response) string {
	switch c := ownCookies(res); {
	case len(c) == 0:
		return "stays"
	case c[0].Value == "":
		return "removed"
	default:
		return "new"
	}
}

func storedAs(s *site, token string, anonymous bool) string {
	if anonymous {
		return "no session that anybody can reach"
	}
	switch name := s.nameIn(token); name {
	case nothing:
		return "ended"
	case outdated:
		return "as written, and the old token has ended"
	case "Ada":
		return "as before"
	default:
		return "as written"
	}
}

// named returns the runtime's names of the errors in err.
func named(err error) string {
	var names []string
	for name, sentinel := range map[string]error{
		"`ErrOutcomeUnknown`": runtime.ErrOutcomeUnknown, "`ErrTooLarge`": runtime.ErrTooLarge, "`ErrOverflow`": runtime.ErrOverflow,
		"`ErrConflict`": runtime.ErrConflict, "`ErrEnded`": runtime.ErrEnded, "`ErrSuperseded`": runtime.ErrSuperseded,
		"`ErrTooLate`": runtime.ErrTooLate, "`ErrNotFound`": runtime.ErrNotFound,
	} {
		if errors.Is(err, sentinel) {
			names = append(names, name)
		}
	}
	for _, fault := range faults {
		if errors.Is(err, fault) {
			names = append(names, "the store's")
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func eventOf(s *site) string {
	var names []string
	for _, kind := range s.kinds() {
		names = append(names, "`"+string(kind)+"`")
	}
	return strings.Join(names, ", ")
}

// row returns the row of the failure, which is the same for every fault. A call
// of unknown outcome may be stored or not.
func (f failure) row(t *testing.T) string {
	t.Helper()
	seen := f.observe(t, errOutage, false)
	if f.call != "" {
		for _, fault := range faults {
			if got := f.observe(t, fault, false); got != seen {
				t.Errorf("%s, %s: %v gives\n%+v, an outage\n%+v", f.what, f.request, fault, got, seen)
			}
		}
		after := f.observe(t, errOutage, true)
		if after.stored != seen.stored {
			seen.stored += ", or " + after.stored
		}
		if after.stored = seen.stored; after != seen {
			t.Errorf("%s, %s: it matters to the visitor whether the call took effect: %+v, %+v", f.what, f.request, after, seen)
		}
	}
	return tableRow(f.what, f.request, seen.visitor, seen.cookie, seen.stored, seen.err, seen.onError, seen.event)
}

func tableRow(cells ...string) string {
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "-"
		}
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// indexRows are the failures that a program meets without a request.
func indexRows(t *testing.T) []string {
	t.Helper()
	row := func(what string, err error, s *site) string {
		return tableRow("index", what, "-", "-", "as before", "returned: "+named(err), named(errors.Join(s.errs...)), eventOf(s))
	}
	s := newSite(t)
	s.store.Store = &brittle{Store: s.store.Store, err: errOutage}
	var found error
	for _, err := range s.FindByUserID(context.Background(), 7) {
		found = err
	}
	_, revoked := s.RevokeByUserID(context.Background(), 7)
	return []string{row("`FindBy…`", found, s), row("`RevokeBy…`", revoked, s)}
}

func TestTheTableOfFailuresIsWhatHappens(t *testing.T) {
	var want []string
	for _, f := range failures {
		want = append(want, f.row(t))
	}
	want = append(want, indexRows(t)...)
	page, err := os.ReadFile("../../../docs/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| load") || strings.HasPrefix(line, "| save") ||
			strings.HasPrefix(line, "| extend") || strings.HasPrefix(line, "| index") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(rows, want) {
		t.Errorf("docs/failures.md says\n%s\nwhat happens is\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}
