package web

import (
	"bytes"
	"net/http"

	"github.com/duckgen/duckgen/runtime"
)

// failed answers a request whose session cannot be read or stored. It is the
// sessions' ErrorHandler, too.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	status := runtime.StatusOf(err)
	text := "The shop cannot reach its sessions at the moment. Nothing was changed. Please try again."
	switch status {
	case http.StatusConflict:
		text = "Your session has ended meanwhile, here or on another device. Nothing was changed."
	case http.StatusRequestEntityTooLarge:
		text = "Your session cannot hold that much. Nothing was changed."
	default:
		w.Header().Set("Retry-After", "1")
	}
	var body bytes.Buffer
	if err := failurePage.Execute(&body, page{Title: "That did not work", Path: r.URL.Path, Theme: "light", Data: text}); err != nil {
		http.Error(w, text, status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the visitor is gone
}

// signInFirst sends a visitor who has to be signed in to where that is done.
func signInFirst(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, signInPath, http.StatusSeeOther)
}
