package fleet

import (
	"net/http"
	"time"

	"github.com/duckgen/duckgen/runtime/internal/dbsctest"
)

// A device is the part of a browser that binds a session to a key. Mallory has one,
// too.
type device struct {
	*dbsctest.Device
	session   string    // that is bound, as the site names it; empty: none
	challenge string    // to be signed next
	proof     string    // the last one that it has signed
	cookie    string    // the bound one; empty: none
	ends      time.Time // that of the cookie
	tried     bool      // to refresh, and there was no answer
}

func newDevice() *device { return &device{Device: dbsctest.NewDevice()} }

// take keeps the bound cookie of an answer.
func (d *device) take(lines []string, now time.Time) {
	for _, line := range lines {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == boundName {
			d.cookie, d.ends = c.Value, now.Add(time.Duration(c.MaxAge)*time.Second)
		}
	}
}

// isDue reports whether the browser refreshes the bound cookie before it sends a
// request: it does not wait until that ends.
func (d *device) isDue(now time.Time, age time.Duration) bool {
	return d.session != "" && (d.cookie == "" || now.After(d.ends.Add(-age/5)))
}

// answered takes note of the answer to a registration or a refresh, which may be of a
// session that the browser has left.
func (d *device) answered(a *action) {
	d.take(a.lines, a.w.now())
	d.tried = false
	session := dbsctest.Session(a.writer.Body)
	switch {
	case session != "" && (a.exchange.session == "" || d.session == session):
		d.session, d.challenge = session, dbsctest.Challenge(a.writer.Header())
	case d.session == a.exchange.session && a.status != http.StatusServiceUnavailable:
		d.session = ""
	}
}

// An exchange is what an action asks of BindHandler.
type exchange struct {
	device     *device
	session    string // that is refreshed; empty: a key is registered
	challenge  string
	proof      string  // a copied one, in place of what the device would sign
	invitation *action // whose answer has asked for a key
}

// sign returns what proves that the device has its key.
func (x *exchange) sign() string {
	switch {
	case x.proof != "":
	case x.session == "":
		return x.device.Registration(x.challenge)
	default:
		x.device.proof = x.device.Proof(x.challenge)
		return x.device.proof
	}
	return x.proof
}

// bind does what the exchange is for. A browser signs a challenge at once.
func (a *action) bind() {
	for range 3 {
		r := a.newRequest(http.MethodPost, bindPath)
		dbsctest.Ask(r.Header, a.exchange.session, a.exchange.sign())
		a.serve(a.on.sessions.BindHandler(), r)
		if a.status != http.StatusForbidden {
			return
		}
		a.exchange.challenge = dbsctest.Challenge(a.writer.Header())
		a.pause()
	}
}

// register has the browser do what an answer invites it to.
func (b *browser) register(invited *action) {
	if invited.invites != "" {
		b.ask(invited.on, &exchange{device: b.device, challenge: invited.invites, invitation: invited})
	}
}

// refresh asks for the next bound cookie, unless the browser has asked already.
func (b *browser) refresh(on *process) {
	if b.refreshing == nil && b.device.isDue(b.w.now(), b.w.boundAge) {
		b.refreshing = b.ask(on, &exchange{device: b.device, session: b.device.session, challenge: b.device.challenge})
	}
}

func (b *browser) ask(on *process, x *exchange) *action {
	a := &action{on: on, by: b, header: b.header(), exchange: x}
	return b.w.send(a, a.bind)
}

// prove has a request wait until the bound cookie is fresh, or cannot be: after a lost
// answer the browser sends the one that it has.
func (b *browser) prove(on *process) {
	if b.device.tried && b.device.cookieAt(b.w.now()) != "" {
		return
	}
	if b.refresh(on); b.refreshing != nil {
		b.w.deliver(b.refreshing)
	}
}

// header is the Cookie field of a request.
func (b *browser) header() string { return withBound(b.jar.header(), b.device.cookieAt(b.w.now())) }

func (d *device) cookieAt(now time.Time) string {
	if !now.Before(d.ends) {
		d.cookie = ""
	}
	return d.cookie
}

// withBound adds the bound cookie to a Cookie field.
func withBound(header, bound string) string {
	switch {
	case bound == "":
		return header
	case header == "":
		return boundName + "=" + bound
	default:
		return header + "; " + boundName + "=" + bound
	}
}
