// Package lively is a live connection of a page over a WebSocket: the wire
// protocol, the [Endpoint] that a program mounts, and the script that a browser
// runs. Every event of the page meets the visitor's session as it is stored now,
// and what the event changes is stored before the next one runs.
//
//	live := lively.New(sessions, session.VisitorFrom)
//	live.Handle("cart.add", func(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
//		s.AddCartItem(e.Field("sku"), 1)
//		return c.Patch(ctx, lively.Text("pieces", strconv.Itoa(s.CartLen())))
//	})
//	mux.Handle("GET /lively", live)
//	mux.Handle("GET /lively/client.js", lively.Client())
//	mux.Handle("POST /lively/sync", sessions.SyncHandler())
//	http.ListenAndServe(addr, sessions.Middleware(mux))
//
// A frame is a binary WebSocket message with one MessagePack array, of which the
// first element is the opcode. docs/lively.md describes all of them.
package lively
