module github.com/duckgen/duckgen/bench

go 1.26.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/duckgen/duckgen v0.0.0
	github.com/gorilla/sessions v1.4.0
)

require (
	github.com/gorilla/securecookie v1.1.2 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
)

replace github.com/duckgen/duckgen => ..
