package save

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/lively"
)

func last(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.SetTheme("dark")
	s.Save(r.Context()) // want `the hooks save when the handler is done, and answer an error: this Save costs a store call and drops its error`
}

func beforeTheRedirect(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.SetTheme("dark")
	_ = s.Save(r.Context()) // want `the hooks save`
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func beforeThePage(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.AddVisits(1)
	s.Save(r.Context()) /* want `the hooks save` */
	fmt.Fprintln(w, "Hello")
}

func inABranch(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	if r.Method == "POST" {
		s.AddVisits(1)
		s.Save(r.Context()) // want `the hooks save`
	}
	if _, err := w.Write([]byte("Hello")); err != nil {
		log.Print(err)
	}
}

func deferred(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	defer s.Save(r.Context()) // want `the hooks save`
	s.AddVisits(1)
}

// The variable would be unused without the statement.
func variableOfItsOwn(w http.ResponseWriter, r *http.Request) {
	session.VisitorFrom(r.Context()).AddVisits(1)
	ctx := context.Background()
	session.VisitorFrom(r.Context()).Save(ctx) // want `the hooks save`
}

func parameter(w http.ResponseWriter, s *session.VisitorSession) {
	s.AddVisits(1)
	s.Save(context.Background()) // want `the hooks save`
	w.WriteHeader(http.StatusNoContent)
}

// A framework hands over the request in a type of its own.
type exchange interface {
	Request() *http.Request
	JSON(any) error
}

func framework(c exchange) error {
	s := session.VisitorFrom(c.Request().Context())
	s.AddVisits(1)
	s.Save(c.Request().Context()) // want `the hooks save`
	return c.JSON("done")
}

func event(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	s.AddVisits(1)
	return s.Save(ctx) // want `LivelyEvent saves when the handler returns nil`
}

func eventDropped(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	s.AddVisits(1)
	s.Save(ctx) // want `the hooks save`
	return nil
}

// A patch that follows shows what is stored.
func eventBeforeThePatch(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	s.AddVisits(1)
	if err := s.Save(ctx); err != nil {
		return err
	}
	return c.Patch(ctx, lively.Text("visits", "more"))
}

func answersByItself(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.SetName("a very long name")
	if err := s.Save(r.Context()); errors.Is(err, runtime.ErrTooLarge) {
		http.Error(w, "that is too much", http.StatusUnprocessableEntity)
		return
	}
	fmt.Fprintln(w, "Hello")
}

func beforeLongWork(w http.ResponseWriter, r *http.Request, work io.Reader) {
	s := session.VisitorFrom(r.Context())
	s.AddVisits(1)
	_ = s.Save(r.Context())
	_, _ = io.Copy(w, work)
}

func inALoop(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	for range 3 {
		s.AddVisits(1)
		_ = s.Save(r.Context())
	}
}

func inAnotherFunction(w http.ResponseWriter, r *http.Request, run func(func())) {
	s := session.VisitorFrom(r.Context())
	run(func() {
		s.AddVisits(1)
		_ = s.Save(r.Context())
	})
}

func byIndex(w http.ResponseWriter, r *http.Request, sessions *session.VisitorSessions) {
	for s, err := range sessions.FindByUserID(r.Context(), 1) {
		if err != nil {
			return
		}
		s.SetNotice("We are closing.")
		_ = s.Save(r.Context())
		return
	}
}

// job is outside of any request.
func job(ctx context.Context, sessions *session.VisitorSessions) {
	for s, err := range sessions.FindByUserID(ctx, 1) {
		if err == nil {
			s.SetNotice("We are closing.")
			_ = s.Save(ctx)
		}
	}
}

func helper(ctx context.Context, s *session.VisitorSession) {
	s.AddVisits(1)
	_ = s.Save(ctx)
}

func adapter(w http.ResponseWriter, r *http.Request, sessions *session.VisitorSessions) {
	r = sessions.ProcessRequest(r)
	s := session.VisitorFrom(r.Context())
	if err := sessions.ProcessResponse(w, r); err != nil {
		_ = s.Save(r.Context())
	}
}

func takenOver(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	s.AddVisits(1)
	_ = s.Save(r.Context())
}

type stream interface{ runtime.LivelyConn }

func streams(w http.ResponseWriter, r *http.Request, c stream, sessions *session.VisitorSessions) {
	s := session.VisitorFrom(r.Context())
	s.AddVisits(1)
	_ = s.Save(r.Context())
}

// A helper whose caller goes on is no handler, whatever its parameters.

func counted(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.AddVisits(1)
	_ = s.Save(r.Context())
}

func goesOn(w http.ResponseWriter, r *http.Request, work io.Reader) {
	counted(w, r)
	_, _ = io.Copy(w, work)
}

func countedAtTheEnd(w http.ResponseWriter, r *http.Request) {
	defer session.VisitorFrom(r.Context()).Save(r.Context()) // want `the error of Save is dropped`
	session.VisitorFrom(r.Context()).AddVisits(1)
}

func goesOnAfterADeferredOne(w http.ResponseWriter, r *http.Request, work io.Reader) {
	countedAtTheEnd(w, r)
	_, _ = io.Copy(w, work)
}

func countedTwice(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.AddVisits(1)
	_ = s.Save(r.Context())
}

func passesOn(w http.ResponseWriter, r *http.Request) { countedTwice(w, r) }

func goesOnFarther(w http.ResponseWriter, r *http.Request, work io.Reader) {
	passesOn(w, r)
	_, _ = io.Copy(w, work)
}

func countedLocally(w http.ResponseWriter, r *http.Request, work io.Reader) {
	count := func(r *http.Request) {
		s := session.VisitorFrom(r.Context())
		s.AddVisits(1)
		_ = s.Save(r.Context())
	}
	count(r)
	_, _ = io.Copy(w, work)
}

func countedOfEvent(ctx context.Context, c *lively.Conn, s *session.VisitorSession) error {
	s.AddVisits(1)
	return s.Save(ctx)
}

func eventGoesOn(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	if err := countedOfEvent(ctx, c, s); err != nil {
		return err
	}
	return c.Patch(ctx, lively.Text("visits", "more"))
}

// Count may be called by other packages.
func Count(r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.AddVisits(1)
	_ = s.Save(r.Context())
}

func lastly(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.AddVisits(1)
	_ = s.Save(r.Context()) // want `the hooks save`
}

func endsWith(w http.ResponseWriter, r *http.Request) {
	if r.Method == "POST" {
		lastly(w, r)
	}
}
