package sessions

import (
	"encoding/gob"
	"encoding/json"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

func newSCS(name string, codec scs.Codec) app {
	gob.Register(time.Time{})
	gob.Register(map[string]int{})
	gob.Register([]string{})
	sessions := scs.New()
	if codec != nil {
		sessions.Codec = codec
	}
	values := pairs()
	return app{
		name:    name,
		handler: func(h http.HandlerFunc) http.Handler { return sessions.LoadAndSave(h) },
		fill: func(_ http.ResponseWriter, r *http.Request) {
			for key, value := range values {
				sessions.Put(r.Context(), key, value)
			}
		},
		read: func(r *http.Request, field string) string { return sessions.GetString(r.Context(), field) },
		readAll: func(r *http.Request) {
			for key := range values {
				sessions.Get(r.Context(), key)
			}
		},
		write: func(_ http.ResponseWriter, r *http.Request, field, value string) {
			sessions.Put(r.Context(), field, value)
		},
		destroy: func(w http.ResponseWriter, r *http.Request) {
			if err := sessions.Destroy(r.Context()); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		},
	}
}

// jsonCodec is the alternative to gob that scs's documentation describes.
type jsonCodec struct{}

type jsonSession struct {
	Deadline time.Time
	Values   map[string]any
}

func (jsonCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(jsonSession{deadline, values})
}

func (jsonCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var s jsonSession
	err := json.Unmarshal(b, &s)
	return s.Deadline, s.Values, err
}
