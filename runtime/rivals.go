package runtime

import (
	"context"
	"errors"
	"slices"
	"time"
)

// What becomes of several cookies of the session's name, with different tokens. They
// come of scopes that an earlier deploy has used, and of whoever can plant one from
// another path or a sibling subdomain.

// maxRivals is how many of the cookies of one request the store is asked for.
const maxRivals = 4

// A contest is between the tokens of several cookies.
type contest struct {
	rivals []token // as long as the store was not asked which of them count

	// Sessions that are live. Which one is the visitor's, nobody can tell, as somebody
	// may have planted the others: the request has none of them, but who signs out
	// leaves all.
	live []opened
}

// tied reports whether several tokens open a session.
func (c *contest) tied() bool { return c != nil && len(c.live) > 0 }

// An opened session is one that a token of several has opened.
type opened struct {
	token  token
	record *Record
}

// rivals returns the different tokens among several cookies, of more than the
// store is asked for the last ones: browsers send those of longer paths first.
func (e *engine) rivals(header string) (tokens []token) {
	for value, rest, found := e.carrier.next(header); found; value, rest, found = e.carrier.next(rest) {
		if t, ok := parseToken(value); ok && !slices.Contains(tokens, t) {
			tokens = append(tokens, t)
		}
	}
	return tokens[max(0, len(tokens)-maxRivals):]
}

// compete keeps the tokens of several cookies. Which one counts, only the store
// knows: until then the session has no id.
func (s *Session) compete(rivals []token) {
	s.contest = &contest{}
	switch len(rivals) {
	case 0:
	case 1:
		s.become(rivals[0].identity(s.engine.kind), unseen)
	default:
		s.contest.rivals, s.hasToken = rivals, true
		s.move(unseen, nil, nil)
	}
}

// choose asks the store which of several tokens opens a session.
func (s *Session) choose(ctx context.Context) {
	live, replaced, err := s.engine.liveAmong(ctx, s.contest.rivals, s.age(s.engine.clock.read()))
	switch {
	case len(live) == 1:
		s.chosen(ctx, live[0].token, live[0].record)
	case len(live) > 1:
		s.contest.live = live
		s.become(identity{}, absent)
	case errors.Is(err, ErrSuperseded), errors.Is(err, ErrEnded):
		s.identity = replaced.identity(s.engine.kind)
		s.move(ended, nil, s.fail(err))
	case err != nil:
		s.move(outage, nil, s.fault("load", err))
		return
	default:
		s.become(identity{}, absent)
	}
	s.contest.rivals = nil
}

// chosen makes the one token that opens a session the session's.
func (s *Session) chosen(ctx context.Context, t token, record *Record) {
	s.identity = t.identity(s.engine.kind)
	record, err := s.admit(ctx, s.key(&s.identity, s.engine.clock.read()), record)
	if err != nil {
		s.move(ended, nil, s.fail(err))
		return
	}
	s.confirmed = true
	s.move(seen, record, nil)
}

// soleLive returns the one token of several that opens a session, with its record,
// nil if none does or more than one. If none does, it returns what liveAmong does.
func (e *engine) soleLive(ctx context.Context, rivals []token, age time.Duration) (sole token, record *Record, err error) {
	live, replaced, err := e.liveAmong(ctx, rivals, age)
	switch len(live) {
	case 0:
		return replaced, nil, err
	case 1:
		return live[0].token, live[0].record, nil
	default:
		return token{}, nil, nil
	}
}

// liveAmong returns which of several tokens open a session. If none does, but a
// sign-in or an end of moments ago has just changed that, it returns the token with
// that error. It only asks: no token counts as presented or as reused for that.
func (e *engine) liveAmong(ctx context.Context, rivals []token, age time.Duration) (live []opened, replaced token, err error) {
	for _, t := range rivals {
		key := Key{ID: t.id, Proof: t.secret.proof(e.kind), Now: e.clock.read(), Age: age, Held: true, Live: true}
		r, failure := e.store.Load(ctx, key)
		switch {
		case failure == nil:
			live = append(live, opened{t, r})
		case !isGone(failure):
			return nil, token{}, failure
		case errors.Is(failure, ErrSuperseded), errors.Is(failure, ErrEnded):
			replaced, err = t, failure
		}
	}
	return live, replaced, err
}
