package memstore_test

import (
	"fmt"
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// The sessions of one process, which end with it.
func Example() {
	store := memstore.New()
	defer store.Close()
	sessions, err := session.NewVisitorSessions(store)
	if err != nil {
		fmt.Println(err)
		return
	}
	http.Handle("/", sessions.Middleware(http.NotFoundHandler()))
}
