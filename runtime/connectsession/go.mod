module github.com/duckgen/duckgen/runtime/connectsession

go 1.26.0

require (
	connectrpc.com/connect v1.21.1
	github.com/duckgen/duckgen v0.0.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
)

replace github.com/duckgen/duckgen => ../..
