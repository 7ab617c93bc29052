// Command connect is the kiosk as a service of Connect, which answers the protocols of
// Connect, gRPC and gRPC-Web.
//
// A service is a handler of net/http, so the middleware of the sessions stands around
// it, and the context of a call has the session:
//
//	mux.Handle(path, sessions.Middleware(service))
//
// The status of HTTP is 200 for most calls that fail: the error comes in the stream or a
// trailer. So the interceptor of package connectsession discards what a failed call has
// changed. With connect.WithRecover after it, a call that panics is one of those. The
// answer to a session that cannot be stored has status 503, which clients take for
// UNAVAILABLE.
//
//	go run .
package main

// This needs protoc, the package protobuf-compiler of Debian; its plugins are tools of
// this module.
//
//go:generate sh -c "protoc --plugin=$(go tool -n protoc-gen-go) --plugin=$(go tool -n protoc-gen-connect-go) --go_out=paths=source_relative:. --connect-go_out=paths=source_relative,simple:. kiosk/v1/kiosk.proto"

import "github.com/duckgen/duckgen/examples/routers/app"

func main() { app.Main(app.HTTP(routes)) }
