package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// A Session is the part of a generated session that does not depend on its
// fields: which record it stands for, what of it has been loaded, and what has
// changed since. It is safe for concurrent use by the goroutines of one request.
type Session struct {
	mu      sync.Mutex
	engine  *engine
	ctx     context.Context // bounds lazy loads
	request *http.Request   // brought the cookie; nil: there is none
	writer  *writer         // carries the cookie; nil: none, or not yet
	arrived time.Duration   // the request or event, by [clock.sinceEpoch]
	phase   phase
	begun   bool // the response is under way and carries no further cookie

	// Most requests do not touch their session, so all that only a touched one
	// needs is allocated by the first lock.
	*state
}

// state is what a session that is in use knows.
type state struct {
	identity
	reserved *ID   // for a session begun in place of this one, see RevokeBy
	live     *live // of a live connection; nil: plain HTTP

	record  *Record // nil: nothing is stored
	blocked error   // nothing more is committed
	err     error   // the first error

	pending    []pending
	commitment *commitment // room for what is pending and its commit; nil: none yet
	expiry     *time.Time  // pending deadline, zero: the configured age
	doomed     *identity   // the stored session that Destroy ends
	renew      bool

	duplicate bool // several cookies came
	found     bool // by an index, so there is no secret at hand
	read      bool // the response depends on the session
	loaded    bool // record says what is stored
	outage    bool // nothing more is committed because loading failed
	unsaved   bool // a change was dropped because of that

	cookie     cookieChange
	cookieEnds time.Time // the deadline that a new cookie has

	// What the response's header was given, in room of its own.
	vary, setCookie, cacheControl [1]string

	notices []func() // told when the lock is released
	misfits []string // reported already
}

// identity is which stored session this one stands for, and with what right.
type identity struct {
	id     ID     // of the record, or kept for the one to be created
	secret hidden // opens the record, where known
	proof  Proof  // of the token's secret; zero until it is first presented
	known  bool   // a token is at hand that was not found unknown
	issued bool   // by this program: no browser has presented it yet
	alive  bool   // was seen alive by this request or connection
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

// lock begins every use of the session. The first one looks at the cookie.
func (s *Session) lock() {
	s.mu.Lock()
	if s.state == nil {
		s.touch(&state{})
	}
}

// lockToWrite is lock for changing a field. Where that is the first use, room for
// the change comes with the rest.
func (s *Session) lockToWrite() {
	s.mu.Lock()
	if s.state == nil {
		room := &struct {
			state
			commitment
		}{}
		room.state.commitment = &room.commitment
		s.touch(&room.state)
	}
}

func (s *Session) touch(room *state) {
	s.state = room
	s.identify()
}

// pass lets the response begin where nobody has touched the session and its
// cookie is in order: there is nothing to commit and nothing to say. It reports
// whether that was so.
func (s *Session) pass(next phase) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != nil || !s.begun && !s.engine.orderly(s.request) {
		return false
	}
	s.begun, s.phase = true, next
	return true
}

// unlock calls back only after the lock is free, so that a callback may use the
// session.
func (s *Session) unlock() {
	notices := s.notices
	s.notices = nil
	s.mu.Unlock()
	for _, tell := range notices {
		tell()
	}
}

func (s *Session) report(kind EventKind, field string, err error) {
	e := Event{Kind: kind, Session: s.engine.name, Field: field, Err: err}
	if s.id != (ID{}) {
		e.Handle = s.id.String()
	}
	ctx := s.ctx
	s.notices = append(s.notices, func() { s.engine.config.OnEvent(ctx, e) })
}

// fault keeps an error for Err and tells it.
func (s *Session) fault(err error) error {
	ctx := s.ctx
	s.notices = append(s.notices, func() { s.engine.config.OnError(ctx, err) })
	return s.fail(err)
}

// reportMisfit tells once that a stored value does not fit its field.
func (s *Session) reportMisfit(entry string, err error) {
	s.lock()
	defer s.unlock()
	s.misfit(entry, err)
}

func (s *Session) misfit(entry string, err error) {
	for _, reported := range s.misfits {
		if reported == entry {
			return
		}
	}
	s.misfits = append(s.misfits, entry)
	s.report(EventMisfit, entry, err)
}

func (s *Session) format() Format { return s.engine.format }

// fail keeps the first error for Err.
func (s *Session) fail(err error) error {
	if s.err == nil {
		s.err = err
	}
	return err
}

// identify looks at the cookie.
func (s *Session) identify() {
	if s.request == nil {
		return
	}
	value, n := s.engine.config.Cookie.find(s.request.Header)
	switch {
	case n == 0 || n == 1 && value == "":
	case n > 1:
		s.duplicate = true
		s.report(EventDuplicateCookie, "", nil)
	default:
		t, ok := parseToken(value)
		if !ok {
			s.report(EventMalformedCookie, "", nil)
			return
		}
		s.id, s.secret, s.known = t.id, t.secret.hide(), true
	}
}

