package runtime

import (
	"context"
	"errors"
	"net/http"
)

// A response is the end of a request as its session sees it.
type response struct{ *Session }

// pass lets the response begin if nobody has touched the session and its cookie
// is in order: there is nothing to commit. What still reads the session may come
// later if there is more to come. It reports whether that was so.
func (r response) pass(next phase, h http.Header, more bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != nil {
		return false
	}
	if _, what := presentedBy(r.engine.carrier, r.brought, r.engine.kind); !r.begun && what == malformedCookie {
		return false
	}
	if more {
		responseHeader{r.Session, h}.expectRead()
	}
	r.begun, r.phase = true, next
	return true
}

// commit is the commit of a request, before the first byte of the response
// and at its end. What was done by a handler that failed, or for nobody any more,
// counts only as far as it ends something.
func (r response) commit(failed bool) error {
	if failed && !r.engine.config.CommitFailed {
		r.keepEnds()
	}
	unlearnt := r.dropUnlearnt()
	err := r.hookCommit()
	switch {
	case err != nil:
		return err
	case unlearnt != nil:
		return r.fault("save", unlearnt)
	case r.sight == outage && (r.unsaved || r.engine.config.FailClosed):
		return r.refusal
	}
	return nil
}

// keepEnds drops what is pending but for what ends: a destruction, and fields that
// sign out. It reports whether there was anything else.
func (r response) keepEnds() bool {
	r.life.endsContested = r.life.endsContested || r.leavesContested()
	others := r.life.keepEnding(r.hasToken)
	return r.draft.keepSignOuts() || others
}

// dropUnlearnt drops what is not to be stored once the request is over: what needs
// a cookie, because nobody would learn it, and after a deadline everything else,
// because whoever set it has answered already. What ends something stays. It
// returns an error if there was anything to drop.
func (r response) dropUnlearnt() error {
	over := r.over()
	if over == nil || !r.dirty() {
		return nil
	}
	dropped := false
	switch {
	case errors.Is(over, context.DeadlineExceeded), !r.hasToken, r.draft.signsIn():
		dropped = r.keepEnds()
	case r.life.renew:
		r.life.renew, dropped = false, true
	}
	if !dropped {
		return nil
	}
	return over
}
