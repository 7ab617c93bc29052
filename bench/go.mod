module github.com/duckgen/duckgen/bench

go 1.26.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/duckgen/duckgen v0.0.0
	github.com/gorilla/sessions v1.4.0
)

require (
	github.com/dave/jennifer v1.7.1 // indirect
	github.com/gorilla/securecookie v1.1.2 // indirect
	github.com/jmattheis/goverter v1.11.1 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)

replace github.com/duckgen/duckgen => ..

tool (
	github.com/duckgen/duckgen/cmd/duckgen
	github.com/jmattheis/goverter/cmd/goverter
	github.com/tinylib/msgp
	golang.org/x/tools/cmd/stringer
)
