// Command gin is the kiosk with the router gin.
//
// gin's handlers write to a writer of gin's own, so the middleware of the sessions
// comes by the package ginsession, for all routes or for a group:
//
//	guests := router.Group("/", ginsession.Middleware(sessions.Middleware))
//
// Routes outside the group have no session, read no cookie and ask no store. The
// handlers of what is not there are given the middleware as well, if they are to know
// the session.
//
// gin.Recovery may stand before that middleware or behind it. What answers c.Errors
// stands behind it, so that it knows the session, and the session knows of the
// failure: see apologise in routes.go.
//
//	go run .
package main

import "github.com/duckgen/duckgen/examples/routers/app"

func main() { app.Main(app.HTTP(routes)) }
