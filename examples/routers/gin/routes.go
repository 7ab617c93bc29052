package main

import (
	"io"
	"log"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/session"
	"github.com/duckgen/duckgen/runtime/ginsession"
	"github.com/duckgen/duckgen/runtime/lively"
)

func routes(k *app.Kiosk) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.Use(gin.Recovery())
	e.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	e.GET("/kiosk.css", gin.WrapF(app.Style))

	sessions := ginsession.Middleware(k.Sessions.Middleware)
	guests := e.Group("/", sessions, apologise)
	guests.GET("/", show)
	guests.GET("/about", func(c *gin.Context) { c.String(http.StatusOK, "A kiosk.\n") })
	guests.GET("/cart", cart)
	guests.POST("/cart/:kind", add)
	guests.POST("/sign-in", signIn)
	guests.POST("/sign-out", signOut)
	guests.POST("/order", order(k))
	guests.GET("/feed", feed(k))
	guests.GET("/lively", gin.WrapH(k.Live))
	guests.GET("/lively/client.js", gin.WrapH(lively.Client()))
	guests.POST("/lively/sync", gin.WrapH(k.Sessions.SyncHandler()))
	guests.POST("/fail", fail)
	guests.POST("/panic", spill)
	guests.POST("/panic/inside", gin.Recovery(), spill)
	e.NoRoute(sessions, notFound)
	return e
}

func guest(c *gin.Context) *session.GuestSession { return session.GuestFrom(c.Request.Context()) }

func show(c *gin.Context) {
	c.Header("Content-Type", gin.MIMEHTML+"; charset=utf-8")
	if err := app.WritePage(c.Writer, app.Show(guest(c))); err != nil {
		log.Print(err)
	}
}

func cart(c *gin.Context) { c.JSON(http.StatusOK, app.Look(guest(c))) }

func add(c *gin.Context) {
	if !app.Add(guest(c), c.Param("kind")) {
		notFound(c)
		return
	}
	c.Redirect(http.StatusSeeOther, "/")
}

func signIn(c *gin.Context) {
	app.SignIn(guest(c), c.PostForm("name"))
	c.Redirect(http.StatusSeeOther, "/")
}

func signOut(c *gin.Context) {
	app.SignOut(guest(c))
	c.Redirect(http.StatusSeeOther, "/")
}

// order streams. The first line stores the session; if that fails, writing returns an
// error, and the answer is not the handler's any more.
func order(k *app.Kiosk) gin.HandlerFunc {
	return func(c *gin.Context) {
		o := app.Take(guest(c))
		c.Header("Content-Type", gin.MIMEPlain+"; charset=utf-8")
		err := k.Deliver(c.Request.Context(), o, func(line string) error {
			_, err := io.WriteString(c.Writer, line+"\n")
			c.Writer.Flush()
			return err
		})
		if err != nil {
			log.Print(err)
		}
	}
}

// feed has events as gin writes them, which puts what went wrong into c.Errors.
func feed(k *app.Kiosk) gin.HandlerFunc {
	return func(c *gin.Context) {
		greeting := app.Enter(guest(c))
		_ = k.Follow(c.Request.Context(), greeting, func(name, data string) error {
			c.SSEvent(name, data)
			c.Writer.Flush()
			if failed := c.Errors.Last(); failed != nil {
				return failed
			}
			return nil
		})
	}
}

// apologise is the page for errors that handlers leave.
func apologise(c *gin.Context) {
	c.Next()
	if failed := c.Errors.Last(); failed != nil && !c.Writer.Written() {
		c.String(http.StatusInternalServerError, app.Apology(c.Request.Context(), failed.Error()))
	}
}

func notFound(c *gin.Context) {
	c.String(http.StatusNotFound, app.Apology(c.Request.Context(), "there is no such thing"))
}

func fail(c *gin.Context) { _ = c.Error(app.Spill(guest(c))) }

func spill(c *gin.Context) { panic(app.Spill(guest(c))) }
