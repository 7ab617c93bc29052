package sqlitestore_test

import (
	"context"
	"fmt"
	"net/http"

	shop "github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// The processes of one machine share the file.
func ExampleOpen() {
	store, err := sqlitestore.Open(context.Background(), "sessions.db")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	sessions, err := shop.NewVisitorSessions(store)
	if err != nil {
		fmt.Println(err)
		return
	}
	http.Handle("/", sessions.Middleware(http.NotFoundHandler()))
}
