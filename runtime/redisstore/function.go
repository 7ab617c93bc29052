package redisstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
)

//go:embed functions
var sources embed.FS

const (
	// indexLife is how long the index of a value outlives the last sign-in with
	// it, twice the longest life that a session can be given.
	indexLife = 800 * 24 * time.Hour

	// longLife is how old a session may become before a new deadline prolongs
	// the indexes of its values, too. No deadline is more than half of indexLife
	// ahead, so an index stays even where one such step fails.
	longLife = indexLife / 2

	// withdrawnLife is how long a withdrawn registration is remembered: longer
	// than any commit can be on its way.
	withdrawnLife = 10 * time.Minute

	// From crowd members on, every tidyEvery-th registration of a value looks
	// at pageSize of them.
	crowd     = 64
	tidyEvery = 16
)

// The parts of the library in their order: each uses those before it.
var parts = []string{
	"record", "entries", "delta", "index",
	"load", "create", "update", "delete", "register", "bar", "settle",
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
	fmt.Fprintf(&body, "local MARK_LIFE, MAX_EARLIER = %d, %d\n", runtime.MarkLife.Microseconds(), runtime.MaxEarlier)
	fmt.Fprintf(&body, "local MARGIN, INDEX_LIFE, WITHDRAWN_LIFE = %d, %d, %d\n",
		sweepMargin.Milliseconds(), indexLife.Milliseconds(), withdrawnLife.Milliseconds())
	fmt.Fprintf(&body, "local CROWD, TIDY_EVERY, LONG_LIFE = %d, %d, %d\n", crowd, tidyEvery, longLife.Microseconds())
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
)

func (l library) function(name string) function { return function(l.name + "_" + name) }

// A call is one execution of a function.
type call struct{ keys, args []string }

// run executes a function. Where the server does not know it, because it is new,
// empty after a restart or was told FUNCTION FLUSH, it has done nothing, and is
// given the library.
func (s *Store) run(ctx context.Context, f function, c call) (reply, error) {
	return s.answer(ctx, f, c, s.client.Do(ctx, s.command(f, c)))
}

// runAll executes a function several times, in one round trip for each shard.
func (s *Store) runAll(ctx context.Context, f function, calls []call) ([]reply, error) {
	commands := make(rueidis.Commands, len(calls))
	for i, c := range calls {
		commands[i] = s.command(f, c)
	}
	replies := make([]reply, len(calls))
	var errs []error
	for i, result := range s.client.DoMulti(ctx, commands...) {
		var err error
		replies[i], err = s.answer(ctx, f, calls[i], result)
		errs = append(errs, err)
	}
	return replies, errors.Join(errs...)
}

func (s *Store) command(f function, c call) rueidis.Completed {
	return s.client.B().Fcall().Function(string(f)).Numkeys(int64(len(c.keys))).Key(c.keys...).Arg(c.args...).Build()
}

// answer reads the reply. It teaches a server that does not know the function.
func (s *Store) answer(ctx context.Context, f function, c call, result rueidis.RedisResult) (reply, error) {
	if isUnknownFunction(result.Error()) {
		if err := s.teach(ctx, c.keys[0]); err != nil {
			return reply{}, err
		}
		result = s.client.Do(ctx, s.command(f, c))
	}
	message, err := result.ToMessage()
	if err != nil {
		return reply{}, s.wrap(fmt.Errorf("%s: %w", c.keys[0], err))
	}
	if message.IsString() {
		applied, err := message.ToString()
		return reply{applied: applied}, err
	}
	parts, err := message.ToArray()
	return reply{parts: parts}, s.wrap(err)
}

func isUnknownFunction(err error) bool {
	refused, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasSuffix(refused.Error(), "Function not found")
}

// teach gives the library to the server that has the key. Another program may do
// so at the same moment.
func (s *Store) teach(ctx context.Context, key string) error {
	load := s.client.B().Arbitrary("FUNCTION", "LOAD").Keys(functions.source(tagOf(key))).Build()
	err := s.client.Do(ctx, load).Error()
	if refused, ok := rueidis.IsRedisErr(err); ok && strings.Contains(refused.Error(), "already exists") {
		return nil
	}
	return s.wrap(err)
}

// tagOf returns the part of a key that decides its slot, in its braces.
func tagOf(key string) string {
	_, after, _ := strings.Cut(key, "{")
	tag, _, _ := strings.Cut(after, "}")
	return "{" + tag + "}"
}

// A reply is what a function answers.
type reply struct {
	applied string                 // by an update that has nothing more to say
	parts   []rueidis.RedisMessage // a verdict, and what belongs to it
}

// The verdicts, as functions/record.lua has them.
const (
	verdictOK = iota
	verdictNotFound
	verdictExists
	verdictConflict
	verdictTooLarge
	verdictOverflow
	verdictSuperseded
	verdictReused
	verdictEnded
	verdictWithdrawn
	verdictOtherKind
	verdictDamaged
)

var (
	errDamaged = errors.New("the stored record is damaged or of a newer version, and is left as it is")
	errReply   = errors.New("the server's answer cannot be read")
)

func (r reply) verdict() int64 {
	if r.applied != "" {
		return verdictOK
	}
	return r.number(0)
}

// number returns a part that is a number, and -1 for anything else.
func (r reply) number(i int) int64 {
	if i >= len(r.parts) {
		return -1
	}
	n, err := r.parts[i].AsInt64()
	if err != nil {
		return -1
	}
	return n
}

// texts returns a part that is a list, and nil for anything else.
func (r reply) texts(i int) []string {
	if i >= len(r.parts) {
		return nil
	}
	texts, _ := r.parts[i].AsStrSlice()
	return texts
}

func (r reply) text(i int) string {
	if i >= len(r.parts) {
		return ""
	}
	text, _ := r.parts[i].ToString()
	return text
}

// What an update says came of it, as functions/update.lua has it.
const (
	outcomeCrowded = 1 << iota
	outcomeWon
	outcomeCurrent
)

// outcome returns what came of an update.
func (r reply) outcome() byte {
	applied := cmp.Or(r.applied, r.text(1))
	if applied == "" {
		return 0
	}
	return applied[0]
}

// head returns the head of the record after an update, and "" where there is
// none.
func (r reply) head() string {
	applied := cmp.Or(r.applied, r.text(1))
	if len(applied) != 1+headSize {
		return ""
	}
	return applied[1:]
}

// err returns what the verdict says to the caller.
func (r reply) err(id runtime.ID) error {
	switch r.verdict() {
	case verdictOK:
		return nil
	case verdictNotFound:
		return runtime.ErrNotFound
	case verdictExists:
		return runtime.ErrExists
	case verdictConflict:
		return runtime.ErrConflict
	case verdictTooLarge:
		return &runtime.LimitError{Field: r.text(1), Limit: int(r.number(2)), Err: runtime.ErrTooLarge}
	case verdictOverflow:
		return &runtime.LimitError{Field: r.text(1), Err: runtime.ErrOverflow}
	case verdictSuperseded:
		return runtime.ErrSuperseded
	case verdictReused:
		return runtime.ErrReused
	case verdictEnded:
		return runtime.ErrEnded
	case verdictDamaged:
		return fmt.Errorf("session %s: %w", id, errDamaged)
	default:
		return fmt.Errorf("session %s: %w", id, errReply)
	}
}
