package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/session"
	"github.com/duckgen/duckgen/runtime/lively"
)

func routes(k *app.Kiosk) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	r.Get("/kiosk.css", app.Style)
	r.Group(func(r chi.Router) {
		r.Use(k.Sessions.Middleware)
		r.NotFound(notFound)
		r.Get("/", show)
		r.Get("/about", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "A kiosk.\n") })
		r.Get("/cart", cart)
		r.Post("/cart/{kind}", add)
		r.Post("/sign-in", signIn)
		r.Post("/sign-out", signOut)
		r.Post("/order", order(k))
		r.Get("/feed", feed(k))
		r.Method(http.MethodGet, "/lively", k.Live)
		r.Method(http.MethodGet, "/lively/client.js", lively.Client())
		r.Method(http.MethodPost, "/lively/sync", k.Sessions.SyncHandler())
		r.Post("/fail", fail)
		r.Post("/panic", spill)
		r.With(middleware.Recoverer).Post("/panic/inside", spill)
	})
	return r
}

func show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page(app.Show(session.GuestFrom(r.Context()))).Render(r.Context(), w); err != nil {
		log.Print(err)
	}
}

func cart(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(app.Look(session.GuestFrom(r.Context())))
}

func add(w http.ResponseWriter, r *http.Request) {
	if !app.Add(session.GuestFrom(r.Context()), chi.URLParam(r, "kind")) {
		notFound(w, r)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func signIn(w http.ResponseWriter, r *http.Request) {
	app.SignIn(session.GuestFrom(r.Context()), r.FormValue("name"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	app.SignOut(session.GuestFrom(r.Context()))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// order streams. The first Flush stores the session; if that fails, it returns an
// error, and the answer is not the handler's any more.
func order(k *app.Kiosk) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		o := app.Take(session.GuestFrom(r.Context()))
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		err := k.Deliver(r.Context(), o, func(line string) error {
			_, _ = fmt.Fprintln(w, line)
			return out.Flush()
		})
		if err != nil {
			log.Print(err)
		}
	}
}

func feed(k *app.Kiosk) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		greeting := app.Enter(session.GuestFrom(r.Context()))
		w.Header().Set("Content-Type", "text/event-stream")
		err := k.Follow(r.Context(), greeting, func(name, data string) error {
			_, _ = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
			return out.Flush()
		})
		if err != nil {
			log.Print(err)
		}
	}
}

func notFound(w http.ResponseWriter, r *http.Request) {
	http.Error(w, app.Apology(r.Context(), "there is no such thing"), http.StatusNotFound)
}

func fail(w http.ResponseWriter, r *http.Request) {
	err := app.Spill(session.GuestFrom(r.Context()))
	http.Error(w, app.Apology(r.Context(), err.Error()), http.StatusInternalServerError)
}

func spill(_ http.ResponseWriter, r *http.Request) {
	panic(app.Spill(session.GuestFrom(r.Context())))
}
