package redisstore_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/rueidis"

	shop "github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

func ExampleOpen() {
	store, err := redisstore.Open(context.Background(), "redis://:password@127.0.0.1:6379/0", redisstore.WithPrefix("shop:"))
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

// With a cache, what this process has loaded is read again without a round trip
// until somebody changes it.
func ExampleWithCache() {
	store, err := redisstore.Open(context.Background(), "redis://127.0.0.1:6379", redisstore.WithCache(time.Minute, 64<<20))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
}

// A program that has a client already hands it over.
func ExampleNew() {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{"10.0.0.1:26379", "10.0.0.2:26379"},
		Sentinel:    rueidis.SentinelOption{MasterSet: "sessions"},

		DisableRetry: true, // an unreachable server is an outage at once
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	store := redisstore.New(redisstore.Rueidis(client))
	defer store.Close()
}
