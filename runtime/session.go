package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// A Session is the part of a generated session that does not depend on its
// fields: which record it stands for, what it knows of that, and what has
// changed since. It is safe for concurrent use by the goroutines of one request.
type Session struct {
	mu        sync.Mutex
	engine    *engine
	ctx       context.Context // bounds lazy loads
	request   *http.Request   // carries the session; nil: there is none
	response  http.ResponseWriter
	arrived   time.Duration // the request or event, by [clock.sinceEpoch]
	phase     phase
	begun     bool      // the response is under way and carries no further cookie
	unvaried  bool      // and does not say that it depends on the cookie
	consulted bool      // the response depends on the session
	private   bool      // and has what no cache may keep
	unread    bool      // and was to read the session after its end
	brought   string    // the Cookie header, as it was when the middleware began
	vary      [1]string // room in the response's header

	// Most requests do not touch their session, so all that only a touched one
	// needs is allocated by the first lock.
	*state
}

// state is what a session that is in use knows.
type state struct {
	identity
	sight sight

	passive bool // the request is no use of the session
	unsaved bool // a change was dropped because loading failed

	destroyed bool // the session of this request was ended by it
	renewed   bool // or has another token

	cookie  cookieChange
	unbinds bool // the browser's bound cookie is of a session that it has left
	sent    bool // setCookie is in use

	refusal  error     // why nothing more is committed; nil: it is
	err      error     // the first error
	former   *identity // a token that the store did not know, for a sign-in
	reserved *ID       // for a session begun in place of this one, see RevokeBy
	next     *hidden   // the secret of the next token, as far as something was made of it; nil: none yet
	contest  *contest  // of several cookies; nil: at most one came

	draft draft
	live  *connection // nil: plain HTTP
	life  life
	spare *commitRoom  // nil: none yet
	first *callContext // room for that of the first load; nil: none

	cookieEnds *time.Time // of a new cookie; nil: with the browser's own session
	invitation *challenge // by which the browser is to register a key; nil: it is not

	// What the response's header was given, in room of its own.
	setCookie, cacheControl [1]string

	notices []func() // called when the lock is released
}

// phase is where a session stands in the life of its request.
type phase uint8

const (
	phaseOpen    phase = iota
	phaseBetween       // on a live connection, outside an event
	phaseClosed        // after the last commit
	phaseOutside       // there is no middleware
)

// cookieChange is what the browser has to learn.
type cookieChange uint8

const (
	cookieKept cookieChange = iota
	cookieSet
	cookieCleared
)

func (s *Session) report(kind EventKind, field string, err error) {
	s.reportEvent(Event{Kind: kind, Handle: s.handle(), Field: field, Err: err})
}

func (s *Session) reportEvent(e Event) {
	e.Session = s.engine.name
	ctx := s.noticed()
	s.notices = append(s.notices, func() { s.engine.config.OnEvent(ctx, e) })
}

// fault keeps the error of an operation for Err and reports it.
func (s *Session) fault(op string, err error) error {
	err = &Error{Op: op, Session: s.engine.name, Handle: s.handle(), Err: err}
	ctx := s.noticed()
	s.notices = append(s.notices, func() { s.engine.config.OnError(ctx, err) })
	return s.fail(err)
}

// noticed returns the context that the program is notified with. It says which
// request it is about.
func (s *Session) noticed() context.Context {
	if s.live == nil && s.request != nil {
		return s.request.Context()
	}
	return s.ctx
}

// fail keeps the first error for Err.
func (s *Session) fail(err error) error {
	if s.err == nil {
		s.err = err
	}
	return err
}

// Load loads the session now instead of at the first read, to see an error
// early.
func (s *Session) Load(ctx context.Context) error {
	s.lock()
	defer s.unlock()
	s.consult()
	if s.phase == phaseOutside {
		return s.fail(ErrNoMiddleware)
	}
	s.load(ctx)
	if s.unread {
		return ErrTooLate
	}
	return s.refusal
}

// Reload loads the session again at once, to see what others have stored since.
// What is pending stays so.
func (s *Session) Reload(ctx context.Context) error {
	s.lock()
	if s.sight == seen && s.phase != phaseClosed && s.engine.store != nil {
		s.move(unseen, nil, nil)
	}
	s.unlock()
	return s.Load(ctx)
}

// Passive makes this request, or this event of a live connection, no use of the
// session: it does not move the idle limit. A page that asks by itself now and
// then would keep the session alive for ever.
func (s *Session) Passive() {
	s.lock()
	defer s.unlock()
	s.passive = true
}

// Err returns the first error of loading or saving, nil if there was none.
func (s *Session) Err() error {
	s.lock()
	defer s.unlock()
	if s.phase == phaseOutside {
		return ErrNoMiddleware
	}
	return s.err
}

// IsNew reports whether no stored session stands behind this one.
func (s *Session) IsNew() bool {
	s.lock()
	defer s.unlock()
	s.look()
	return s.draft.stored == nil && s.refusal == nil
}

// Renew gives the session a new token at the commit. The old one still works for
// the grace after the new one was first presented. On a new session it does
// nothing, nor if the session, which remembers its last four tokens, would forget one
// that may be in use: for the fifth time within the grace, for instance.
func (s *Session) Renew() {
	s.lock()
	defer s.unlock()
	if s.takesChanges("") {
		s.life.renew = true
	}
}

// Destroy ends the stored session for good and discards what was pending. The
// session is then new and empty: what is written later in the same request
// starts another one.
func (s *Session) Destroy() {
	s.lock()
	defer s.unlock()
	if s.takesChanges("") {
		s.destroy()
	}
}

// destroy loads first, because only a session that exists has its cookie removed. A
// visitor who hangs up does not cancel that.
func (s *Session) destroy() {
	s.draft.pending = nil
	s.life.keepEnding(false)
	ctx := s.engine.bound(s.ctx)
	ctx.lasting = true
	defer ctx.stop()
	s.load(ctx)
	s.life.endsContested = s.contest.tied()
	switch {
	case s.hasToken && (s.draft.stored != nil || s.sight == outage):
		s.life.ending = &ending{s.identity, false}
		s.become(identity{}, absent)
	case s.former != nil && !s.hasToken && s.life.ending == nil:
		s.life.ending = &ending{*s.former, true}
	}
}

// Handle returns the session's id, which may be logged: it opens nothing. It is
// empty until there is one. An id that a cookie brought is not verified before
// the session has been loaded.
func (s *Session) Handle() string {
	s.lock()
	defer s.unlock()
	s.consult()
	return s.handle()
}

// loggedHandle is Handle for what goes into a log rather than into the response.
func (s *Session) loggedHandle() string {
	s.lock()
	defer s.unlock()
	return s.handle()
}

// Format shows the session's type and handle, whatever the verb.
func (s *Session) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.engine.name+"("+s.loggedHandle()+")")
}

// LogValue shows the session's type and handle.
func (s *Session) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", s.engine.name), slog.String("handle", s.loggedHandle()))
}

// MarshalJSON shows the session's type and handle.
func (s *Session) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type   string `json:"type"`
		Handle string `json:"handle"`
	}{s.engine.name, s.Handle()})
}
