package runtime

import (
	"context"
	"net/http"
)

// NewCookie stores a new session with what fill sets, and returns the cookie that
// opens it. It is a sign-in if fill sets a field that renews. With Config.Header, the
// value is what travels there.
func (m *Manager[S]) NewCookie(ctx context.Context, fill func(*Session)) (*http.Cookie, error) {
	s := &Session{engine: m.engine, ctx: ctx, arrived: m.engine.clock.sinceEpoch()}
	fill(s)
	s.lock()
	s.life.begin = true
	s.unlock()
	if err := s.Save(ctx); err != nil {
		return nil, err
	}
	form := m.engine.config.Cookie.form()
	return http.ParseSetCookie(form.set(s.token(), s.cookieEnds, m.engine.clock.read()))
}
