package retain

import (
	"net/http"
	"testing"

	"github.com/duckgen/duckgen/examples/shop/session"
)

func TestOnPurpose(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		s := session.VisitorFrom(r.Context())
		current = s
		go func() { t.Log(s.Theme()) }()
		s.Destroy()
		t.Log(s.Theme())
		_ = s.Save(r.Context())
	}
	handler(nil, nil)
}
