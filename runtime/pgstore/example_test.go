package pgstore_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"

	shop "github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

func ExampleOpen() {
	ctx := context.Background()
	store, err := pgstore.Open(ctx, "postgres://shop:password@127.0.0.1:5432/shop")
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

// A program that has a pool already hands it over.
func ExampleNew() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://shop:password@127.0.0.1:5432/shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	store, err := pgstore.New(ctx, pool)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
}
