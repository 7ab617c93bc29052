package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckgen/duckgen/examples/shop/session"
)

// maxName is the longest name, in characters.
const maxName = 40

// rememberedFor is how long a visitor who wishes that stays signed in, without
// coming back.
const rememberedFor = 30 * 24 * time.Hour

// signInView says what was wrong with the name, if anything.
func signInView(problem string) view { return view{signInPage, "Sign in", problem} }

func (shop *shop) signIn(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	notice, ok := shop.enter(r.Context(), s, r.PostFormValue("name"), r.PostFormValue("remember") != "")
	if !ok {
		show(w, r, http.StatusUnprocessableEntity, func(*session.VisitorSession) view { return signInView(notice) })
		return
	}
	s.SetNotice(notice)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// enter makes the session the user's. Setting the renew field gives it a new
// token at once, so whoever knew the old one is left behind (ASVS 5.0, 7.2.4).
func (shop *shop) enter(ctx context.Context, s *session.VisitorSession, name string, remember bool) (notice string, ok bool) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return fmt.Sprintf("Give a name of 1 to %d characters.", maxName), false
	}
	id := shop.users.id(name)
	if current := s.UserID(); current != 0 && current != id {
		leave(s) // one user's cart is not the next one's
	}
	s.SetUserID(id)
	s.SetName(name)
	s.SetDevice(deviceOf(ctx))
	stay(s, remember)
	return "Welcome, " + name + ".", true
}

// stay makes the session outlive the browser and the usual limits, or not.
func stay(s *session.VisitorSession, on bool) {
	s.SetPersistent(on)
	if on {
		s.SetIdle(rememberedFor)
		s.SetExpiry(time.Now().Add(rememberedFor))
	} else {
		s.SetIdle(0)
		s.SetExpiry(time.Time{})
	}
}

func (*shop) signOut(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	leave(s)
	s.SetNotice("You are signed out.")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signOutEverywhere ends the user's sessions in every browser. This request's
// own ends with its commit, as in signOut.
func (shop *shop) signOutEverywhere(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	others, err := shop.sessions.RevokeByUserID(r.Context(), s.UserID(), s)
	if err != nil {
		failed(w, r, err)
		return
	}
	leave(s)
	s.SetNotice(fmt.Sprintf("You are signed out here and in %d other places.", others))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// leave ends the session for good. What is set afterwards begins another one;
// the theme is the browser's rather than the user's and comes along.
func leave(s *session.VisitorSession) {
	theme := s.Theme()
	s.Destroy()
	s.SetTheme(theme)
}
