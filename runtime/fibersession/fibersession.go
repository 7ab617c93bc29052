// Package fibersession gives the requests of an app of Fiber v3 their sessions.
//
//	app := fiber.New()
//	app.Use(fibersession.Middleware(sessions))
//	app.Get("/", func(c fiber.Ctx) error {
//		return c.SendString(session.VisitorFrom(c).Theme())
//	})
//
// What the Middleware of net/http promises holds here, too: it is the same one, and
// sees a request and a response of net/http. Fiber holds back a response until its
// handler has returned, so that is when the session is committed, before the first
// byte. A stream may go on after that, and its session with it: what the stream
// changes is committed at its end, but a sign-in there comes too late for a cookie,
// and fails. Behind net/http, by Fiber's adaptor, the session ends with the handler.
package fibersession

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v3"
)

// Sessions are those of one type, as duckgen generates them.
type Sessions[S any] interface {
	Middleware(next http.Handler) http.Handler
	RequireSignIn(within time.Duration, next http.Handler) http.Handler
	Find(ctx context.Context, handle string) (*S, error)
}

// Middleware gives every request its session and commits it before the response.
// The session is found in the [fiber.Ctx] itself and in its Context. A stream or
// goroutine needs it, or that Context, from before the handler returns, because
// Fiber uses a Ctx again.
//
// An error of a handler is answered by the app's ErrorHandler within the middleware,
// as Fiber's logger does it, so that an error page has the session and its status
// counts. If the session cannot be stored, Config.ErrorHandler of the sessions
// answers instead of the app. Config has the request without its body.
//
// [fiber.DefaultCtx.End] answers at once, without the session's cookie.
//
// Put the middleware inside what compresses, encrypts cookies or caches. A handler
// that Fiber's timeout middleware has given up inside of it counts as one that has
// failed.
func Middleware[S any](sessions Sessions[S]) fiber.Handler { return adapt[S](sessions.Middleware) }

// RequireSignIn passes on the requests of visitors who have signed in less than within
// ago, or at any time if within is 0. Others are answered by the SignInHandler of the
// sessions' Config. It includes the Middleware.
func RequireSignIn[S any](sessions Sessions[S], within time.Duration) fiber.Handler {
	return adapt[S](func(next http.Handler) http.Handler { return sessions.RequireSignIn(within, next) })
}

// adapt makes a middleware one of Fiber.
func adapt[S any](middleware func(http.Handler) http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		x := &exchange{c: c}
		middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.SetContext(r.Context())
			c.Locals((*S)(nil), r.Context().Value((*S)(nil)))
			x.serve(w)
		})).ServeHTTP(x, Request(c))
		return x.send()
	}
}
