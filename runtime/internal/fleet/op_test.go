package fleet

import (
	"context"
	"maps"

	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
)

// An op is what the handler of a request, or of an event, does with its session.
type op struct {
	name  string
	steps []func(*action, *sessiontest.VisitorSession)

	puts     bool // a mark
	signsIn  bool
	signsOut bool
	destroys bool
	renews   bool
	fails    bool // the handler answers 500
	needs    bool // a request: it is none for events
}

// moves reports whether the op changes who is signed in.
func (o *op) moves() bool { return (o.signsIn || o.signsOut || o.destroys) && !o.fails }

// leaves reports whether what was in the session is not to be there afterwards.
func (o *op) leaves() bool { return (o.signsOut || o.destroys) && !o.fails }

func look(a *action, s *sessiontest.VisitorSession) {
	a.saw.user, a.saw.marks = s.UserID(), maps.Collect(s.Cart())
	a.saw.err = s.Err()
	if (a.saw.user != 0 || len(a.saw.marks) > 0) && len(tokens(a.header)) < 2 {
		a.w.checkKey(a, a.w.entries[a.home], "reads")
	}
}

func put(a *action, s *sessiontest.VisitorSession)    { s.AddCartItem(a.mark, 1) }
func renew(_ *action, s *sessiontest.VisitorSession)  { s.Renew() }
func signIn(a *action, s *sessiontest.VisitorSession) { s.SetUserID(a.user) }

func signOut(_ *action, s *sessiontest.VisitorSession) { s.ClearUserID() }
func destroy(_ *action, s *sessiontest.VisitorSession) { s.Destroy() }

// save commits before the end, and goes on.
func save(a *action, s *sessiontest.VisitorSession) { a.unsaved = s.Save(context.Background()) }

// revokeOthers ends all other sessions of the user.
func revokeOthers(a *action, s *sessiontest.VisitorSession) {
	a.w.tick()
	_, _ = a.on.sessions.RevokeByUserID(a.ctx, a.user, s)
}

// strip is a middleware inside that takes the cookies away.
func strip(a *action, _ *sessiontest.VisitorSession) { a.request.Header.Del("Cookie") }

func steps(list ...func(*action, *sessiontest.VisitorSession)) []func(*action, *sessiontest.VisitorSession) {
	return list
}

// run does the steps, and takes its time before each.
func (o *op) run(a *action, s *sessiontest.VisitorSession) {
	for _, step := range o.steps {
		a.pause()
		step(a, s)
	}
	a.pause()
}

var (
	looking   = &op{name: "looks", steps: steps(look)}
	signingIn = &op{name: "signs in", steps: steps(signIn), signsIn: true}
)

var ops = []*op{
	looking,
	{name: "puts", steps: steps(put), puts: true},
	{name: "looks and puts", steps: steps(look, put), puts: true},
	{name: "renews", steps: steps(renew), renews: true},
	{name: "looks and renews", steps: steps(look, renew), renews: true},
	signingIn,
	{name: "looks and signs in", steps: steps(look, signIn), signsIn: true},
	{name: "puts and signs in", steps: steps(put, signIn), puts: true, signsIn: true},
	{name: "signs out", steps: steps(signOut), signsOut: true},
	{name: "looks and signs out", steps: steps(look, signOut), signsOut: true},
	{name: "destroys", steps: steps(destroy), destroys: true},
	{name: "puts, saves and renews", steps: steps(put, save, renew), puts: true, renews: true},
	{name: "signs in alone", steps: steps(signIn, revokeOthers), signsIn: true, needs: true},
	{name: "looks without its cookies", steps: steps(strip, look), needs: true},
	{name: "puts, signs in and fails", steps: steps(put, signIn), fails: true, needs: true},
	{name: "looks, renews and fails", steps: steps(look, renew), fails: true, needs: true},
}
