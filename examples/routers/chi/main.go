// Command chi is the kiosk with the router chi, and with a page of templ.
//
// The middleware of the sessions is one of net/http, so chi takes it as it is, for all
// routes or for a group:
//
//	r.Use(sessions.Middleware)
//
// Routes outside the group have no session, read no cookie and ask no store. The
// page of what is not there, if the group sets it, has the session, too.
//
// A recoverer that stands before the sessions' middleware answers a panic in a
// handler with 500, and nothing of the request is stored. One that stands behind it
// does so, too: the status counts. See routes.go.
//
//	go run .
package main

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.1118 generate

import "github.com/duckgen/duckgen/examples/routers/app"

func main() { app.Main(app.HTTP(routes)) }
