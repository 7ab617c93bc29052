package runtime

import (
	"fmt"
	"net/http"
	"time"
)

// RequireSignIn passes to next the requests of visitors who have signed in less
// than within ago, or at any time if within is 0. Others are answered by
// Config.SignInHandler, and a request whose session cannot be loaded by
// Config.ErrorHandler: an outage is not a sign-out. No answer is to be kept by
// caches, unless next says otherwise. It includes the Middleware.
func (m *Manager[S]) RequireSignIn(within time.Duration, next http.Handler) http.Handler {
	return m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keepOutOfCaches(w.Header(), new([1]string))
		since, err := signedInFor(m.engine.exchangeOf(r.Context()).session())
		switch {
		case err != nil:
			m.engine.config.ErrorHandler(w, r, err)
		case since == nobody || within != 0 && since >= within:
			m.engine.challenge(w.Header(), since, within)
			m.engine.config.SignInHandler(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	}))
}

// nobody is how long ago the last sign-in was if there was none.
const nobody time.Duration = 1<<63 - 1

// signedInFor returns how long ago the last sign-in was. What this request is about
// to store counts. The error says that nobody knows.
func signedInFor(s *Session) (time.Duration, error) {
	s.lock()
	defer s.unlock()
	s.look()
	switch stored := s.draft.stored; {
	case s.sight == outage:
		return 0, s.refusal
	case s.unread:
		return 0, ErrTooLate
	case s.draft.signsIn():
		return 0, nil
	case s.draft.signsOut() || stored == nil || stored.SignedIn.IsZero():
		return nobody, nil
	default:
		return s.engine.clock.read().Sub(stored.SignedIn), nil
	}
}

// challenge names what a client with a header has to bring (RFC 6750, section 3;
// RFC 9470, section 3). Browsers are shown a page instead.
func (e *engine) challenge(h http.Header, since, within time.Duration) {
	switch {
	case e.config.Header != "Authorization":
	case since == nobody:
		h.Set("WWW-Authenticate", "Bearer")
	default:
		h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer error="insufficient_user_authentication", max_age="%d"`, int(within.Seconds())))
	}
}
