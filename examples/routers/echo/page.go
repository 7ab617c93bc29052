package main

import (
	_ "embed"
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/duckgen/duckgen/examples/routers/app"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"rows": rows}).Parse(pageText))

// A row is a kind and how many pieces of it are in the cart.
type row struct {
	Kind   string
	Pieces int
}

// changed is what htmx gets: a row, and the notice beside it.
type changed struct {
	Row    row
	Notice string
}

func rows(v app.View) (all []row) {
	for _, kind := range app.Kinds {
		all = append(all, row{kind, v.Cart[kind]})
	}
	return all
}

func render(c echo.Context, part string, data any) error {
	c.Response().Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	c.Response().WriteHeader(http.StatusOK)
	return page.ExecuteTemplate(c.Response(), part, data)
}
