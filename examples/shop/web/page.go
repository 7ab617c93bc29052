package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

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
	devicesPage  = parsePage("devices.html")
	failurePage  = parsePage("failure.html")
)

func parsePage(name string) *template.Template {
	return template.Must(template.New("layout.html").
		Funcs(template.FuncMap{"price": price}).
		ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/"+name))
}

// A page is what every template is given.
type page struct {
	Title  string // the heading
	Path   string // where a form brings the visitor back to
	Theme  string
	Name   string // empty: nobody has signed in
	Notice string
	Pieces int // in the cart
	Visits int64
	Stale  bool // the session could not be read
	Data   any
}

// Tab is the title in the browser's tab.
func (p page) Tab() string { return p.Title + " · duckgen shop" }

// A view is what one page shows of a session.
type view struct {
	template *template.Template
	title    string
	data     any
}

const (
	frontPath   = "/"
	cartPath    = "/cart"
	signInPath  = "/sign-in"
	sessionPath = "/session"
	devicesPath = "/devices"
	productPath = "/products/" // and the SKU
)

// viewOf returns how to view the page of a path, nil where there is no such page.
func viewOf(path string) func(*session.VisitorSession) view {
	switch path {
	case frontPath:
		return productsView
	case cartPath:
		return cartView
	case signInPath:
		return func(*session.VisitorSession) view { return signInView("") }
	case sessionPath:
		return sessionView
	}
	sku, _ := strings.CutPrefix(path, productPath)
	p, ok := findProduct(sku)
	if !ok {
		return nil
	}
	return func(s *session.VisitorSession) view { return productView(s, p) }
}

func showPage(w http.ResponseWriter, r *http.Request) {
	look := viewOf(r.URL.Path)
	if look == nil {
		http.NotFound(w, r)
		return
	}
	show(w, r, http.StatusOK, look)
}

// show answers with a page, and counts it.
func show(w http.ResponseWriter, r *http.Request, status int, look func(*session.VisitorSession) view) {
	s := session.VisitorFrom(r.Context())
	stale := s.Load(r.Context()) != nil
	if !stale {
		// Without a session the page is still shown, but a request that writes
		// would be answered 503.
		s.AddVisits(1)
	}
	v := look(s)
	p := v.page(s, r.URL.Path)
	p.Notice, p.Stale = s.TakeNotice(), stale
	var body bytes.Buffer
	if err := v.template.Execute(&body, p); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the visitor is gone
}

// sessionView shows what the session is. The handle may be shown: it opens nothing.
func sessionView(s *session.VisitorSession) view {
	return view{sessionPage, "Your session", map[string]any{
		"New":     s.IsNew(),
		"Handle":  s.Handle(),
		"Created": s.CreatedAt(),
		"Renewed": s.RenewedAt(),
		"Expires": s.ExpiresAt(),
		"Bound":   s.Bound(),
	}}
}

func (v view) page(s *session.VisitorSession, path string) page {
	p := pageOf(s, path)
	p.Title, p.Data = v.title, v.data
	return p
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
