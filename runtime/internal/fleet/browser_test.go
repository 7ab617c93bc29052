package fleet

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
)

// A browser has a jar for all its tabs, and live connections. What it has been told
// is in promises_test.go.
type browser struct {
	promises
	w *world
	n int

	jar     jar
	device  *device
	kept    jar                   // an older one, as it was written to disk
	keptKey device                // what the device knew then
	newest  map[runtime.ID]moment // of the tokens that it has had, when that was made
	conns   []*conn
	fetches []*fetch

	refreshing *action // with which the device refreshes its bound cookie
}

// A conn is a live connection of one tab.
type conn struct {
	by      *browser // nil: Mallory
	beside  *[]*conn // the connections that it is one of
	on      *process
	session *sessiontest.VisitorSession
	ctx     context.Context
	event   *action // under way

	header string // that the handshake has brought
	opened time.Time
}

// A fetch is what an event has sent the page for.
type fetch struct {
	origin *action
	path   string
}

func newBrowser(w *world, n int) *browser {
	b := &browser{w: w, n: n, device: newDevice(), newest: map[runtime.ID]moment{}}
	b.users = map[int64]bool{0: true}
	b.disturbed()
	b.user = 0
	return b
}

// busy reports whether the browser has something under way.
func (b *browser) busy() bool {
	return len(b.fetches) > 0 || slices.ContainsFunc(b.w.actions, func(a *action) bool { return a.by == b })
}

// visit sends a request.
func (b *browser) visit(o *op, on *process, user int64) *action {
	b.prove(on)
	a := &action{op: o, on: on, by: b, user: user, header: b.header(), alone: !b.busy()}
	b.w.send(a, a.handle)
	b.sends(a)
	return a
}

// repeat is a proxy that has another process serve a request whose answer was lost.
func (w *world) repeat(lost *action, on *process) {
	a := &action{op: lost.op, on: on, by: lost.by, user: lost.user, header: lost.header}
	w.send(a, a.handle)
	a.sent = lost.sent
	a.by.sends(a)
}

// connect opens a live connection.
func (b *browser) connect(on *process) {
	b.prove(on)
	a := &action{op: looking, on: on, by: b, header: b.header()}
	b.sends(a)
	b.w.connect(a, &b.conns)
}

// connect opens a live connection by a handshake.
func (w *world) connect(a *action, beside *[]*conn) {
	c := &conn{by: a.by, beside: beside, on: a.on, header: a.header}
	w.send(a, func() {
		c.opened = a.arrivedAt
		a.serve(a.on.sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.ctx, c.session = r.Context(), sessiontest.VisitorFrom(r.Context())
			look(a, c.session)
			_, _, _ = http.NewResponseController(w).Hijack()
		})), a.newRequest(http.MethodGet, "/app/live"))
	})
	w.finish(a)
	w.drop(a)
	if a.status == http.StatusOK && c.session != nil {
		*beside = append(*beside, c)
	}
}

// close ends the connection.
func (c *conn) close() {
	*c.beside = slices.DeleteFunc(*c.beside, func(other *conn) bool { return other == c })
}

// ExecuteJS is for cookies without HttpOnly, which these have.
func (c *conn) ExecuteJS(context.Context, string) error { return nil }

func (c *conn) SyncBrowserState(_ context.Context, path string) error {
	if c.by != nil {
		c.by.fetches = append(c.by.fetches, &fetch{c.event, path})
	}
	return nil
}

// live runs an event of one of the browser's connections.
func (b *browser) live(c *conn, o *op, user int64) *action {
	a := &action{op: o, on: c.on, by: b, conn: c, user: user}
	b.w.event(a)
	b.sends(a)
	return a
}

func (w *world) event(a *action) {
	c, o := a.conn, a.op
	c.event = a
	w.send(a, func() {
		a.err = c.on.sessions.LivelyEvent(c.ctx, c, c.session, func(ctx context.Context) error {
			o.run(a, sessiontest.VisitorFrom(ctx))
			return nil
		})
	})
}

// fetch does what the page was told.
func (b *browser) fetch(f *fetch, on *process) *action {
	b.fetches = slices.DeleteFunc(b.fetches, func(other *fetch) bool { return other == f })
	b.prove(on)
	a := &action{op: nil, on: on, by: b, origin: f.origin, header: b.header()}
	b.sends(a)
	return b.w.send(a, a.sync(f.path))
}

// deliver brings the answer of an action to whom it is for.
func (w *world) deliver(a *action) {
	w.finish(a)
	w.drop(a)
	w.tick()
	switch {
	case a.conn != nil:
		a.conn.event = nil
		if a.err != nil {
			a.conn.close()
		}
		if a.by != nil {
			a.by.hears(a)
		}
	case a.by != nil:
		a.by.takes(a)
	default:
		w.mallory.takes(a)
	}
}

// lose loses the answer of an action, or the action itself if it has not arrived.
func (w *world) lose(a *action) {
	if a.arrived != 0 {
		w.finish(a)
	}
	w.drop(a)
	if a.by != nil {
		a.by.device.tried = a.by.device.tried || a.by.refreshing == a
		a.by.settles(a)
	}
	if a.conn != nil {
		a.conn.event = nil
		a.conn.close()
	}
	if a.by != nil && a.conn == nil && a.origin == nil && a.exchange == nil {
		w.again = append(w.again, a)
	}
}

// keep writes the jar to disk.
func (b *browser) keep() { b.kept, b.keptKey = b.jar, *b.device }

// restore puts back the jar that was on disk, as after a crash. What it held was in use
// since, as if somebody had copied it.
func (b *browser) restore() {
	if b.busy() || b.kept == nil {
		return
	}
	b.w.copiedAll(b.jar.header())
	b.w.copiedAll(b.kept.header())
	b.jar, *b.device = b.kept, b.keptKey
	b.conns, b.fetches = nil, nil
	b.disturbed()
}

// plant puts a cookie into the jar, in place of the browser's own or beside it.
func (b *browser) plant(scope runtime.CookieScope, token string) {
	b.jar.put(scope, token)
	b.planted = true
	b.w.copiedAll(b.jar.header())
	b.disturbed()
}
