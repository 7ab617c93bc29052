package app

import (
	_ "embed"
	"html/template"
	"io"
	"net/http"
)

var (
	//go:embed page.html
	pageText string

	//go:embed kiosk.css
	css string

	page = template.Must(template.New("page").Parse(pageText))
)

// WritePage writes the page of the kiosk. Its forms work without scripts; with them
// the page is live.
func WritePage(w io.Writer, v View) error {
	return page.Execute(w, struct {
		View
		Kinds []string
	}{v, Kinds})
}

// Style serves the style sheet of the page.
func Style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = io.WriteString(w, css)
}
