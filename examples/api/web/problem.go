package web

import (
	"encoding/json"
	"net/http"

	"github.com/duckgen/duckgen/runtime"
)

// A problem is the body of every answer that is not a success (RFC 9457).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem{http.StatusText(status), status, detail}) // the client has hung up
}

// commitFailed answers for a session that could not be loaded or stored. What is
// wrong with a store is the operator's to know: OnError has it.
func commitFailed(w http.ResponseWriter, _ *http.Request, err error) {
	status := runtime.StatusOf(err)
	details := map[int]string{
		http.StatusConflict:              "the session has ended or moved on: sign in again",
		http.StatusRequestEntityTooLarge: "the session would hold too much",
		http.StatusServiceUnavailable:    "nothing was changed, try again",
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	refuse(w, status, details[status])
}

// signInFirst answers what wants a sign-in, or a more recent one: the header says
// which.
func signInFirst(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusUnauthorized, "sign in at POST /session")
}
