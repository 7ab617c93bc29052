package sessiontest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/faultproxy"
)

var everyByte = flag.Bool("everybyte", false, "cut connections after every byte, and not at four places of a call alone")

// An act is what a request does with its session.
type act struct {
	name  string
	loads int  // calls of the store that only read, which come first
	page  bool // the answer is the page, even if the store fails
	begin func(d *disturbed) *browser
	do    func(v *VisitorSession, user int64)
}

var acts = []act{
	{"load", 1, true, known, func(v *VisitorSession, _ int64) { v.Name() }},
	{"create", 0, false, anonymous, func(v *VisitorSession, user int64) { v.SetUserID(user); v.SetName("Ada"); v.AddViews(1) }},
	{"update", 0, false, known, func(v *VisitorSession, _ int64) { v.SetTheme("dark"); v.AddViews(1) }},
	{"load and update", 1, false, known, func(v *VisitorSession, _ int64) { v.Name(); v.SetTheme("dark"); v.AddViews(1) }},
	{"renew", 0, false, known, func(v *VisitorSession, _ int64) { v.Renew(); v.AddViews(1) }},
	{"sign in", 0, false, known, func(v *VisitorSession, user int64) { v.SetUserID(user); v.AddViews(1) }},
	{"destroy", 1, false, known, func(v *VisitorSession, _ int64) { v.Destroy() }},
	{"extend", 1, true, idle, func(v *VisitorSession, _ int64) { v.Name() }},
}

const idleLimit = time.Hour

func anonymous(d *disturbed) *browser { return d.site.browser() }

func known(d *disturbed) *browser { return d.site.known() }

func idle(d *disturbed) *browser {
	b := d.site.known()
	d.site.wait(idleLimit / 2)
	d.other.now = d.site.now
	return b
}

// A disturbed is a program whose store is behind a proxy, and another one that
// sees what is stored.
type disturbed struct {
	*testing.T
	proxy       *faultproxy.Proxy
	site, other *site
	looks       bool // after a creation
	transacts   bool
	users       int64
}

func disturb(t *testing.T, w *wire) *disturbed {
	d := &disturbed{
		T: t, proxy: w.proxy, looks: w.looks, transacts: w.transacts,
		site:  newSiteOn(t, &spyStore{Store: w.through}, func(c *runtime.Config) { c.Idle = idleLimit }),
		other: newSiteOn(t, &spyStore{Store: w.direct}),
	}
	d.site.ticks = new(atomic.Int64)
	d.other.ticks = d.site.ticks
	for range w.warmUps { // every server learns the scripts
		for _, a := range acts {
			d.request(a).send(t.Context())
		}
	}
	return d
}

// A faulted is a request that does one act. Nobody else signs in as its user.
type faulted struct {
	*disturbed
	act     act
	browser *browser
	user    int64
	err     error // of the session
}

func (d *disturbed) request(a act) *faulted {
	d.Helper()
	d.users++
	r := &faulted{disturbed: d, act: a, browser: a.begin(d), user: d.users}
	d.proxy.Calls()
	d.told()
	return r
}

const thePage = "the page"

func (r *faulted) send(ctx context.Context) *http.Response {
	req := httptest.NewRequestWithContext(ctx, "GET", "https://shop.example/", nil)
	if r.browser.cookie != "" {
		req.Header.Set("Cookie", "shop="+r.browser.cookie)
	}
	w := httptest.NewRecorder()
	r.site.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v := VisitorFrom(req.Context())
		r.act.do(v, r.user)
		_, _ = io.WriteString(w, thePage)
		r.err = v.Err()
	})).ServeHTTP(w, req)
	return w.Result()
}

