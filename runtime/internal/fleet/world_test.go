package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
)

// A world is what one history takes place in.
type world struct {
	*ledger
	say     func(format string, args ...any)
	finding string // the first promise that was broken; empty: none

	moment moment
	clock  clock
	users  int64 // the first user, less one: histories that share a store have their own

	processes []*process
	browsers  []*browser
	mallory   mallory
	scopes    []runtime.CookieScope // of the cookie, of one deploy after another
	scope     int                   // the present one
	boundAge  time.Duration         // 0: sessions are not bound

	running *action
	actions []*action // sent, and neither delivered nor lost
	again   []*action // lost, and to be sent again by a proxy
	marks   int
}

// A moment counts what happens: it says which of two things came first.
type moment int

// A clock is that of the store: simulated, or the real one of a server.
type clock interface {
	now() time.Time
	tick()
	pass(time.Duration)
	slack() time.Duration  // by which it may differ from what a store has judged by
	faster() time.Duration // than it: so many times do histories go
}

// A process is a program on the common store, with a clock of its own.
type process struct {
	*view
	sessions *sessiontest.VisitorSessions
}

// newWorld returns a world of several processes, each with a view of one store.
func newWorld(say func(string, ...any), c clock, grace, boundAge time.Duration, views ...*view) *world {
	w := &world{say: say, clock: c, scopes: scopes, boundAge: boundAge}
	if boundAge > 0 {
		w.scopes = boundScopes
	}
	w.mallory.device = newDevice()
	w.ledger = newLedger(w, grace, c.slack())
	for _, v := range views {
		own := *v
		own.world = w
		w.processes = append(w.processes, &process{view: &own})
	}
	for range 2 {
		w.browsers = append(w.browsers, newBrowser(w, len(w.browsers)))
	}
	w.deploy(0)
	return w
}

func (w *world) now() time.Time { return w.clock.now() }

// tick makes what follows later than what was.
func (w *world) tick() {
	w.moment++
	w.clock.tick()
}

// found takes note of a broken promise.
func (w *world) found(format string, args ...any) {
	if w.finding == "" {
		w.finding = fmt.Sprintf(format, args...)
		w.say("FOUND %s", w.finding)
	}
}

// boundScopes are those that cookies of bound sessions can have.
var boundScopes = []runtime.CookieScope{{Path: "/"}, {Path: "/app"}}

var scopes = []runtime.CookieScope{
	{Path: "/"},
	{Path: "/", Partitioned: true},
	{Path: "/", Domain: "shop.example"},
	{Path: "/app"},
}

// deploy replaces all processes by such that keep the cookie at another scope.
func (w *world) deploy(scope int) {
	w.scope = scope % len(w.scopes)
	for _, p := range w.processes {
		p.start(w.scopes[w.scope])
	}
	w.mallory.conns = nil
	for _, b := range w.browsers {
		b.conns, b.fetches = nil, nil
	}
}

func (p *process) start(scope runtime.CookieScope) {
	p.heard = false
	sessions, err := sessiontest.NewVisitorSessions(p.view, func(c *runtime.Config) {
		c.Keys = [][]byte{[]byte("0123456789abcdef0123456789abcdef")}
		c.Age, c.Grace, c.Timeout = runtime.MaxAge, p.grace, time.Hour
		c.Now = func() time.Time { return p.now().Add(p.ahead) }
		c.SyncPath = syncPath
		c.OnEvent = p.hears
		if p.boundAge > 0 {
			c.Bound, c.BoundAge, c.BindPath = runtime.BoundSignIn, p.boundAge, bindPath
		}
		c.OnError = func(context.Context, error) {}
		c.Cookie.Path, c.Cookie.Domain, c.Cookie.Partitioned = scope.Path, scope.Domain, scope.Partitioned
		for _, s := range p.scopes { // what is found without being named is not named
			if s.Partitioned != scope.Partitioned && (s.Path != scope.Path || s.Domain != scope.Domain) {
				c.Cookie.Earlier = append(c.Cookie.Earlier, s)
			}
		}
	})
	if err != nil {
		panic(err)
	}
	p.sessions = sessions
}

// hears is told of the events of the process.
func (p *process) hears(_ context.Context, e runtime.Event) {
	if e.Kind == runtime.EventUnbound {
		p.unbound(p.running, e.Handle)
	}
}

// pass lets time pass. Requests take no longer to arrive than a moment, and the store
// no longer to answer; handlers take as long as they like.
func (w *world) pass(d time.Duration) {
	for _, a := range slices.Clone(w.actions) {
		for !a.over && (a.arrived == 0 || a.asks) {
			w.advance(a)
		}
	}
	w.clock.pass(d)
	w.tick()
}

// boundTime returns how much passes of a history while a bound cookie lives.
func (w *world) boundTime() time.Duration { return w.boundAge * w.clock.faster() }

// disturbed takes note that others have changed a session: what a browser with its
// cookie knows of it counts no more.
func (w *world) disturbed(id runtime.ID, by *browser) {
	for _, b := range w.browsers {
		if b != by && b.jar.holds(id) {
			b.disturbed()
		}
	}
}

// isShared reports whether another browser has the cookie of a session.
func (w *world) isShared(id runtime.ID, by *browser) bool {
	return slices.ContainsFunc(w.browsers, func(b *browser) bool { return b != by && b.jar.holds(id) })
}

// end leaves the world: nothing that is under way goes on.
func (w *world) end() {
	for _, a := range w.actions {
		w.leave(a)
	}
}

// A simulated clock.
type simulated struct{ time time.Time }

func (c *simulated) now() time.Time        { return c.time }
func (c *simulated) tick()                 { c.time = c.time.Add(time.Millisecond) }
func (c *simulated) pass(d time.Duration)  { c.time = c.time.Add(d) }
func (c *simulated) slack() time.Duration  { return 0 }
func (c *simulated) faster() time.Duration { return 1 }

// A real clock is that of a server. Its histories go faster, with a shorter grace, and
// wait for no more than a minute of theirs.
type real struct{ speed time.Duration }

func (real) now() time.Time          { return time.Now() }
func (real) tick()                   {}
func (c real) pass(d time.Duration)  { time.Sleep(min(d, time.Minute) / c.speed) }
func (real) slack() time.Duration    { return 200 * time.Millisecond }
func (c real) faster() time.Duration { return c.speed }
