package redisstore

import (
	"crypto/sha1"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/runtime"
)

//go:embed functions
var sources embed.FS

// An operation is what the server does as one step. It is a function of the library
// and a script of its own, of the same text.
type operation struct {
	function string // its name on the server
	callback string // what functions/*.lua call it
	does     effect
	script   string
	sum      string // by which the server knows the script
}

// The parts that others build on, each after those that it uses.
var (
	judging  = []string{"clock", "stored", "record"}
	indexing = []string{"clock", "stored", "record", "index"}
	settling = []string{"clock", "stored", "texts", "record"}
	shortWay = []string{"clock", "stored", "texts", "plain"}
	applying = []string{"record", "entries", "delta", "index"} // after the short way
)

// What an operation does decides whether it works where memory is full.
type effect int

const (
	grows   effect = iota // refused there
	ends                  // works there, though it writes
	removes               // does nothing else
	looks                 // writes nothing
)

// flags are those of functions.
var flags = [...]string{ends: "allow-oom", removes: "allow-oom", looks: "no-writes"}

var (
	loadOperation     = newOperation("load", ends, "load", judging)
	createOperation   = newOperation("create", grows, "create", indexing)
	updateOperation   = newUpdate()
	deleteOperation   = newOperation("delete", ends, "delete", judging)
	registerOperation = newOperation("register", grows, "register", indexing)
	barOperation      = newOperation("bar", ends, "bar", indexing)
	settleOperation   = newOperation("settle", ends, "settle", settling)
	barredOperation   = newOperation("barred", looks, "barred", indexing)
	undoOperation     = newOperation("undo", removes, "barred", indexing)
	finishOperation   = newOperation("finish", ends, "finish", judging)
	beginTrim         = newOperation("beginTrim", grows, "trim", judging)
	endTrim           = newOperation("endTrim", removes, "trim", judging)
)

// operations are all of them, and parts those of the library in their order.
var (
	operations = []*operation{
		loadOperation, createOperation, updateOperation, deleteOperation, registerOperation, barOperation,
		settleOperation, barredOperation, undoOperation, finishOperation, beginTrim, endTrim,
	}
	parts = slices.Concat(shortWay, applying, []string{
		"load", "create", "update", "delete", "register", "bar", "settle", "barred", "finish", "trim"})
	functions = newLibrary()
)

// head is how scripts begin: later versions of Lua have unpack elsewhere.
const head = "local unpack = table.unpack or unpack\n"

// touch is the first write of a script that is to work where memory is full: the
// server lets one go on that has removed something, here a field that no hash has. It
// also finds out at once whether the server takes writes.
const touch = "redis.call('HDEL', KEYS[1], '.none')\n"

// newOperation makes the script. It consists of what the operation uses alone,
// because the server makes all its functions anew in each call.
func newOperation(callback string, does effect, part string, uses []string) *operation {
	script := head + constants() + textOfParts(uses) + textOfParts([]string{part})
	if does == ends {
		script += touch
	}
	return withScript(callback, does, script+"return "+callback+"(KEYS, ARGV)\n")
}

// newUpdate makes a script that makes most functions only if the short way, that of most
// commits, does not lead to the end.
func newUpdate() *operation {
	return withScript("update", grows, head+constants()+textOfParts(shortWay)+
		"local applied = updatePlain(KEYS, ARGV)\nif applied then\n  return applied\nend\n"+
		textOfParts(applying)+textOfParts([]string{"update"})+"return updateFully(KEYS, ARGV)\n")
}

func withScript(callback string, does effect, script string) *operation {
	sum := sha1.Sum([]byte(script))
	return &operation{callback: callback, does: does, script: script, sum: hex.EncodeToString(sum[:])}
}

// constants returns what both programs and operations know.
func constants() string {
	return fmt.Sprintf("local MARK_LIFE, REVOCATION_LIFE, MAX_EARLIER = %d, %d, %d\n",
		runtime.MarkLife.Microseconds(), runtime.RevocationLife.Microseconds(), runtime.MaxEarlier) +
		fmt.Sprintf("local MARGIN, INDEX_LIFE, WITHDRAWN_LIFE = %d, %d, %d\n",
			sweepMargin.Milliseconds(), indexLife.Milliseconds(), withdrawnLife.Milliseconds()) +
		fmt.Sprintf("local CROWD, TIDY_EVERY, LONG_LIFE = %d, %d, %d\n", crowd, tidyEvery, longLife.Microseconds()) +
		fmt.Sprintf("local LEEWAY = %d\n", leeway.Microseconds())
}

// textOfParts returns the parts in their order.
func textOfParts(parts []string) string {
	var text strings.Builder
	for _, part := range parts {
		source, err := sources.ReadFile("functions/" + part + ".lua")
		if err != nil {
			panic(err) // the name stands in this file
		}
		text.Write(source)
	}
	return text.String()
}

// A library is the set of all functions. Its name tells its text, so that programs
// of different versions can work side by side. The server makes it once.
type library struct{ name, text string }

// newLibrary registers all operations and gives them their names.
func newLibrary() library {
	var text strings.Builder
	text.WriteString(constants() + textOfParts(parts))
	for _, o := range operations {
		flag := flags[o.does]
		if flag != "" {
			flag = "'" + flag + "'"
		}
		fmt.Fprintf(&text, "redis.register_function{ function_name = PREFIX .. '_%s', callback = %s, flags = { %s } }\n",
			o.callback, o.callback, flag)
	}
	sum := sha256.Sum256([]byte(text.String()))
	name := "duckgen_" + hex.EncodeToString(sum[:6])
	for _, o := range operations {
		o.function = name + "_" + o.callback
	}
	return library{name: name, text: "local PREFIX = '" + name + "'\n" + text.String()}
}

// source returns what FUNCTION LOAD is given. A client for a Cluster sends a
// command by the key in it: the text is given as one, and belongs to the slot of
// the tag that it has in a comment.
func (l library) source(tag string) string {
	return "#!lua name=" + l.name + "\n-- " + tag + "\n" + l.text
}
