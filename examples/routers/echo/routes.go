package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/session"
	"github.com/duckgen/duckgen/runtime/lively"
)

func routes(k *app.Kiosk) http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = apologise
	e.Use(middleware.Recover())
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/kiosk.css", echo.WrapHandler(http.HandlerFunc(app.Style)))

	guests := e.Group("", withSessions(k.Sessions.Middleware))
	guests.GET("/", show)
	guests.GET("/about", func(c echo.Context) error { return c.String(http.StatusOK, "A kiosk.\n") })
	guests.GET("/cart", cart)
	guests.POST("/cart/:kind", add)
	guests.POST("/sign-in", signIn)
	guests.POST("/sign-out", signOut)
	guests.POST("/order", order(k))
	guests.GET("/feed", feed(k))
	guests.GET("/lively", echo.WrapHandler(k.Live))
	guests.GET("/lively/client.js", echo.WrapHandler(lively.Client()))
	guests.POST("/lively/sync", echo.WrapHandler(k.Sessions.SyncHandler()))
	guests.POST("/fail", func(c echo.Context) error { return app.Spill(guest(c)) })
	guests.POST("/panic", spill)
	guests.POST("/panic/inside", spill, middleware.Recover())
	return e
}

func guest(c echo.Context) *session.GuestSession { return session.GuestFrom(c.Request().Context()) }

func show(c echo.Context) error { return render(c, "page", app.Show(guest(c))) }

func cart(c echo.Context) error { return c.JSON(http.StatusOK, app.Look(guest(c))) }

// add answers htmx with the row that it puts in the place of the old one. The notice
// goes along, and waits for no other page.
func add(c echo.Context) error {
	s, kind := guest(c), c.Param("kind")
	if !app.Add(s, kind) {
		return echo.ErrNotFound
	}
	if c.Request().Header.Get("HX-Request") == "" {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	pieces, _ := s.CartItem(kind)
	return render(c, "changed", changed{row{kind, pieces}, s.TakeNotice()})
}

func signIn(c echo.Context) error {
	app.SignIn(guest(c), c.FormValue("name"))
	return c.Redirect(http.StatusSeeOther, "/")
}

func signOut(c echo.Context) error {
	app.SignOut(guest(c))
	return c.Redirect(http.StatusSeeOther, "/")
}

// order streams. The first line stores the session; if that fails, writing returns an
// error, and the answer is not the handler's any more.
func order(k *app.Kiosk) echo.HandlerFunc {
	return func(c echo.Context) error {
		out := c.Response()
		o := app.Take(guest(c))
		out.Header().Set(echo.HeaderContentType, echo.MIMETextPlainCharsetUTF8)
		return k.Deliver(c.Request().Context(), o, func(line string) error {
			_, err := fmt.Fprintln(out, line)
			out.Flush()
			return err
		})
	}
}

func feed(k *app.Kiosk) echo.HandlerFunc {
	return func(c echo.Context) error {
		out := c.Response()
		greeting := app.Enter(guest(c))
		out.Header().Set(echo.HeaderContentType, "text/event-stream")
		return k.Follow(c.Request().Context(), greeting, func(name, data string) error {
			_, err := fmt.Fprintf(out, "event: %s\ndata: %s\n\n", name, data)
			out.Flush()
			return err
		})
	}
}

// apologise is the error handler of echo.
func apologise(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, what := http.StatusInternalServerError, err.Error()
	if known, ok := errors.AsType[*echo.HTTPError](err); ok {
		status, what = known.Code, fmt.Sprint(known.Message)
	}
	if err := c.String(status, app.Apology(c.Request().Context(), what)); err != nil {
		c.Logger().Error(err)
	}
}

func spill(c echo.Context) error { panic(app.Spill(guest(c))) }
