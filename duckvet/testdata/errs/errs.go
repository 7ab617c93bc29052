package errs

import (
	"context"
	"log"
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
)

type app struct{ sessions *session.VisitorSessions }

func load(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.Load(r.Context()) // want `the error of Load is dropped: it is called to see an error early`
	log.Print(s.Theme())
}

func loadSeen(r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.Load(r.Context())
	if s.Err() != nil {
		log.Print(s.Err())
	}
}

func loadOnPurpose(ctx context.Context, s *session.VisitorSession) { _ = s.Load(ctx) }

func loadOther(ctx context.Context, s, other *session.VisitorSession) error {
	s.Load(ctx) // want `the error of Load is dropped`
	return other.Err()
}

func reload(ctx context.Context, s *session.VisitorSession) {
	s.Reload(ctx) // want `the error of Reload is dropped: it is called to see an error early`
	_ = s.Reload(ctx)
}

func pay(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.CheckCSRF(r.PostFormValue("csrf")) // want `the result of CheckCSRF is dropped: requests of every other site pass`
	if !s.CheckCSRF(r.PostFormValue("csrf")) {
		w.WriteHeader(http.StatusForbidden)
	}
}

func store(ctx context.Context, s *session.VisitorSession) {
	s.SetTheme("dark")
	s.Save(ctx)       // want `the error of Save is dropped: it is called to see an error early`
	go s.Save(ctx)    // want `the error of Save is dropped`
	defer s.Save(ctx) // want `the error of Save is dropped`
}

func (a *app) adapter(w http.ResponseWriter, r *http.Request) {
	r = a.sessions.ProcessRequest(r)
	a.sessions.ProcessResponse(w, r) // want `the error of ProcessResponse is dropped: the page would claim what is not stored; answer with runtime.StatusOf\(err\)`
	a.sessions.CheckOrigin(r)        // want `the error of CheckOrigin is dropped: a page of another origin is let in`
	if err := a.sessions.ProcessResponse(w, r); err != nil {
		w.WriteHeader(runtime.StatusOf(err))
	}
}

func (a *app) event(ctx context.Context, c runtime.LivelyConn, s *session.VisitorSession) {
	a.sessions.LivelyEvent(ctx, c, s, func(context.Context) error { return nil }) // want `the error of LivelyEvent is dropped: nothing of the event may be stored`
	a.sessions.ProcessLivelyEvent(ctx, c, s)                                      // want `the error of ProcessLivelyEvent is dropped`
}

func (a *app) revoke(ctx context.Context, id int64) {
	a.sessions.RevokeByUserID(ctx, id) // want `the error of RevokeByUserID is dropped: some sessions may still be open`
	if _, err := a.sessions.RevokeByUserID(ctx, id); err != nil {
		log.Print(err)
	}
}

func (a *app) close(ctx context.Context) error {
	a.sessions.Ping(ctx)      // want `the error of Ping is dropped: it is called to see whether the store serves`
	a.sessions.RevokeAll(ctx) // want `the error of RevokeAll is dropped: some sessions may still be open`
	_, err := a.sessions.RevokeAll(ctx)
	return err
}

func claim(ctx context.Context, s *session.VisitorSession) bool {
	s.ClaimNotice(ctx) // want `the error of ClaimNotice is dropped: who has claimed it is in its results`
	_, ok, _ := s.ClaimNotice(ctx)
	return ok
}

// FlowSession is like a generated one, with a field that is ensured.
type FlowSession struct{ core *runtime.Session }

func (s *FlowSession) CSRFDirty() bool { return false }

func (s *FlowSession) EnsureCSRF(_ context.Context, v string) (string, error) { return v, nil }

func ensure(ctx context.Context, s *FlowSession) string {
	s.EnsureCSRF(ctx, "secret") // want `the error of EnsureCSRF is dropped: nothing may be stored`
	v, _ := s.EnsureCSRF(ctx, "secret")
	return v
}

func (a *app) find(ctx context.Context) error {
	for s := range a.sessions.FindByUserID(ctx, 1) { // want `the error of FindByUserID is dropped: with an error the session is nil, and there may be more sessions`
		log.Print(s.Name())
	}
	for s, _ := range a.sessions.FindByUserID(ctx, 1) { // want `the error of FindByUserID is dropped`
		log.Print(s.Name())
	}
	for range a.sessions.FindByUserID(ctx, 1) {
	}
	for s, err := range a.sessions.FindByUserID(ctx, 1) {
		if err != nil {
			return err
		}
		s.SetNotice("We are closing.")
		if err := s.Save(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) list(ctx context.Context) {
	for s := range a.sessions.All(ctx) { // want `the error of All is dropped: with an error the session is nil, and there may be more sessions`
		log.Print(s)
	}
	for s, err := range a.sessions.All(ctx) {
		log.Print(s, err)
	}
}

// saver has methods of the same names and is no session.
type saver struct{}

func (saver) Save(context.Context) error { return nil }
func (saver) Load(context.Context) error { return nil }

func others(ctx context.Context, s saver) {
	s.Save(ctx)
	s.Load(ctx)
}
