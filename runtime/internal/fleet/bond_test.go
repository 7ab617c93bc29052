package fleet

import (
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A bond is what is known of the device that a session is bound to.
type bond struct {
	invited    *action // the last one that was to register a key
	invitedAt  time.Time
	device     *device   // that has registered; nil: none
	challenged time.Time // when its challenge was made
	demanded   time.Time // from when on a bound cookie is demanded; zero: the browser has shown none

	// Good until they end, and by the browser's own refreshes for longer than one: the
	// last bound cookie, and the one that the browser had then.
	current, previous string
}

// unknownCookie is one whose answer the store has lost.
const unknownCookie = "?"

// A boundCookie is one that a browser was given.
type boundCookie struct {
	home runtime.ID
	ends time.Time
}

// hop is longer than an operation is on its way to the store, and shorter than what
// anything depends on.
const hop = 50 * time.Millisecond

// shows takes note that the browser has its bound cookie.
func (b *bond) shows(now time.Time, grace time.Duration) {
	if b.demanded = b.challenged.Add(grace); b.demanded.Before(now) {
		b.demanded = now
	}
}

// sets reports whether the delta sets the entry.
func sets(d *runtime.Delta, key string) bool {
	return slices.ContainsFunc(d.Ops, func(op runtime.Op) bool { return op.Kind == runtime.OpSet && op.Entry.Key == key })
}

// bonds takes note of what an update has changed of a session's bond, and demands that
// who makes it may.
func (l *ledger) bonds(a *action, e *entry, d *runtime.Delta) {
	now := l.w.now()
	switch {
	case a.exchange == nil && sets(d, "@device") && d.SignIn != nil:
		e.bond = bond{invited: a, invitedAt: now}
	case a.exchange == nil:
		l.checkKey(a, e, "writes")
		if sets(d, "@device") {
			e.shows(now, l.grace)
		}
	case sets(d, "@bound"):
		l.refreshes(a, e, now)
	default:
		e.challenged = now
	}
}

// refreshes takes note of a registration or a refresh.
func (l *ledger) refreshes(a *action, e *entry, now time.Time) {
	brought := boundIn(a.header)
	switch x := a.exchange; {
	case x.session != "" && e.device != x.device:
		l.w.found("B2: %s refreshes session %d, which is not bound to its device", a, e.n)
	case x.session != "" && x.proof != "":
		l.w.found("B2: %s refreshes session %d by a proof that it has copied", a, e.n)
	case x.session == "" && (e.device != nil || e.invited != x.invitation):
		l.w.found("B2: %s registers a key for session %d, and was not invited to", a, e.n)
	case x.session == "":
		e.device = x.device
	case e.demanded.IsZero():
		e.shows(now, l.grace)
	}
	e.challenged = now
	if brought != e.previous {
		e.previous = e.current
	}
	if brought == e.current {
		e.previous = brought
	}
	e.current = unknownCookie
}

// givesBound takes note of the bound cookie in an answer.
func (l *ledger) givesBound(a *action) {
	var d device
	d.take(a.lines, l.w.now())
	if e := l.entries[a.home]; d.cookie != "" && e != nil {
		l.cookies[d.cookie] = boundCookie{a.home, e.challenged.Add(l.w.boundAge)}
		e.current = d.cookie
	}
}

// brings reports whether the action brings a bound cookie of the session which had not
// ended when it arrived.
func (l *ledger) brings(header string, e *entry, arrived time.Time) bool {
	c, known := l.cookies[boundIn(header)]
	return known && l.entries[c.home] == e && arrived.Before(c.ends)
}

// proves reports whether the action brings what the bond of a session demands of it.
func (l *ledger) proves(a *action, e *entry) bool {
	return e.demanded.IsZero() || a.arrivedAt.Before(e.demanded) || l.brings(a.header, e, a.arrivedAt)
}

// checkKey demands that who uses a bound session brings its bound cookie. A fetch
// with a ticket need not: what has made the ticket did.
func (l *ledger) checkKey(a *action, e *entry, uses string) {
	if e == nil || e.demanded.IsZero() || a.exchange != nil || a.origin != nil {
		return
	}
	arrived, until := a.arrivedAt, e.demanded
	if a.conn != nil {
		arrived, until = l.w.now(), a.conn.provedUntil(e)
	} else if c := l.cookies[boundIn(a.header)]; l.entries[c.home] == e && until.Before(c.ends) {
		until = c.ends
	}
	if !arrived.Before(until.Add(l.slack + hop)) {
		l.w.found("B1: %s %s session %d without its key", a, uses, e.n)
	}
}

// provedUntil returns until when the connection may go on at most: one that has brought
// no bound cookie is asked for it every BoundAge.
func (c *conn) provedUntil(e *entry) time.Time {
	w := c.on.world
	if w.brings(c.header, e, c.opened) {
		return w.cookies[boundIn(c.header)].ends
	}
	return e.demanded.Add(w.boundAge)
}

// unbound judges that the runtime does not open the session of the handle to an
// action.
func (l *ledger) unbound(a *action, handle string) {
	a.unbound = true
	var id runtime.ID
	_, err := hex.Decode(id[:], []byte(handle))
	e := l.entries[id]
	if err != nil || e == nil || a.conn != nil {
		return
	}
	bound := boundIn(a.header)
	switch {
	case a.arrivedAt.Add(l.slack + hop).Before(e.demanded), e.device == nil:
		l.w.found("B3: %s is refused, and session %d is not bound yet", a, e.n)
	case (bound == e.current || bound == e.previous) && l.brings(a.header, e, a.arrivedAt.Add(l.slack+hop)):
		l.w.found("B3: %s is refused, and brings the bound cookie of session %d", a, e.n)
	case a.last && a.by.isBoundTo(id) && e.device == a.by.device:
		l.w.found("B3: %s is refused for good, by session %d", a, e.n)
	}
}

// isBoundTo reports whether the browser keeps the key of a session.
func (b *browser) isBoundTo(id runtime.ID) bool { return b.device.session == id.String() }

// judgeRefused judges a request that was answered 403.
func (a *action) judgeRefused() {
	switch {
	case !a.unbound:
		a.w.found("B3: %s is answered 403, and its session is open to it", a)
	case a.op.signsIn:
		a.w.found("B4: %s is refused, and could begin a session of its own", a)
	case a.stored || a.signedIn || a.renewed || a.ended:
		a.w.found("B3: %s is answered 403, and what it did is stored", a)
	}
}

// judgeCutOff judges that an event was refused because its page has to prove that it is
// on the device.
func (a *action) judgeCutOff() {
	w, e := a.w, a.w.entries[a.home]
	if e == nil {
		return
	}
	until := a.conn.opened.Add(w.boundAge)
	if w.brings(a.conn.header, e, a.conn.opened) {
		until = w.cookies[boundIn(a.conn.header)].ends
	}
	if w.now().Add(w.slack + hop).Before(until) {
		w.found("B3: %s is refused, and its handshake was good until later", a)
	}
}

// judgeExchange judges what BindHandler has answered to a browser: it keeps its key,
// whatever happens.
func (a *action) judgeExchange() {
	list := tokens(a.header)
	if a.left || a.by == nil || len(list) != 1 || a.status == http.StatusOK && len(a.lines) > 0 {
		return
	}
	e, x := a.w.entries[idOf(list[0])], a.exchange
	tolerated := a.status == http.StatusServiceUnavailable
	switch {
	case !tolerated && (a.failed || errors.Is(a.refusal, runtime.ErrSuperseded)):
		a.w.found("B5: %s is answered %d, and the browser forgets its key", a, a.status)
	case a.failed || a.refusal != nil || !a.w.lives(e):
	case x.session == "" && e.device == nil && e.invited == x.invitation && a.arrivedAt.Before(e.invitedAt.Add(2*a.w.boundAge-a.w.slack-hop)):
		a.w.found("B5: %s is answered %d, and has done what it was invited to", a, a.status)
	case x.session != "" && e.device == x.device && x.session == idOf(list[0]).String():
		a.w.found("B5: %s is answered %d, and session %d is bound to its key", a, a.status, e.n)
	}
}

// judgeShown demands that a bound session opens to nobody else once its browser has
// come with its bound cookie.
func (a *action) judgeShown() {
	e := a.w.entries[a.home]
	if a.shownBound && a.w.lives(e) && e.device != nil && e.demanded.IsZero() && !a.failed && !a.left && a.refusal == nil {
		a.w.found("B1: %s has brought its bound cookie, and session %d opens without one", a, e.n)
	}
}

// boundIn returns the bound cookie in a Cookie field, empty if there is none.
func boundIn(header string) string {
	for _, value := range valuesIn(header, boundName) {
		return value
	}
	return ""
}
