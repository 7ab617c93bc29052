package main

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/session"
	"github.com/duckgen/duckgen/runtime/fibersession"
	"github.com/duckgen/duckgen/runtime/lively"
)

func routes(k *app.Kiosk) *fiber.App {
	router := fiber.New(fiber.Config{ErrorHandler: apologise})
	router.Use(recover.New())
	router.Get("/healthz", func(c fiber.Ctx) error { return c.SendString("ok\n") })
	router.Get("/kiosk.css", fibersession.Handler(http.HandlerFunc(app.Style)))
	r := router.Group("/", fibersession.Middleware(k.Sessions))
	r.Get("/", show)
	r.Get("/about", func(c fiber.Ctx) error { return c.SendString("A kiosk.\n") })
	r.Get("/cart", func(c fiber.Ctx) error { return c.JSON(app.Look(session.GuestFrom(c))) })
	r.Post("/cart/:kind", add)
	r.Post("/sign-in", signIn)
	r.Post("/sign-out", signOut)
	r.Post("/order", order(k))
	r.Get("/feed", feed(k))
	r.Get("/lively", fibersession.Handler(k.Live))
	r.Get("/lively/client.js", fibersession.Handler(lively.Client()))
	r.Post("/lively/sync", fibersession.Handler(k.Sessions.SyncHandler()))
	r.Post("/fail", func(c fiber.Ctx) error { return app.Spill(session.GuestFrom(c)) })
	r.Post("/panic", spill)
	r.Post("/panic/inside", recover.New(), spill)
	return router
}

func show(c fiber.Ctx) error {
	c.Type("html", "utf-8")
	return app.WritePage(c, app.Show(session.GuestFrom(c)))
}

func add(c fiber.Ctx) error {
	if !app.Add(session.GuestFrom(c), c.Params("kind")) {
		return fiber.ErrNotFound
	}
	return c.Redirect().To("/")
}

func signIn(c fiber.Ctx) error {
	app.SignIn(session.GuestFrom(c), c.FormValue("name"))
	return c.Redirect().To("/")
}

func signOut(c fiber.Ctx) error {
	app.SignOut(session.GuestFrom(c))
	return c.Redirect().To("/")
}

// order streams once it has returned, and the session is stored.
func order(k *app.Kiosk) fiber.Handler {
	return func(c fiber.Ctx) error {
		ctx, o := c.Context(), app.Take(session.GuestFrom(c))
		return c.SendStreamWriter(func(w *bufio.Writer) {
			err := k.Deliver(ctx, o, func(line string) error {
				_, _ = fmt.Fprintln(w, line)
				return w.Flush()
			})
			if err != nil {
				log.Print(err)
			}
		})
	}
}

func feed(k *app.Kiosk) fiber.Handler {
	return func(c fiber.Ctx) error {
		ctx, greeting := c.Context(), app.Enter(session.GuestFrom(c))
		c.Set("Content-Type", "text/event-stream")
		return c.SendStreamWriter(func(w *bufio.Writer) {
			err := k.Follow(ctx, greeting, func(name, data string) error {
				_, _ = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
				return w.Flush()
			})
			if err != nil {
				log.Print(err)
			}
		})
	}
}

// spill panics after it has changed the session.
func spill(c fiber.Ctx) error { panic(app.Spill(session.GuestFrom(c))) }

// apologise is the error page.
func apologise(c fiber.Ctx, err error) error {
	status := http.StatusInternalServerError
	if known := (*fiber.Error)(nil); errors.As(err, &known) {
		status = known.Code
	}
	return c.Status(status).SendString(app.Apology(c, err.Error()))
}
