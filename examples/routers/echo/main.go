// Command echo is the kiosk with the router echo, and with parts of its page for htmx.
//
// echo.WrapMiddleware takes the middleware of the sessions, but echo asks the error
// handler for a page only when all middleware has returned: then the session is
// stored, also of a handler that has failed. So the errors are answered within, by
// the function withSessions in sessions.go, which is all that echo needs:
//
//	guests := e.Group("", withSessions(sessions.Middleware))
//
// Routes outside the group have no session, read no cookie and ask no store.
//
// The page works without scripts, and with htmx, which comes from a content delivery
// network, asks for the row that has changed alone. See page.html and add in
// routes.go.
//
//	go run .
package main

import "github.com/duckgen/duckgen/examples/routers/app"

func main() { app.Main(app.HTTP(routes)) }
