module github.com/duckgen/duckgen/examples/routers/chi

go 1.26.0

require (
	github.com/a-h/templ v0.3.1118
	github.com/duckgen/duckgen v0.0.0
	github.com/go-chi/chi/v5 v5.5.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
)

replace github.com/duckgen/duckgen => ../../..
