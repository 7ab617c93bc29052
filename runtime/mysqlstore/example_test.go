package mysqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"

	_ "github.com/go-sql-driver/mysql"

	shop "github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
)

func ExampleOpen() {
	ctx := context.Background()
	store, err := mysqlstore.Open(ctx, "shop:password@tcp(127.0.0.1:3306)/shop")
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

// A program that has a pool already hands it over. Several statements go to the server
// at a time.
func ExampleNew() {
	ctx := context.Background()
	db, err := sql.Open("mysql", "shop:password@tcp(127.0.0.1:3306)/shop?multiStatements=true&interpolateParams=true&clientFoundRows=true")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	store, err := mysqlstore.New(ctx, db)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
}
