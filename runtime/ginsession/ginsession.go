// Package ginsession gives sessions to routes of gin:
//
//	guests := router.Group("/", ginsession.Middleware(sessions.Middleware))
//	guests.GET("/", func(c *gin.Context) {
//		s := session.VisitorFrom(c.Request.Context())
//		…
//	})
//
// Routes outside the group have no session, read no cookie and ask no store.
package ginsession

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Middleware makes the middleware of sessions one of gin, for an engine, a group or a
// route. A session is stored before the first byte of the response, as with net/http,
// and what a handler has changed is dropped if its status is 500 or above, or if it
// panics, whether gin.Recovery stands before this middleware or behind it.
//
// What answers errors by [gin.Context.Errors] once handlers have returned has to
// stand behind it: before it, the session is stored by then. There
// [gin.Context.Request] still has the session as it was last seen.
//
// [gin.Engine.HandleContext] takes the writer away from a request. Call it where there
// is no session yet.
func Middleware(sessions func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		under, reached := c.Writer, false
		defer func() { c.Writer = under }()
		sessions(http.HandlerFunc(func(session http.ResponseWriter, r *http.Request) {
			reached = true
			w := writer{under, session}
			c.Request, c.Writer = r, w
			c.Next()
			w.end()
		})).ServeHTTP(under, c.Request)
		if !reached {
			c.Abort()
		}
	}
}
