package fleet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/dbsctest"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
)

// An action is one thing that somebody has a process do: a request, an event of a
// live connection, the fetch of a new cookie, a revocation.
type action struct {
	*task
	w  *world
	op *op
	on *process
	by *browser // nil: Mallory, or the program itself

	name   string
	user   int64   // of a sign-in or a revocation
	mark   string  // that it puts
	header string  // the cookies that it brings
	conn   *conn   // of an event
	origin *action // the event that a fetch belongs to
	alone  bool    // the browser had nothing else under way
	last   bool    // it is the last one of its browser, with a fresh bound cookie

	exchange *exchange // with BindHandler

	sent, arrived     moment
	sentAt, arrivedAt time.Time

	ctx     context.Context
	cancel  context.CancelFunc
	request *http.Request
	writer  *httptest.ResponseRecorder

	// What the store has done for it.
	step       moment        // the last time
	home       runtime.ID    // of the session that this was about
	shown      runtime.Proof // by which it was opened last
	family     runtime.Family
	proof      runtime.Proof // of the token that was made
	opened     []runtime.ID  // sessions that it has proved to hold
	stored     bool          // the mark
	signedIn   bool
	renewed    bool
	ended      bool
	apart      bool   // it was told to begin a session of its own: somebody else is signed in (T2)
	behind     string // the session that it brought stays behind, without a reason
	refusal    error  // the last one
	failed     bool   // a call was not answered
	unbound    bool   // the runtime has not opened the session to it
	shownBound bool   // it was the first to bring its bound cookie
	gone       bool   // the visitor has hung up

	saw struct {
		user  int64
		marks map[string]int
		err   error
	}
	status  int
	lines   []string // Set-Cookie
	invites string   // to register a key, with this challenge
	err     error    // of an event
	unsaved error    // of a Save in the handler
}

// send makes an action, which arrives with its first advance.
func (w *world) send(a *action, run func()) *action {
	w.moment++
	w.marks++
	a.w, a.sent, a.sentAt = w, w.moment, w.now()
	a.mark = fmt.Sprintf("m%d", w.marks)
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.task = start(func() {
		a.arrive()
		run()
		a.judge()
	})
	w.actions = append(w.actions, a)
	return a
}

func (a *action) arrive() {
	a.w.tick()
	a.arrived, a.arrivedAt = a.w.moment, a.w.now()
	if a.arrivedAt.Sub(a.sentAt) > a.w.grace/2 { // no network is so slow, but a loaded machine is
		a.w.copiedAll(a.header)
	}
}

// A wire is a response whose connection can be taken over.
type wire struct{ *httptest.ResponseRecorder }

func (wire) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }

// newRequest returns a request for the path.
func (a *action) newRequest(method, path string) *http.Request {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		panic(err)
	}
	r := &http.Request{
		Method: method, URL: u, RequestURI: path, Host: host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"X-Forwarded-Proto": {"https"}, "Sec-Fetch-Site": {"same-origin"}},
	}
	if a.header != "" {
		r.Header["Cookie"] = []string{a.header}
	}
	return r.WithContext(a.ctx)
}

// serve has a handler serve a request.
func (a *action) serve(handler http.Handler, r *http.Request) {
	a.writer = httptest.NewRecorder()
	handler.ServeHTTP(wire{a.writer}, r)
	a.status, a.lines = a.writer.Code, a.writer.Result().Header["Set-Cookie"]
	a.invites = dbsctest.Invitation(a.writer.Header())
	a.w.issued(a)
}

// handle serves the request of an op.
func (a *action) handle() {
	a.serve(a.on.sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.request = r
		s := sessiontest.VisitorFrom(r.Context())
		a.op.run(a, s)
		if a.op.fails {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})), a.newRequest(http.MethodGet, page))
}

// sync fetches what an event has sent the page for.
func (a *action) sync(path string) func() {
	return func() { a.serve(a.on.sessions.SyncHandler(), a.newRequest(http.MethodPost, path)) }
}

