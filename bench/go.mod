module github.com/duckgen/duckgen/bench

go 1.26.0

tool (
	github.com/jmattheis/goverter/cmd/goverter
	github.com/tinylib/msgp
	golang.org/x/tools/cmd/stringer
)

require (
	github.com/dave/jennifer v1.6.0 // indirect
	github.com/jmattheis/goverter v1.11.1 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)