// hold makes the token, whose proof is given, the one that this session operates
// with.
func (s *Session) hold(t token, p Proof) {
	s.id, s.secret, s.known = t.id, t.secret.hide(), true
	s.proof = p
}

// token returns what opens the record.
func (s *Session) token() token { return token{s.id, s.secret.show()} }

// forget turns the session into one that no token opens.
func (s *Session) forget() {
	s.identity = identity{}
	s.record, s.loaded = nil, false
}

// key presents the session's token to the store.
func (s *Session) key() Key { return s.keyOf(&s.identity, s.engine.clock.read()) }

// keyOf hashes the secret that a cookie brought at its first use: most requests
// do not touch their session.
func (s *Session) keyOf(i *identity, now time.Time) Key {
	if i.known && i.proof == (Proof{}) {
		i.proof = i.secret.show().proof(s.engine.kind)
	}
	return Key{
		ID:    i.id,
		Proof: i.proof,
		Now:   now,
		Age:   s.age(now),
		Held:  i.alive || i.issued || s.live != nil,
		Live:  i.issued || s.found || s.live != nil,
	}
}

// age returns how long ago the request or event arrived.
func (s *Session) age(now time.Time) time.Duration { return now.Sub(epoch) - s.arrived }

// settled reports whether it is known what is stored. Without a token that is
// nothing.
func (s *Session) settled() bool {
	return s.loaded || !s.known
}

// load fetches the record at the first need. After a failure nothing more of
// this request is committed.
func (s *Session) load(ctx context.Context) {
	if s.settled() || s.blocked != nil || s.phase == phaseClosed || s.engine.store == nil {
		return
	}
	record, err := s.engine.store.Load(ctx, s.key())
	switch {
	case err == nil:
		s.record, s.loaded, s.alive = record, true, true
		s.settle()
		s.settleExpiry()
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrReused):
		s.vanished(err)
	case errors.Is(err, ErrSuperseded), errors.Is(err, ErrEnded):
		s.record, s.loaded = nil, true
		s.blocked = s.fail(err)
	default:
		s.outage = true
		s.blocked = s.fault(fmt.Errorf("load session: %w", err))
	}
}

// vanished takes note that no live session answers to the token. One that was
// seen alive has ended and stays so; any other was only an unknown cookie.
func (s *Session) vanished(err error) {
	if errors.Is(err, ErrReused) {
		s.report(EventReused, "", nil)
	}
	if s.alive {
		s.record, s.loaded = nil, true
		s.blocked = s.fail(ErrEnded)
		return
	}
	s.forget()
	s.settle()
}

// look loads what a read needs.
func (s *Session) look() {
	s.read = true
	if s.phase == phaseOutside {
		_ = s.fail(ErrNoMiddleware)
		return
	}
	s.load(s.ctx)
}

// Load loads the session now instead of at the first read, to see an error
// early.
func (s *Session) Load(ctx context.Context) error {
	s.lock()
	defer s.unlock()
	s.read = true
	if s.phase == phaseOutside {
		return s.fail(ErrNoMiddleware)
	}
	s.load(ctx)
	return s.blocked
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
	return s.record == nil && s.blocked == nil
}

// Handle returns the session's id, which may be logged: it opens nothing. It is
// empty until there is one. An id that a cookie brought is not verified before
// the session has been loaded.
func (s *Session) Handle() string {
	s.lock()
	defer s.unlock()
	s.read = true
	return s.handle()
}

// loggedHandle is Handle for what goes into a log rather than into the response.
func (s *Session) loggedHandle() string {
	s.lock()
	defer s.unlock()
	return s.handle()
}

func (s *Session) handle() string {
	if s.id == (ID{}) {
		return ""
	}
	return s.id.String()
}

// CreatedAt returns when the session was stored first, the zero time for a new
// one.
func (s *Session) CreatedAt() time.Time {
	return s.time(func(r *Record) time.Time { return r.Created })
}

// RenewedAt returns when the token was last renewed, at the latest sign-in for
// instance; the time of creation where it never was, the zero time for a new
// session.
func (s *Session) RenewedAt() time.Time {
	return s.time(func(r *Record) time.Time { return r.Renewed })
}

// ExpiresAt returns when the session ends if it is not used any more, the zero
// time for a new one. A pending SetExpiry counts.
func (s *Session) ExpiresAt() time.Time {
	return s.time(func(r *Record) time.Time {
		if s.expiry == nil {
			return r.Expires
		}
		return s.engine.expires(s.engine.clock.read(), s.deadline(r.Created))
	})
}

func (s *Session) time(of func(*Record) time.Time) time.Time {
	s.lock()
	defer s.unlock()
	s.look()
	if s.record == nil {
		return time.Time{}
	}
	return of(s.record)
}

// Format shows the session's type and handle, whatever the verb.
func (s *Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.label()) }

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

func (s *Session) label() string { return s.engine.name + "(" + s.loggedHandle() + ")" }
