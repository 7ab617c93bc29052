package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/apptest"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func TestTheKiosk(t *testing.T) { apptest.Run(t, app.HTTP(routes)) }

// What htmx asks for is the row and the notice, with the cookie of a new session.
func TestHtmxGetsTheRowThatHasChanged(t *testing.T) {
	store := memstore.New()
	defer store.Close()
	k, err := app.New(store)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/cart/swan", nil)
	r.Header.Set("HX-Request", "true")
	w := httptest.NewRecorder()
	routes(k).ServeHTTP(w, r)
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.HasPrefix(body, "<li>") || strings.Contains(body, "<h1>") {
		t.Errorf("status %d, and the part is\n%s", w.Code, body)
	}
	for _, text := range []string{"<output>1</output>", `hx-swap-oob="innerHTML">One more swan.</p>`} {
		if !strings.Contains(body, text) {
			t.Errorf("the part has no %s\n%s", text, body)
		}
	}
	if len(w.Result().Cookies()) != 1 {
		t.Errorf("the new session comes with the header %v", w.Header())
	}
}
