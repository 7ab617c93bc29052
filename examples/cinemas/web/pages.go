package web

import (
	"html/template"
	"log/slog"
	"net/http"

	"github.com/duckgen/duckgen/examples/cinemas/session"
	"github.com/duckgen/duckgen/runtime"
)

var pages = template.Must(template.New("pages").Parse(`
{{define "head"}}<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.}}</title>
<h1>{{.}}</h1>
{{end}}

{{define "front"}}{{template "head" .Cinema}}
<ul>{{range .Tickets}}<li>{{.Seats}} for {{.Film}}, {{.Guest.Name}}</li>{{else}}<li>You have no tickets.</li>{{end}}</ul>
<form method="post" action="/bookings"><button>Book seats</button></form>
</html>
{{end}}

{{define "booking"}}{{template "head" .Cinema}}
<nav>{{range .Steps}}<a href="{{.}}">{{.}}</a> {{end}}</nav>
{{with .Problem}}<p role="alert">{{.}}</p>{{end}}
{{if eq .Step "check" -}}
<p>{{.Booking.Seats}} for {{.Booking.Film}}, {{.Booking.Guest.Name}}, {{.Booking.Guest.Email}}</p>
<form method="post" action="confirm"><button>Book</button></form>
{{- else -}}
<form method="post" action="{{.Step}}">
  {{if eq .Step "film"}}{{range .Films}}
  <label><input type="radio" name="film" value="{{.}}"{{if eq . $.Booking.Film}} checked{{end}}> {{.}}</label>{{end}}
  {{else if eq .Step "seats"}}<label>Seats <input name="seats" value="{{with .Booking.Seats}}{{.}}{{end}}"></label> of {{.Left}} that are left
  {{else}}<label>Name <input name="name" value="{{.Booking.Guest.Name}}"></label>
  <label>E-mail <input name="email" value="{{.Booking.Guest.Email}}"></label>{{end}}
  <button>Go on</button>
</form>
{{- end}}
<form method="post" action="discard"><button>Discard</button></form>
</html>
{{end}}

{{define "message"}}{{template "head" .Title}}
<p>{{.Text}}</p>
<p><a href="/">Home</a></p>
</html>
{{end}}
`))

func show(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, page, data) // the visitor has hung up
}

func (h *house) showFront(w http.ResponseWriter, r *http.Request) {
	show(w, http.StatusOK, "front", map[string]any{
		"Cinema":  h.name,
		"Tickets": session.VisitorFrom(r.Context()).TicketsSlice(),
	})
}

// showBooking shows a step, with what is filled in and links to the steps that can be
// gone to.
func (h *house) showBooking(w http.ResponseWriter, status int, step string, b session.Booking, problem string) {
	show(w, status, "booking", map[string]any{
		"Cinema":  h.name,
		"Steps":   reached(b),
		"Step":    step,
		"Booking": b,
		"Problem": problem,
		"Films":   h.films(),
		"Left":    h.left(b.Film),
	})
}

// over answers for a booking that is not there.
func over(w http.ResponseWriter, _ *http.Request) {
	show(w, http.StatusGone, "message", map[string]string{
		"Title": "This booking is over",
		"Text":  "It is confirmed, discarded, or was left alone for half an hour.",
	})
}

// failed answers for a session that could not be loaded or stored.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	slog.WarnContext(r.Context(), "a request has failed", "err", err)
	show(w, runtime.StatusOf(err), "message", map[string]string{
		"Title": "That did not work",
		"Text":  "Nothing was changed. Please try again.",
	})
}
