package runtime

import (
	"context"
	"errors"
	"net/http"
)

// pass lets the response begin if nobody has touched the session and its cookie
// is in order: there is nothing to commit. What still reads the session may come
// later if there is more to come. It reports whether that was so.
func (s *Session) pass(next phase, h http.Header, more bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != nil {
		return false
	}
	if _, what := s.engine.presented(s.brought); !s.begun && what == malformedCookie {
		return false
	}
	if more {
		responseHeader{s, h}.expectRead()
	}
	s.begun, s.phase = true, next
	return true
}

// commitResponse is the commit of a request, before the first byte of the response
// and at its end. What was done by a handler that failed, or for nobody any more,
// counts only as far as it ends something.
func (s *Session) commitResponse(failed bool) error {
	if failed && !s.engine.config.CommitFailed {
		s.keepEnds()
	}
	unlearnt := s.dropUnlearnt()
	err := s.hookCommit()
	switch {
	case err != nil:
		return err
	case unlearnt != nil:
		return s.fault("save", unlearnt)
	case s.sight == outage && (s.unsaved || s.engine.config.FailClosed):
		return s.refusal
	}
	return nil
}

// keepEnds drops what is pending but for what ends: a destruction, and fields that
// sign out. It reports whether there was anything else.
func (s *Session) keepEnds() bool {
	others := s.life.keepEnding(s.hasToken)
	return s.draft.keepSignOuts() || others
}

// dropUnlearnt drops what is not to be stored once the request is over: what needs
// a cookie, because nobody would learn it, and after a deadline everything else,
// because whoever set it has answered already. What ends something stays. It
// returns an error if there was anything to drop.
func (s *Session) dropUnlearnt() error {
	over := s.over()
	if over == nil || !s.dirty() {
		return nil
	}
	dropped := false
	switch {
	case errors.Is(over, context.DeadlineExceeded), !s.hasToken, s.draft.signsIn():
		dropped = s.keepEnds()
	case s.life.renew:
		s.life.renew, dropped = false, true
	}
	if !dropped {
		return nil
	}
	return over
}
