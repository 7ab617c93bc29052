package main

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/sse"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/session"
	"github.com/duckgen/duckgen/runtime/lively"
)

func routes(k *app.Kiosk) http.Handler {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("The kiosk", "1.0.0"))
	api.UseMiddleware(recovering(api))
	mux.HandleFunc("GET /kiosk.css", app.Style)
	huma.Get(api, "/healthz", health)

	guests := huma.NewGroup(api)
	guests.UseMiddleware(withSession(k.Sessions))
	huma.Get(guests, "/{$}", show)
	huma.Get(guests, "/about", about)
	huma.Get(guests, "/cart", cart)
	huma.Post(guests, "/cart/{kind}", add)
	huma.Post(guests, "/sign-in", signIn)
	huma.Post(guests, "/sign-out", signOut)
	huma.Post(guests, "/order", order(k))
	sse.Register(guests, huma.Operation{OperationID: "feed", Method: http.MethodGet, Path: "/feed"}, events, feed(k))
	huma.Post(guests, "/fail", fail)
	huma.Post(guests, "/panic", spill)
	careful := huma.NewGroup(guests, "/panic")
	careful.UseMiddleware(recovering(api))
	huma.Post(careful, "/inside", spill)

	mux.Handle("GET /lively", k.Sessions.Middleware(k.Live))
	mux.Handle("GET /lively/client.js", lively.Client())
	mux.Handle("POST /lively/sync", k.Sessions.SyncHandler())
	mux.Handle("/", k.Sessions.Middleware(notFound(api)))
	return mux
}

// withSession makes the middleware of the sessions one of huma.
func withSession(sessions *session.GuestSessions) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next(humago.NewContext(ctx.Operation(), r, w))
		})).ServeHTTP(w, r)
	}
}

// recovering answers for an operation that panics.
func recovering(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		defer func() {
			if v := recover(); v != nil {
				_ = huma.WriteErr(api, ctx, http.StatusInternalServerError, "that went wrong")
			}
		}()
		next(ctx)
	}
}

// notFound is for what is no operation.
func notFound(api huma.API) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := humago.NewContext(&huma.Operation{}, r, w)
		_ = huma.WriteErr(api, ctx, http.StatusNotFound, app.Apology(r.Context(), "there is no such thing"))
	})
}
