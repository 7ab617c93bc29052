// Package servertest starts the servers that tests need: each on a free loopback
// port, with its data in a temporary folder.
package servertest

import (
	"errors"
	"os"
	"testing"
)

// ErrNoProgram says that the program of a server is not installed.
var ErrNoProgram = errors.New("not installed")

// ErrShort says that no server is started with -short.
var ErrShort = errors.New("not with -short: it needs a server")

// Check ends the test if err says that its server did not start. With -short it
// is skipped, and without the program too, but not under CI=true: there everything
// is to be tested.
func Check(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrShort):
		t.Skip(err)
	case errors.Is(err, ErrNoProgram) && os.Getenv("CI") != "true":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}
