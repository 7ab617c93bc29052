package goredis_test

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/duckgen/duckgen/runtime/redisstore"
	"github.com/duckgen/duckgen/runtime/redisstore/goredis"
)

func ExampleClient() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", ContextTimeoutEnabled: true})
	defer client.Close()
	store := redisstore.New(goredis.Client(client))
	defer store.Close()
	if err := store.Check(context.Background()); err != nil {
		fmt.Println(err)
	}
}