// revoke ends all sessions of a user.
func (a *action) revoke() {
	a.w.tick()
	_, a.err = a.on.sessions.RevokeByUserID(a.ctx, a.user)
}

// finish runs the action to its end.
func (w *world) finish(a *action) {
	for !a.over {
		w.advance(a)
	}
}

// drop takes an action out of those under way.
func (w *world) drop(a *action) {
	w.leave(a)
	w.actions = slices.DeleteFunc(w.actions, func(other *action) bool { return other == a })
}

// hangUp ends the request's context.
func (a *action) hangUp() {
	if a.conn == nil && a.by != nil && a.origin == nil && a.exchange == nil {
		a.gone = true
		a.cancel()
	}
}

// checkNobodyGone is R13: nobody would learn of what needs a cookie.
func (a *action) checkNobodyGone(what string) {
	if a.gone && a.ctx.Err() != nil {
		a.w.found("R13: %s is stored for %s, whose visitor has hung up", what, a)
	}
}

// judge compares what the action was told with what the store has done.
func (a *action) judge() {
	a.judgeShown()
	switch {
	case a.exchange != nil:
		a.judgeExchange()
	case a.left || a.gone || a.op == nil:
	case a.conn != nil:
		a.judgeEvent()
	case a.op.fails:
		if a.stored || a.signedIn || a.renewed {
			a.w.found("R12: %s failed, and what it did is stored", a)
		}
	case a.status == http.StatusServiceUnavailable:
		if !a.failed {
			a.w.found("R14: %s is answered 503 without an outage", a)
		}
	case a.status == http.StatusForbidden:
		a.judgeRefused()
	case a.status == http.StatusConflict:
		if a.refusal == nil {
			a.w.found("R7: %s is answered 409, and the store has refused nothing", a)
		}
	default:
		a.judgeSuccess()
	}
}

func (a *action) judgeEvent() {
	switch {
	case a.err == nil:
		a.judgeSuccess()
	case a.failed:
	case errors.Is(a.err, runtime.ErrUnbound):
		a.judgeCutOff()
	case errors.Is(a.err, runtime.ErrEnded), errors.Is(a.err, runtime.ErrSuperseded):
		if a.refusal == nil {
			a.w.found("R7: %s fails with %v, and the store has refused nothing", a, a.err)
		}
	default:
		a.w.found("L1: %s fails with %v", a, a.err)
	}
}

func (a *action) judgeSuccess() {
	switch {
	case a.op.puts && !a.stored && a.unsaved == nil:
		a.w.found("R4: %s is told that its mark is stored, and it is not", a)
	case a.op.signsIn && !a.signedIn:
		a.w.found("T2: %s is told that it is signed in, and it is not", a)
	case a.op.destroys && !a.failed && !a.unbound && len(a.opened) == 1 && len(tokens(a.header)) < 2 && a.w.entries[a.opened[0]].ended == 0 && !a.w.waitedTooLong(a):
		a.w.found("R3: %s is told that its session has ended, and it lives", a)
	}
}

// String describes the action in a history.
func (a *action) String() string {
	who := "somebody"
	switch {
	case a.by != nil:
		who = fmt.Sprintf("browser %d", a.by.n)
	case a.name != "":
		who = a.name
	}
	what := "revokes"
	switch {
	case a.origin != nil:
		what = "fetches"
	case a.exchange != nil && a.exchange.session != "":
		what = "refreshes its bound cookie"
	case a.exchange != nil:
		what = "registers a key"
	case a.conn != nil:
		what = "(live) " + a.op.name
	case a.op != nil:
		what = a.op.name
	}
	return who + " " + what + " (" + a.mark + ")"
}

// tokens are those that the action brings.
func tokens(header string) []string { return valuesIn(header, name) }

// valuesIn returns the values that a Cookie field has of a cookie.
func valuesIn(header, name string) (list []string) {
	for pair := range strings.SplitSeq(header, "; ") {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			list = append(list, value)
		}
	}
	return list
}
