package web

import (
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/duckgen/duckgen/examples/oauth/session"
	"github.com/duckgen/duckgen/runtime"
)

// A page is what the one template is given.
type page struct {
	Title string
	Text  string
	Name  string // empty: nobody has signed in
	Next  string // where a sign-in leads to
}

var layout = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<nav><a href="/">Home</a> <a href="/account">Your account</a></nav>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{if .Name -}}
<form method="post" action="/sign-out"><button>Sign out, {{.Name}}</button></form>
{{- else -}}
<form method="post" action="/sign-in"><input type="hidden" name="next" value="{{.Next}}"><button>Sign in</button></form>
{{- end}}
</html>
`))

func show(w http.ResponseWriter, status int, p page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = layout.Execute(w, p) // the visitor has hung up
}

func home(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	show(w, http.StatusOK, page{Title: "Home", Text: "This page is for everybody.", Name: s.Name(), Next: "/"})
}

func account(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	show(w, http.StatusOK, page{Title: "Your account", Text: "You are " + s.Subject() + ".", Name: s.Name()})
}

// signInPage has the form that begins a sign-in. A link would begin a session for
// every robot that follows it.
func signInPage(w http.ResponseWriter, r *http.Request) {
	show(w, http.StatusOK, page{Title: "Please sign in", Next: within(r.FormValue("next"))})
}

// signInFirst leads to the sign-in, and from there back.
func signInFirst(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.Path), http.StatusSeeOther)
}

// within returns a path of this program, whatever a link or a form says: browsers
// take // and /\ for another site.
func within(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}

// notSignedIn says why a sign-in has come to nothing.
func notSignedIn(w http.ResponseWriter, status int, why string) {
	show(w, status, page{Title: "You are not signed in", Text: why, Next: "/"})
}

// failed answers for a session that could not be loaded or stored.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	slog.WarnContext(r.Context(), "a request has failed", "err", err)
	show(w, runtime.StatusOf(err), page{Title: "That did not work", Text: "Nothing was changed. Please try again.", Next: "/"})
}
