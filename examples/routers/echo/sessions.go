package main

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// withSessions makes the middleware of sessions one of echo. The error handler answers
// an error of a handler while the session can still be read, and before what the
// handler has changed is stored: an answer of 500 and above leaves it as it was.
// Middleware outside gets the error, too.
func withSessions(sessions func(http.Handler) http.Handler) echo.MiddlewareFunc {
	wrap := echo.WrapMiddleware(sessions)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return wrap(func(c echo.Context) error {
			err := next(c)
			if err != nil {
				c.Error(err)
			}
			return err
		})
	}
}
