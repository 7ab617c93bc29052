// Command fiber is the kiosk with Fiber v3, which is not on net/http but on fasthttp.
//
// So the middleware of the sessions is that of package fibersession:
//
//	router.Use(fibersession.Middleware(sessions))
//
// The session is in the [fiber.Ctx]: session.GuestFrom(c). A stream that Fiber goes on
// with after the handler needs it from before. Routes that come before the middleware,
// and groups beside its own, have no session.
//
// The ErrorHandler answers within the middleware, so it has the session, and its status
// decides whether the request is stored. Fiber's recover middleware before the
// sessions' one answers a panic outside: then nothing is stored either.
//
// What is a handler of net/http is served by fibersession.Handler: the endpoint of live
// pages, which hijacks its connection, and the fetch of their cookie.
//
//	go run .
package main

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/duckgen/duckgen/examples/routers/app"
)

// patience is how long running requests may take once the program is to end.
const patience = 10 * time.Second

func main() { app.Main(serve) }

func serve(ctx context.Context, l net.Listener, k *app.Kiosk) error {
	router := routes(k)
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		patient, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		k.Close()
		stopped <- errors.Join(k.Live.Shutdown(patient), router.ShutdownWithContext(patient))
	})
	if err := router.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}); err != nil {
		return err
	}
	return <-stopped
}
