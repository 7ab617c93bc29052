package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
)

//go:embed templates
var templateFiles embed.FS

// The pages, each within the layout.
var (
	productsPage = parsePage("products.html")
	productPage  = parsePage("product.html")
	cartPage     = parsePage("cart.html")
	signInPage   = parsePage("sign-in.html")
	sessionPage  = parsePage("session.html")
)

func parsePage(name string) *template.Template {
	return template.Must(template.New("layout.html").
		Funcs(template.FuncMap{"price": price}).
		ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/"+name))
}

// A page is what every template is given.
type page struct {
	Title  string
	Path   string // where a form brings the visitor back to
	Theme  string
	Name   string // empty: nobody has signed in
	Notice string
	Pieces int // in the cart
	Visits int64
	Stale  bool // the session could not be read
	Data   any
}

// show answers with a page, and counts it.
func show(w http.ResponseWriter, r *http.Request, status int, t *template.Template, title string, data any) {
	s := session.VisitorFrom(r.Context())
	stale := s.Load(r.Context()) != nil
	if !stale {
		// Without a session the page is still shown, but a request that writes
		// would be answered 503.
		s.AddVisits(1)
	}
	p := pageOf(s, r.URL.Path)
	p.Title, p.Notice, p.Stale, p.Data = title, s.TakeNotice(), stale, data
	var body bytes.Buffer
	if err := t.Execute(&body, p); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the visitor is gone
}

// pageOf returns what the parts of a page show of the session.
func pageOf(s *session.VisitorSession, path string) page {
	return page{Path: path, Theme: s.Theme(), Name: s.Name(), Pieces: piecesIn(s), Visits: s.Visits()}
}

func piecesIn(s *session.VisitorSession) int {
	n := 0
	for _, pieces := range s.Cart() {
		n += pieces
	}
	return n
}
