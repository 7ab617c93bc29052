package inspect

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

//go:embed page
var files embed.FS

// policy is what the page may do: load what the inspector serves, and run no other
// script. It builds no markup out of text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// ServeHTTP serves the page, what it is made of, and what it shows.
func (in *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	own := noteOf(r.Context())
	own.forget()
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if err := in.allow(r); err != nil {
		http.Error(w, "The inspector of sessions stays closed: "+err.Error()+".", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet {
		h.Set("Allow", http.MethodGet)
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	switch name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; name {
	case "":
		http.ServeFileFS(w, r, files, "page/page.html")
	case "page.css", "page.js", "icon.svg":
		http.ServeFileFS(w, r, files, path.Join("page", name))
	case "session", "events":
		in.serveData(w, r, name, own)
	default:
		http.NotFound(w, r)
	}
}

// serveData answers the page's script.
func (in *Inspector) serveData(w http.ResponseWriter, r *http.Request, name string, own *note) {
	switch {
	case fromElsewhere(r):
		http.Error(w, "The inspector of sessions answers its own page alone.", http.StatusForbidden)
	case name == "events":
		in.serveEvents(w, r)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(sessions(r.Context(), own)) // the page is gone
	}
}

// forget keeps a request for the inspector out of what it shows.
func (n *note) forget() {
	for ; n != nil; n = n.outer {
		n.journal.drop(n.entry)
	}
}

// A shownSession is a session of the browser that looks, as the page gets it.
type shownSession struct {
	Type     string       `json:"type"`
	Error    string       `json:"error"`
	Handle   string       `json:"handle"`
	Created  time.Time    `json:"created"`
	Renewed  time.Time    `json:"renewed"`
	SignedIn time.Time    `json:"signedIn"`
	LastUsed time.Time    `json:"lastUsed"`
	Expires  time.Time    `json:"expires"`
	Bound    bool         `json:"bound"`
	Fields   []shownField `json:"fields"`
}

type shownField struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Secret bool   `json:"secret"`
	Index  bool   `json:"index"`
	Renew  bool   `json:"renew"`
}

// sessions returns the sessions of the request, none if no middleware is around it.
func sessions(ctx context.Context, own *note) []shownSession {
	list := []shownSession{}
	for n := own; n != nil; n = n.outer {
		if n.view != nil {
			v, err := n.view(ctx)
			list = append(list, show(n.entry.Session, v, err))
		}
	}
	return list
}

func show(kind string, v runtime.View, err error) shownSession {
	s := shownSession{
		Type:     kind,
		Handle:   v.Handle,
		Created:  v.Created,
		Renewed:  v.Renewed,
		SignedIn: v.SignedIn,
		LastUsed: v.LastUsed,
		Expires:  v.Expires,
		Bound:    v.Bound,
	}
	if err != nil {
		s.Error = cut(err.Error())
	}
	for _, f := range v.Fields {
		field := shownField{Key: f.Key, Secret: f.Secret, Index: f.Index, Renew: f.Renew}
		if !f.Secret {
			field.Value = textOf(f.Value)
		}
		s.Fields = append(s.Fields, field)
	}
	return s
}

// textOf returns the value as JSON, or as package fmt shows it if it is none.
func textOf(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // it becomes text, not markup
	if err := e.Encode(v); err != nil {
		return cut(fmt.Sprintf("%+v", v))
	}
	return cut(strings.TrimSuffix(b.String(), "\n"))
}
