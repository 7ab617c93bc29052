// Command datastar shows that a session changes after the first byte of a
// response: pages with Datastar get their events as a stream, in which no header
// can be sent any more. The adapter in conn.go is all that this takes.
package main

import (
	"context"
	"fmt"
	"html"
	"log"
	"net/http"
	"time"

	"github.com/starfederation/datastar-go/datastar"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

const page = `<!doctype html>
<html lang="en">
<title>Sessions and Datastar</title>
<script type="module" src="https://cdn.jsdelivr.net/gh/starfederation/datastar@1.0.0/bundles/datastar.js"></script>
<body data-init="@post('/feed')">
<p id="name"></p>
<button data-on:click="@post('/sign-in')">Sign in as Ada</button>
<button data-on:click="@post('/sign-out')">Sign out</button>
`

func main() {
	sessions, err := session.NewVisitorSessions(memstore.New(), func(c *runtime.Config) {
		c.Cookie.Secure = false // plain HTTP on this machine
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Print("open http://127.0.0.1:8081")
	log.Fatal(http.ListenAndServe("127.0.0.1:8081", handler(sessions, time.Second)))
}

func handler(sessions *session.VisitorSessions, work time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) })
	mux.HandleFunc("POST /feed", stream(sessions, feed(sessions)))
	mux.HandleFunc("POST /sign-in", stream(sessions, signIn(sessions, work)))
	mux.HandleFunc("POST /sign-out", func(_ http.ResponseWriter, r *http.Request) {
		session.VisitorFrom(r.Context()).Destroy()
	})
	mux.Handle("POST /lively/sync", sessions.SyncHandler())
	return sessions.Middleware(mux)
}

// stream begins the response and keeps it tied to the session until serve
// returns.
func stream(
	sessions *session.VisitorSessions, serve func(context.Context, *conn, *session.VisitorSession) error,
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.CheckOrigin(r); err != nil {
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
			return
		}
		ctx, end := context.WithCancelCause(r.Context())
		defer end(nil)
		s := session.VisitorFrom(ctx)
		c := &conn{events: datastar.NewSSE(w, r), end: end}
		disconnect, err := sessions.LivelyConnect(ctx, c, s)
		if err != nil {
			log.Print(err)
			return
		}
		defer disconnect()
		if err := serve(ctx, c, s); err != nil && ctx.Err() == nil {
			log.Print(err)
		}
		if err := c.leave(ctx); err != nil {
			log.Print(err)
		}
	}
}

// feed shows who has signed in, until the session ends or its token changes.
func feed(sessions *session.VisitorSessions) func(context.Context, *conn, *session.VisitorSession) error {
	return func(ctx context.Context, c *conn, s *session.VisitorSession) error {
		err := sessions.LivelyEvent(ctx, c, s, func(context.Context) error {
			name := s.Name()
			if name == "" {
				name = "nobody"
			}
			return c.events.PatchElementf(`<p id="name">Signed in: %s</p>`, html.EscapeString(name))
		})
		if err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
}

// signIn takes its time and says so. The session changes long after the headers
// were sent, and the cookie is HttpOnly nevertheless.
func signIn(
	sessions *session.VisitorSessions, work time.Duration,
) func(context.Context, *conn, *session.VisitorSession) error {
	return func(ctx context.Context, c *conn, s *session.VisitorSession) error {
		if err := c.events.PatchElements(`<p id="name">Just a moment</p>`); err != nil {
			return err
		}
		select {
		case <-time.After(work):
		case <-ctx.Done():
			return ctx.Err()
		}
		return sessions.LivelyEvent(ctx, c, s, func(context.Context) error {
			s.SetUserID(1)
			s.SetName("Ada")
			return c.events.PatchElements(`<p id="name">Signed in as Ada</p>`)
		})
	}
}
