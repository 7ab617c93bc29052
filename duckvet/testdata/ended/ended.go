package ended

import (
	"fmt"
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
)

func signOut(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.Destroy()
	fmt.Fprintf(w, "Goodbye, %s.", s.Name()) // want `Name is read after Destroy, when the session is new and empty: read it before`
}

func counts(s *session.VisitorSession) int {
	s.Destroy()
	if s.Dirty() && s.Err() == nil {
		fmt.Println(s.Handle(), s.ThemeDirty())
	}
	s.ClearTheme()
	if n := s.CartLen(); n > 0 { // want `CartLen is read after Destroy`
		return n
	}
	return 0
}

func element(s *session.VisitorSession) {
	s.Destroy()
	_, _ = s.CartItem("captain") // want `CartItem is read after Destroy`
}

func flash(s *session.VisitorSession) string {
	s.Destroy()
	return s.TakeNotice() // want `TakeNotice is read after Destroy`
}

func snapshot(s *session.VisitorSession) session.Visitor {
	s.Destroy()
	return s.Snapshot() // want `Snapshot is read after Destroy`
}

func created(s *session.VisitorSession) {
	s.Destroy()
	fmt.Println(s.CreatedAt()) // want `CreatedAt is read after Destroy`
}

func branch(s *session.VisitorSession, all bool) {
	if all {
		s.Destroy()
		for range s.Recent() { // want `Recent is read after Destroy`
		}
	}
}

func keepsTheTheme(s *session.VisitorSession) {
	theme := s.Theme()
	s.Destroy()
	s.SetTheme(theme)
	s.SetNotice("You are signed out.")
	fmt.Println(s.Theme(), s.TakeNotice())
}

func otherwise(s *session.VisitorSession, gone bool) string {
	if gone {
		s.Destroy()
	}
	return s.Theme()
}

func leave(s *session.VisitorSession) { s.Destroy() }

func handsOn(s *session.VisitorSession, begin func(*session.VisitorSession)) string {
	s.Destroy()
	begin(s)
	return s.Theme()
}

func another(s, other *session.VisitorSession) string {
	s.Destroy()
	return other.Theme()
}

func assigned(s, other *session.VisitorSession) string {
	s.Destroy()
	s = other
	return s.Theme()
}

func later(s *session.VisitorSession) {
	s.Destroy()
	defer func() { fmt.Println(s.Theme()) }()
	s.SetTheme("dark")
}

func jumps(s *session.VisitorSession, again func() bool) {
	s.Destroy()
again:
	fmt.Println(s.Theme())
	if again() {
		s.SetTheme("dark")
		goto again
	}
}

func loops(all []*session.VisitorSession) {
	for _, s := range all {
		fmt.Println(s.Name())
		s.Destroy()
	}
}

// What follows may reach the session by the request, by a context or by a value that
// has it, and start it anew.

func tell(r *http.Request, text string) { session.VisitorFrom(r.Context()).SetNotice(text) }

func toldByAHelper(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.Destroy()
	tell(r, "Goodbye.")
	fmt.Fprintln(w, s.TakeNotice())
}

func toldByTheRequest(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.Destroy()
	session.VisitorFrom(r.Context()).SetNotice("Goodbye.")
	fmt.Fprintln(w, s.TakeNotice())
}

func toldByAMethodValue(s *session.VisitorSession) string {
	say := s.SetNotice
	s.Destroy()
	say("Goodbye.")
	return s.TakeNotice()
}

type page struct{ s *session.VisitorSession }

func (p page) tell(text string) { p.s.SetNotice(text) }

func toldByAMethod(s *session.VisitorSession) string {
	p := page{s}
	s.Destroy()
	p.tell("Goodbye.")
	return s.TakeNotice()
}

func toldByACallback(s *session.VisitorSession, wait func(func())) string {
	say := func() { s.SetNotice("Goodbye.") }
	s.Destroy()
	http.HandlerFunc(func(http.ResponseWriter, *http.Request) { say() }).ServeHTTP(nil, nil)
	return s.TakeNotice()
}

func servedByAnother(w http.ResponseWriter, r *http.Request, next http.Handler) {
	s := session.VisitorFrom(r.Context())
	s.Destroy()
	next.ServeHTTP(w, r)
	fmt.Fprintln(w, s.TakeNotice())
}

// What is given to a call is read before it.
func readForAHelper(r *http.Request, s *session.VisitorSession) {
	s.Destroy()
	tell(r, s.Name()) // want `Name is read after Destroy`
}

func afterOtherCalls(w http.ResponseWriter, s *session.VisitorSession) {
	s.Destroy()
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusOK)
	fmt.Println(len("x"), int64(1))
	fmt.Fprintln(w, s.Name()) // want `Name is read after Destroy`
}
