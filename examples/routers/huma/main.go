// Command huma is the kiosk as an API of huma, with its OpenAPI at /openapi.json, and
// pages.
//
// Huma stands on net/http here, so the middleware of the sessions may stand around
// everything. For a group of operations it becomes a middleware of huma, by the
// adapter that the API is made with:
//
//	func withSession(sessions *session.GuestSessions) func(huma.Context, func(huma.Context)) {
//		return func(ctx huma.Context, next func(huma.Context)) {
//			r, w := humago.Unwrap(ctx)
//			sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//				next(humago.NewContext(ctx.Operation(), r, w))
//			})).ServeHTTP(w, r)
//		}
//	}
//
// The context of an operation has the session. An error that it returns is written
// within the middleware, so its status decides whether the request is stored.
//
//	go run .
package main

import "github.com/duckgen/duckgen/examples/routers/app"

func main() { app.Main(app.HTTP(routes)) }
