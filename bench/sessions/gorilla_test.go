package sessions

import (
	"encoding/gob"
	"net/http"
	"time"

	"github.com/gorilla/sessions"
)

func newGorilla(name string, store sessions.Store) app {
	gob.Register(time.Time{})
	gob.Register(map[string]int{})
	gob.Register([]string{})
	values := pairs()
	get := func(r *http.Request) *sessions.Session {
		s, _ := store.Get(r, "visitor") // a new one where the cookie's is gone
		return s
	}
	save := func(w http.ResponseWriter, r *http.Request, s *sessions.Session) {
		if err := s.Save(r, w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
	return app{
		name:    name,
		handler: func(h http.HandlerFunc) http.Handler { return h },
		fill: func(w http.ResponseWriter, r *http.Request) {
			s := get(r)
			for key, value := range values {
				s.Values[key] = value
			}
			save(w, r, s)
		},
		read: func(r *http.Request, field string) string {
			value, _ := get(r).Values[field].(string)
			return value
		},
		readAll: func(r *http.Request) {
			s := get(r)
			for key := range values {
				_ = s.Values[key]
			}
		},
		write: func(w http.ResponseWriter, r *http.Request, field, value string) {
			s := get(r)
			s.Values[field] = value
			save(w, r, s)
		},
		destroy: func(w http.ResponseWriter, r *http.Request) {
			s := get(r)
			s.Options.MaxAge = -1
			save(w, r, s)
		},
	}
}
