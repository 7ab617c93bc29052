package web

import (
	"net/http"
	"time"

	"github.com/duckgen/duckgen/examples/api/session"
)

// A device is one session of a user, as the user sees it. Its handle opens nothing.
type device struct {
	Handle     string    `json:"handle"`
	Name       string    `json:"name"`
	SignedInAt time.Time `json:"signedInAt"`
	LastUsedAt time.Time `json:"lastUsedAt"`
	This       bool      `json:"this"`
}

func (a *api) listDevices(w http.ResponseWriter, r *http.Request) {
	own := session.ClientFrom(r.Context())
	devices := []device{}
	for s, err := range a.sessions.FindByUserID(r.Context(), own.UserID()) {
		if err != nil {
			commitFailed(w, r, err)
			return
		}
		devices = append(devices, device{s.Handle(), s.Device(), s.SignedInAt(), s.LastUsedAt(), s.Handle() == own.Handle()})
	}
	answer(w, map[string]any{"devices": devices})
}

// signOutDevice ends one session of the user, by its handle.
func (a *api) signOutDevice(w http.ResponseWriter, r *http.Request) {
	own := session.ClientFrom(r.Context())
	for s, err := range a.sessions.FindByUserID(r.Context(), own.UserID()) {
		switch {
		case err != nil:
			commitFailed(w, r, err)
			return
		case s.Handle() != r.PathValue("handle"):
			continue
		}
		s.Destroy()
		if err := s.Save(r.Context()); err != nil {
			commitFailed(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	refuse(w, http.StatusNotFound, "no such device is signed in")
}

// signOutOthers ends every other session of the user.
func (a *api) signOutOthers(w http.ResponseWriter, r *http.Request) {
	own := session.ClientFrom(r.Context())
	ended, err := a.sessions.RevokeByUserID(r.Context(), own.UserID(), own)
	if err != nil {
		commitFailed(w, r, err)
		return
	}
	answer(w, map[string]int{"ended": ended})
}
