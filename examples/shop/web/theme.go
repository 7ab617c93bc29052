package web

import (
	"net/http"
	"strings"

	"github.com/duckgen/duckgen/examples/shop/session"
)

func (*shop) setTheme(w http.ResponseWriter, r *http.Request) {
	theme := r.PostFormValue("theme")
	if theme != "light" && theme != "dark" {
		http.Error(w, "the theme is light or dark", http.StatusBadRequest)
		return
	}
	session.VisitorFrom(r.Context()).SetTheme(theme)
	goBack(w, r)
}

// goBack redirects to the page that the form stood on. A form cannot send the
// visitor to another site: browsers take // and /\ for one.
func goBack(w http.ResponseWriter, r *http.Request) {
	to := r.PostFormValue("back")
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) {
		to = "/"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