// fault adds to what the program was told.
func (s *site) fault(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// told returns what the program was told, and forgets it.
func (d *disturbed) told() error {
	d.site.mu.Lock()
	defer d.site.mu.Unlock()
	errs := d.site.errs
	d.site.errs = nil
	return errors.Join(errs...)
}

// A state is what becomes of a request's session.
type state struct {
	Name, Theme string
	Views       int64
	SignedIn    bool
	Left        time.Duration
	Err         string
	Found       int // by the user's id
}

func (r *faulted) stored() state { return r.seenBy(r.other) }

func (r *faulted) seenBy(s *site) (seen state) {
	r.Helper()
	b := &browser{site: s, cookie: r.browser.cookie}
	b.visit(func(v *VisitorSession) {
		seen = state{Name: v.Name(), Theme: v.Theme(), Views: v.Views(), SignedIn: v.UserID() == r.user}
		seen.Err = named(v.Err())
		if seen.Name != "" {
			seen.Left = v.ExpiresAt().Sub(s.now).Round(time.Minute)
		}
	})
	for _, err := range s.FindByUserID(r.Context(), r.user) {
		if err != nil {
			s.fault(err)
			break
		}
		seen.Found++
	}
	return seen
}

// A case is a fault in a call of an act, and what may come of it.
type faultCase struct {
	act           act
	fault         faultproxy.Fault
	before, after state
	calls         int // of the act
	storing       int // the one of them that stores
}

// faultCases are the acts, with a fault at each place of each of their calls.
func (d *disturbed) faultCases(acts ...act) (cases []faultCase) {
	for _, a := range acts {
		r := d.request(a)
		before := r.stored()
		res := r.send(d.Context())
		calls, after := d.proxy.Calls(), r.stored()
		if res.StatusCode != http.StatusOK || len(calls) == 0 || len(calls) > 3 {
			d.Fatalf("%s, undisturbed: status %d, %d calls, %v", a.name, res.StatusCode, len(calls), d.told())
		}
		storing := len(calls)
		if a.name == "create" && d.looks {
			storing--
		}
		for i, call := range calls {
			for _, place := range places(call) {
				place.Call = i + 1
				cases = append(cases, faultCase{a, place, before, after, len(calls), storing})
			}
		}
	}
	return cases
}

// places are before and in the middle of the request, and of the reply.
func places(call faultproxy.Call) (faults []faultproxy.Fault) {
	requests, replies := []int{0, call.Sent / 2}, []int{0, call.Received / 2}
	if *everyByte {
		requests, replies = upTo(call.Sent), upTo(call.Received)
	}
	for _, n := range requests {
		faults = append(faults, faultproxy.Fault{Sent: n})
	}
	for _, n := range replies {
		faults = append(faults, faultproxy.Fault{Sent: faultproxy.All, Received: n})
	}
	return faults
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

func (c faultCase) String() string {
	if c.fault.Sent == faultproxy.All {
		return fmt.Sprintf("%s, call %d cut after %d bytes of the reply", c.act.name, c.fault.Call, c.fault.Received)
	}
	return fmt.Sprintf("%s, call %d cut after %d bytes of the request", c.act.name, c.fault.Call, c.fault.Sent)
}

// stores reports whether the server has carried out what the program does not
// know of.
func (c faultCase) stores() bool {
	return c.fault.Call > c.storing || c.fault.Call == c.storing && c.fault.Sent == faultproxy.All
}

func TestS3ACutConnectionIsAnOutageAndNothingIsSentAgain(t *testing.T) {
	onEveryWire(t, func(t *testing.T, w *wire) {
		d := disturb(t, w)
		cases := d.faultCases(acts...)
		for _, c := range cases {
			d.cut(c)
			if t.Failed() {
				return
			}
		}
		t.Logf("%d faults", len(cases))
	})
}

// arm prepares the request of the case. One before it has the connection learn
// the statements.
func (d *disturbed) arm(c faultCase) (r *faulted, struck <-chan struct{}) {
	d.request(c.act).send(d.Context())
	r = d.request(c.act)
	return r, d.proxy.Arm(c.fault)
}

// cut sends the request of the case while its connection is cut. Where that does
// not happen the case is tried again: a driver may notice only then that another
// connection was cut before, which is once more an outage, and a look of its own at
// the nodes of a Cluster may hide the call from the proxy.
func (d *disturbed) cut(c faultCase) {
	for range tries {
		r, struck := d.arm(c)
		res := r.send(d.Context())
		calls := d.proxy.Calls()
		select {
		case <-struck:
			d.answered(c, r, res, calls)
			d.left(c, r)
			d.recovers(c, r)
			return
		default:
			d.missed(c, r, res)
		}
	}
	d.Fatalf("%v: it did not happen in %d requests", c, tries)
}

const tries = 5

// missed checks what becomes of a request that the fault did not strike, nor will it
// strike the next one.
func (d *disturbed) missed(c faultCase, r *faulted, res *http.Response) {
	d.proxy.Arm(faultproxy.Fault{})
	if err := d.told(); err != nil {
		d.isOutage(c, err)
		return
	}
	if diff := cmp.Diff(c.after, r.stored()); diff != "" || res.StatusCode != http.StatusOK {
		d.Errorf("%v: it did not happen, but status %d and stored (-want +got):\n%s", c, res.StatusCode, diff)
	}
}

// left checks what is stored.
func (d *disturbed) left(c faultCase, r *faulted) {
	want, stored := c.before, r.stored()
	if c.stores() && !(d.transacts && cmp.Equal(stored, c.before)) {
		want = c.after
	}
	if diff := cmp.Diff(want, stored); diff != "" {
		d.Errorf("%v: stored (-want +got):\n%s", c, diff)
	}
}

// answered checks what the visitor gets and what the program is told.
func (d *disturbed) answered(c faultCase, r *faulted, res *http.Response, calls []faultproxy.Call) {
	loading, told := c.fault.Call <= c.act.loads, d.told()
	if len(calls) != c.fault.Call && !loading {
		d.Errorf("%v: %d calls in all: something was sent after it", c, len(calls))
	}
	if loading && len(calls) > c.fault.Call && told == nil {
		return // it was read again, on another connection
	}
	wantStatus := http.StatusServiceUnavailable
	if c.act.page {
		wantStatus = http.StatusOK
	}
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != wantStatus || (string(body) == thePage) != c.act.page {
		d.Errorf("%v: status %d with the body %q, want %d", c, res.StatusCode, body, wantStatus)
	}
	if len(res.Cookies()) != 0 {
		d.Errorf("%v: the cookies %v, want the old one kept", c, res.Cookies())
	}
	d.isOutage(c, told)
	if !loading && !c.act.page && !errors.Is(told, runtime.ErrOutcomeUnknown) {
		d.Errorf("%v: %v, want %v", c, told, runtime.ErrOutcomeUnknown)
	}
	if loading {
		d.isOutage(c, r.err)
	}
}

// isOutage demands an error that is none of a working store.
func (d *disturbed) isOutage(c any, err error) {
	d.Helper()
	if err == nil {
		d.Errorf("%v: no error", c)
	}
	for _, answer := range []error{
		runtime.ErrNotFound, runtime.ErrExists, runtime.ErrConflict, runtime.ErrSuperseded, runtime.ErrReused, runtime.ErrEnded,
	} {
		if errors.Is(err, answer) {
			d.Errorf("%v: %v, which is what a working store answers", c, err)
		}
	}
}

// recovers demands that the same program works again, and sees what is stored.
func (d *disturbed) recovers(c any, r *faulted) {
	stored := r.stored()
	for range tries {
		res := d.site.browser().visit(func(v *VisitorSession) { v.SetName("Eve") })
		seen := r.seenBy(d.site)
		if err := d.told(); err != nil {
			d.isOutage(c, err)
			continue
		}
		if diff := cmp.Diff(stored, seen); diff != "" || res.StatusCode != http.StatusOK {
			d.Errorf("%v: afterwards status %d, and the program sees something else than is stored (-stored +seen):\n%s",
				c, res.StatusCode, diff)
		}
		return
	}
	d.Errorf("%v: after %d requests the store does not work again", c, tries)
}

// TestS3AConnectionCutBetweenRequestsIsAnOutageAtMost: a driver may notice it,
// and make another connection before it sends anything.
func TestS3AConnectionCutBetweenRequestsIsAnOutageAtMost(t *testing.T) {
	onEveryWire(t, func(t *testing.T, w *wire) {
		d := disturb(t, w)
		for _, a := range acts {
			d.reconnect()
			undisturbed := d.request(a)
			undisturbed.send(t.Context())
			after := undisturbed.stored()
			r := d.request(a)
			before := r.stored()
			d.proxy.CutAll()
			res := r.send(t.Context())
			if err := d.told(); err != nil {
				d.isOutage(a.name, err)
				after = before
			} else if res.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d and no error", a.name, res.StatusCode)
			}
			if diff := cmp.Diff(after, r.stored()); diff != "" {
				t.Errorf("%s: stored (-want +got):\n%s", a.name, diff)
			}
			d.reconnect()
			d.recovers(a.name, r)
		}
	})
}

// reconnect uses the store until each connection that was cut has been made
// anew: a driver may have several, each of which fails once.
func (d *disturbed) reconnect() {
	const enough, most = 10, 100
	worked := 0
	for range most {
		res := d.site.browser().visit(func(v *VisitorSession) { v.SetName("Eve") })
		if worked++; res.StatusCode != http.StatusOK {
			worked = 0
			d.isOutage("reconnecting", d.told())
		}
		if worked == enough {
			return
		}
	}
	d.Fatalf("after %d requests the store does not work again", most)
}

// TestR5AStalledServerIsAnOutage: the hooks wait for some seconds, a load as
// long as the visitor does. All wait at the same time, each for a proxy of its
// own.
func TestR5AStalledServerIsAnOutage(t *testing.T) {
	testtier.OnlyExhaustive(t, "it waits until hooks give up")
	for _, server := range wired {
		if server.name == "Redis Cluster" {
			continue // its driver is that of Redis
		}
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			var waiting sync.WaitGroup
			defer waiting.Wait()
			for _, a := range acts {
				d := disturb(t, server.open(t))
				for _, c := range d.faultCases(a) {
					if c.fault == (faultproxy.Fault{Call: c.calls, Sent: faultproxy.All}) {
						waiting.Go(func() { d.stall(c) })
					}
				}
			}
		})
	}
}

