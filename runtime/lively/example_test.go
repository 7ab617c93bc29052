package lively_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A page with <script type="module" src="/lively/client.js"></script> connects by
// itself. Its buttons name their events: <button data-live-click="cart.add">.
func ExampleNew() {
	sessions, err := session.NewVisitorSessions(memstore.New())
	if err != nil {
		fmt.Println(err)
		return
	}
	live := lively.New(sessions, session.VisitorFrom)
	live.Handle("cart.add", func(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
		s.AddCartItem(e.Field("sku"), 1)
		return c.Patch(ctx, lively.Text("pieces", strconv.Itoa(s.CartLen())))
	})
	mux := http.NewServeMux()
	mux.Handle("GET /lively", live)
	mux.Handle("GET /lively/client.js", lively.Client())
	mux.Handle("POST /lively/sync", sessions.SyncHandler())
	http.Handle("/", sessions.Middleware(mux))
}
