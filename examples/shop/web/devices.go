package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/duckgen/duckgen/examples/shop/session"
)

// A device is a session of the user, as the page of all of them shows it. The
// handle may be in a page: it opens nothing.
type device struct {
	session.Device
	Handle   string
	SignedIn time.Time
	LastUsed time.Time
	Here     bool
}

func (shop *shop) showDevices(w http.ResponseWriter, r *http.Request) {
	devices, err := shop.devicesOf(r.Context(), session.VisitorFrom(r.Context()))
	if err != nil {
		failed(w, r, err)
		return
	}
	show(w, r, http.StatusOK, func(*session.VisitorSession) view { return view{devicesPage, "Your devices", devices} })
}

func (shop *shop) devicesOf(ctx context.Context, s *session.VisitorSession) (list []device, err error) {
	for found, err := range shop.sessions.FindByUserID(ctx, s.UserID()) {
		if err != nil {
			return nil, err
		}
		list = append(list, device{
			Device:   found.Device(),
			Handle:   found.Handle(),
			SignedIn: found.SignedInAt(),
			LastUsed: found.LastUsedAt(),
			Here:     found.Handle() == s.Handle(),
		})
	}
	return list, nil
}

// signOutDevice ends one session of the user. It looks among those alone: a handle
// in a form is anybody's word.
func (shop *shop) signOutDevice(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	handle := r.PostFormValue("device")
	for found, err := range shop.sessions.FindByUserID(r.Context(), s.UserID()) {
		if err == nil && found.Handle() == handle && handle != s.Handle() {
			found.Destroy()
			err = found.Save(r.Context())
		}
		if err != nil {
			failed(w, r, err)
			return
		}
	}
	s.SetNotice("That device is signed out.")
	http.Redirect(w, r, devicesPath, http.StatusSeeOther)
}

func (shop *shop) signOutOthers(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	others, err := shop.sessions.RevokeByUserID(r.Context(), s.UserID(), s)
	if err != nil {
		failed(w, r, err)
		return
	}
	s.SetNotice(fmt.Sprintf("%d other devices are signed out.", others))
	http.Redirect(w, r, devicesPath, http.StatusSeeOther)
}