// stall sends the request of the case while its reply is held back.
func (d *disturbed) stall(c faultCase) {
	c.fault.Hold = true
	r, struck := d.arm(c)
	ctx, hangUp := context.WithCancel(d.Context())
	defer hangUp()
	loading := c.fault.Call <= c.act.loads
	go func() {
		if <-struck; loading {
			hangUp()
		}
	}()
	res := r.send(ctx)
	d.answered(c, r, res, d.proxy.Calls())
	d.proxy.Release()
	d.left(c, r)
	d.recovers(c, r)
}

// TestR7ALateReplyLosesNothing: while the reply to a commit is under way, other
// programs commit and end what they like.
func TestR7ALateReplyLosesNothing(t *testing.T) {
	onEveryWire(t, func(t *testing.T, w *wire) {
		d := disturb(t, w)
		update := acts[2]
		for _, ends := range []bool{false, true} {
			d.request(update).send(t.Context())
			r := d.request(update)
			struck := d.proxy.Arm(faultproxy.Fault{Call: 1, Sent: faultproxy.All, Hold: true})
			answer := make(chan *http.Response, 1)
			go func() { answer <- r.send(t.Context()) }()
			<-struck
			meanwhile := &browser{site: d.other, cookie: r.browser.cookie}
			meanwhile.visit(func(v *VisitorSession) {
				v.SetRatio(0.5)
				v.AddViews(2)
			})
			if ends {
				meanwhile.visit(func(v *VisitorSession) { v.Destroy() })
			}
			d.proxy.Release()
			if res := <-answer; res.StatusCode != http.StatusOK || len(res.Cookies()) != 0 {
				t.Errorf("the late request: status %d, cookies %v", res.StatusCode, res.Cookies())
			}
			got := r.stored()
			if ends && got.Name != "" {
				t.Errorf("name %q: the session came back", got.Name)
			}
			if !ends && (got.Theme != "dark" || got.Views != 3) {
				t.Errorf("theme %q, %d views, want what both programs wrote", got.Theme, got.Views)
			}
			d.recovers("a late reply", r)
		}
	})
}
