// Package inspect is a page for development. It shows the last requests and events of
// live connections as they happen: which fields each one has read and written, what it
// asked of the store, how long that took, and how it ended; beside that the session of
// the browser that looks.
//
//	in := inspect.New()
//	sessions, err := session.NewVisitorSessions(in.Store(store), in.Configure)
//	mux.Handle("/debug/sessions/", in) // behind sessions.Middleware
//
// It answers this machine alone, see [Config].Allow. Everybody who may look sees the
// paths and handles of all visitors, but no token, cookie, proof or secret field, and
// of values those of their own session only. What it costs is for development, too.
package inspect
