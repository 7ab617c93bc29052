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

func TestTheKiosk(t *testing.T) { apptest.Run(t, app.HTTP(routes), apptest.JSONEvents()) }

func TestAnErrorIsAProblem(t *testing.T) {
	store := memstore.New()
	defer store.Close()
	k, err := app.New(store)
	if err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{"/fail": 500, "/cart/unicorn": 404, "/panic": 500, "/missing": 404} {
		w := httptest.NewRecorder()
		routes(k).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if kind := w.Header().Get("Content-Type"); w.Code != status || kind != "application/problem+json" ||
			!strings.Contains(w.Body.String(), `"detail":`) || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d, header %v, %s", path, w.Code, w.Header(), w.Body)
		}
	}
}
