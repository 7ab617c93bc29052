package web

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"github.com/duckgen/duckgen/examples/cinemas/session"
)

// maxSeats is how many seats one booking may have.
const maxSeats = 6

// The steps of a booking, by the names in the paths of their pages. At the last one
// nothing is left to fill in.
const (
	filmStep  = "film"
	seatsStep = "seats"
	guestStep = "guest"
	checkStep = "check"
)

var steps = []string{filmStep, seatsStep, guestStep, checkStep}

// nextStep returns the first step that is not filled in.
func nextStep(b session.Booking) string {
	switch {
	case b.Film == "":
		return filmStep
	case b.Seats == 0:
		return seatsStep
	case b.Guest.Name == "":
		return guestStep
	default:
		return checkStep
	}
}

// reached returns the steps that are filled in, which can be gone back to, and the
// next one.
func reached(b session.Booking) []string {
	return steps[:slices.Index(steps, nextStep(b))+1]
}

// begin starts a booking.
func (h *house) begin(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	session.VisitorFrom(r.Context()).SetBookingsItem(id, session.Booking{})
	goTo(w, r, id, filmStep)
}

func (h *house) showStep(w http.ResponseWriter, r *http.Request) {
	if b, ok := bookingOf(w, r); ok {
		h.showBooking(w, http.StatusOK, r.PathValue("step"), b, "")
	}
}

// takeStep stores what a step has filled in. With that the half hour begins anew.
func (h *house) takeStep(w http.ResponseWriter, r *http.Request) {
	b, ok := bookingOf(w, r)
	if !ok {
		return
	}
	id, step := r.PathValue("id"), r.PathValue("step")
	if problem := h.fill(&b, step, r.PostFormValue); problem != "" {
		h.showBooking(w, http.StatusUnprocessableEntity, step, b, problem)
		return
	}
	session.VisitorFrom(r.Context()).SetBookingsItem(id, b)
	goTo(w, r, id, nextStep(b))
}

// bookingOf returns the booking of a step. It reports whether that can be filled in
// now, and answers otherwise.
func bookingOf(w http.ResponseWriter, r *http.Request) (session.Booking, bool) {
	s := session.VisitorFrom(r.Context())
	id, step := r.PathValue("id"), r.PathValue("step")
	b, ok := s.BookingsItem(id)
	switch {
	case s.Err() != nil:
		failed(w, r, s.Err())
	case !ok:
		over(w, r)
	case !slices.Contains(steps, step):
		http.NotFound(w, r)
	case !slices.Contains(reached(b), step):
		goTo(w, r, id, nextStep(b))
	default:
		return b, true
	}
	return session.Booking{}, false
}

// fill takes over what a step's form says, and returns what is wrong with it.
func (h *house) fill(b *session.Booking, step string, value func(name string) string) (problem string) {
	switch step {
	case filmStep:
		b.Film = value("film")
		if !slices.Contains(h.films(), b.Film) {
			return "Please choose a film."
		}
	case seatsStep:
		n, err := strconv.Atoi(value("seats"))
		if err != nil || n < 1 || n > maxSeats {
			return fmt.Sprintf("Please choose 1 to %d seats.", maxSeats)
		}
		b.Seats = n
	case guestStep:
		b.Guest = session.Guest{Name: strings.TrimSpace(value("name")), Email: value("email")}
		if _, err := mail.ParseAddress(b.Guest.Email); err != nil || b.Guest.Name == "" {
			return "Please give your name and e-mail address."
		}
	}
	return ""
}

// confirm books. Of any number of requests that confirm a booking one claims it: a
// double click takes no second seat.
func (h *house) confirm(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	id := r.PathValue("id")
	b, ok, err := s.ClaimBookingsItem(r.Context(), id)
	switch {
	case err != nil:
		failed(w, r, err)
	case !ok:
		over(w, r)
	case nextStep(b) != checkStep:
		s.SetBookingsItem(id, b)
		goTo(w, r, id, nextStep(b))
	case !h.book(b):
		s.SetBookingsItem(id, b)
		h.showBooking(w, http.StatusConflict, seatsStep, b, "There are not as many seats left.")
	default:
		s.AppendTickets(b)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// discard forgets a booking.
func (h *house) discard(w http.ResponseWriter, r *http.Request) {
	session.VisitorFrom(r.Context()).DeleteBookingsItem(r.PathValue("id"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func goTo(w http.ResponseWriter, r *http.Request, id, step string) {
	http.Redirect(w, r, "/bookings/"+id+"/"+step, http.StatusSeeOther)
}
