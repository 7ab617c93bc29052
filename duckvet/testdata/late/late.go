package late

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
)

var page = template.Must(template.New("").Parse("<h1>Hello</h1>"))

func signIn(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	name := s.Name()
	fmt.Fprintf(w, "Welcome, %s.", name)
	s.SetUserID(1) // want `SetUserID renews the token, and the response has begun without its cookie`
	s.AddVisits(1)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	http.Redirect(w, r, "/", http.StatusSeeOther)
	if r.Method == "POST" {
		s.ClearUserID() // want `ClearUserID renews the token`
	}
}

func renewal(w http.ResponseWriter, s *session.VisitorSession) {
	w.WriteHeader(http.StatusOK)
	s.Renew() // want `Renew renews the token`
}

func afterAPage(w http.ResponseWriter, r *http.Request) {
	if err := page.Execute(w, nil); err != nil {
		log.Print(err)
	}
	session.VisitorFrom(r.Context()).Renew() // want `Renew renews the token`
}

func afterAPart(w http.ResponseWriter, r *http.Request, all []int) {
	s := session.VisitorFrom(r.Context())
	for _, n := range all {
		_ = json.NewEncoder(w).Encode(n)
		s.Renew() // want `Renew renews the token`
	}
}

func inTime(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusEarlyHints)
	s.SetUserID(1)
	fmt.Fprintln(w, "Welcome.")
	s.SetTheme("dark")
}

func otherwise(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	if r.FormValue("name") == "" {
		http.Error(w, "Who are you?", http.StatusUnprocessableEntity)
		return
	}
	s.SetUserID(1)
}

func intoABuffer(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	var b bytes.Buffer
	fmt.Fprintln(&b, "Welcome.")
	s.SetUserID(1)
	_, _ = io.Copy(w, &b)
}

// buffered keeps what is written until the end.
type buffered struct {
	http.ResponseWriter
	bytes.Buffer
}

func (b *buffered) Write(p []byte) (int, error) { return b.Buffer.Write(p) }

func intoItsOwn(w http.ResponseWriter, r *http.Request) {
	b := &buffered{ResponseWriter: w}
	w = b
	fmt.Fprintln(w, "Welcome.")
	session.VisitorFrom(r.Context()).SetUserID(1)
}

func intoAnother(w http.ResponseWriter, r *http.Request, other http.Handler) {
	var kept http.ResponseWriter = &buffered{ResponseWriter: w}
	other.ServeHTTP(kept, r)
	fmt.Fprintln(kept, "Welcome.")
	session.VisitorFrom(r.Context()).SetUserID(1)
}

func ofAnotherRequest(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, "Welcome.")
	http.HandleFunc("/next", func(w http.ResponseWriter, r *http.Request) {
		session.VisitorFrom(r.Context()).Renew()
	})
}

func ofFound(w http.ResponseWriter, ctx context.Context, sessions *session.VisitorSessions) {
	fmt.Fprintln(w, "Welcome.")
	for s, err := range sessions.FindByUserID(ctx, 1) {
		if err == nil {
			s.SetUserID(2)
			_ = s.Save(ctx)
		}
	}
}

func adapter(w http.ResponseWriter, r *http.Request, sessions *session.VisitorSessions) {
	r = sessions.ProcessRequest(r)
	fmt.Fprintln(w, "Welcome.")
	session.VisitorFrom(r.Context()).Renew()
	_ = sessions.ProcessResponse(w, r)
}

func readFirst(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	if err := r.ParseForm(); err != nil {
		log.Print(err)
	}
	fmt.Fprintln(w, "<h1>Hello</h1>")
	fmt.Fprintln(w, s.Name()) // want `Name reads the session for the first time, and the response has begun`
	fmt.Fprintln(w, s.Theme())
}

func readFirstOfContext(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "<h1>Hello</h1>")
	fmt.Fprintln(w, session.VisitorFrom(r.Context()).Snapshot()) // want `Snapshot reads the session for the first time`
}

func readBefore(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	name := s.Name()
	fmt.Fprintln(w, "<h1>Hello</h1>")
	fmt.Fprintln(w, name, s.Theme())
}

func loadedBefore(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	if err := s.Load(r.Context()); err != nil {
		http.Error(w, "not now", runtime.StatusOf(err))
		return
	}
	fmt.Fprintln(w, "<h1>Hello</h1>")
	fmt.Fprintln(w, s.Theme())
}

func greets(r *http.Request) string { return session.VisitorFrom(r.Context()).Name() }

func readByAHelper(w http.ResponseWriter, r *http.Request) {
	name := greets(r)
	fmt.Fprintln(w, "<h1>Hello</h1>", name)
	fmt.Fprintln(w, session.VisitorFrom(r.Context()).Theme())
}

func part(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, "<p>")
	fmt.Fprintln(w, session.VisitorFrom(r.Context()).Theme())
}

func whole(w http.ResponseWriter, r *http.Request) {
	if session.VisitorFrom(r.Context()).Name() != "" {
		part(w, r)
	}
}

func static(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, "<h1>Hello</h1>")
	fmt.Fprintln(w, session.VisitorFrom(r.Context()).Dirty())
}
