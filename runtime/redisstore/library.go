package redisstore

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/duckgen/duckgen/runtime"
)

//go:embed functions
var sources embed.FS

// The parts of the library in their order: each uses those before it.
var parts = []string{
	"clock", "record", "entries", "delta", "index",
	"load", "create", "update", "delete", "register", "bar", "settle", "barred", "finish", "trim",
}

// A library is a set of functions on the server. Each runs as one step. Its name
// tells its text, so that programs of different versions can work side by side.
//
// The server makes a library once. A script would make all its functions anew in
// each call, which takes longer than what they do.
type library struct{ name, text string }

var functions = newLibrary()

func newLibrary() library {
	var body strings.Builder
	fmt.Fprintf(&body, "local MARK_LIFE, REVOCATION_LIFE, MAX_EARLIER = %d, %d, %d\n",
		runtime.MarkLife.Microseconds(), runtime.RevocationLife.Microseconds(), runtime.MaxEarlier)
	fmt.Fprintf(&body, "local MARGIN, INDEX_LIFE, WITHDRAWN_LIFE = %d, %d, %d\n",
		sweepMargin.Milliseconds(), indexLife.Milliseconds(), withdrawnLife.Milliseconds())
	fmt.Fprintf(&body, "local CROWD, TIDY_EVERY, LONG_LIFE = %d, %d, %d\n", crowd, tidyEvery, longLife.Microseconds())
	fmt.Fprintf(&body, "local LEEWAY = %d\n", leeway.Microseconds())
	for _, part := range parts {
		source, err := sources.ReadFile("functions/" + part + ".lua")
		if err != nil {
			panic(err) // the name stands in this file
		}
		body.Write(source)
	}
	sum := sha256.Sum256([]byte(body.String()))
	name := "duckgen_" + hex.EncodeToString(sum[:6])
	return library{name: name, text: "local LIBRARY = '" + name + "'\n" + body.String()}
}

// source returns what FUNCTION LOAD is given. A client for a Cluster sends a
// command by the key in it: the text is given as one, and belongs to the slot of
// the tag that it has in a comment.
func (l library) source(tag string) string {
	return "#!lua name=" + l.name + "\n-- " + tag + "\n" + l.text
}

// A function is the name of one function of the library.
type function string

var (
	loadFunction     = functions.function("load")
	createFunction   = functions.function("create")
	updateFunction   = functions.function("update")
	deleteFunction   = functions.function("delete")
	registerFunction = functions.function("register")
	barFunction      = functions.function("bar")
	settleFunction   = functions.function("settle")
	barredFunction   = functions.function("barred")
	undoFunction     = functions.function("undo")
	finishFunction   = functions.function("finish")
	beginTrim        = functions.function("begin_trim")
	endTrim          = functions.function("end_trim")
)

func (l library) function(name string) function { return function(l.name + "_" + name) }
