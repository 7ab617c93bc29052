package redisstore

import (
	"context"
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
)

//go:embed scripts
var scripts embed.FS

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

// A script runs on the server as one step. It is known there by its hash.
type script struct{ text, sha string }

// newScript puts a script together from its parts.
func newScript(parts ...string) *script {
	var text strings.Builder
	fmt.Fprintf(&text, "local MARK_LIFE, MAX_EARLIER = %d, %d\n", runtime.MarkLife.Microseconds(), runtime.MaxEarlier)
	fmt.Fprintf(&text, "local MARGIN, INDEX_LIFE, WITHDRAWN_LIFE = %d, %d, %d\n",
		sweepMargin.Milliseconds(), indexLife.Milliseconds(), withdrawnLife.Milliseconds())
	fmt.Fprintf(&text, "local CROWD, TIDY_EVERY, LONG_LIFE = %d, %d, %d\n", crowd, tidyEvery, longLife.Microseconds())
	for _, part := range parts {
		source, err := scripts.ReadFile("scripts/" + part + ".lua")
		if err != nil {
			panic(err) // the name stands in this file
		}
		text.Write(source)
	}
	sum := sha1.Sum([]byte(text.String()))
	return &script{text: text.String(), sha: hex.EncodeToString(sum[:])}
}

var (
	loadScript     = newScript("record", "load")
	createScript   = newScript("record", "index", "create")
	updateScript   = newScript("record", "index", "entries", "delta", "update")
	deleteScript   = newScript("record", "delete")
	registerScript = newScript("record", "index", "register")
	barScript      = newScript("record", "bar")
	settleScript   = newScript("record", "index", "settle")
)

// A call is one execution of a script.
type call struct{ keys, args []string }

// run executes a script. Where the server does not know it, after a restart, a
// failover or SCRIPT FLUSH, it has done nothing, and gets the whole text.
func (s *Store) run(ctx context.Context, sc *script, c call) (reply, error) {
	return s.answer(ctx, sc, c, s.client.Do(ctx, s.byHash(sc, c)))
}

// runAll executes a script several times, in one round trip for each shard.
func (s *Store) runAll(ctx context.Context, sc *script, calls []call) ([]reply, error) {
	commands := make(rueidis.Commands, len(calls))
	for i, c := range calls {
		commands[i] = s.byHash(sc, c)
	}
	replies := make([]reply, len(calls))
	var errs []error
	for i, result := range s.client.DoMulti(ctx, commands...) {
		var err error
		replies[i], err = s.answer(ctx, sc, calls[i], result)
		errs = append(errs, err)
	}
	return replies, errors.Join(errs...)
}

func (s *Store) byHash(sc *script, c call) rueidis.Completed {
	return s.client.B().Evalsha().Sha1(sc.sha).Numkeys(int64(len(c.keys))).Key(c.keys...).Arg(c.args...).Build()
}

func (s *Store) answer(ctx context.Context, sc *script, c call, result rueidis.RedisResult) (reply, error) {
	if refused, ok := rueidis.IsRedisErr(result.Error()); ok && refused.IsNoScript() {
		result = s.client.Do(ctx, s.client.B().Eval().Script(sc.text).
			Numkeys(int64(len(c.keys))).Key(c.keys...).Arg(c.args...).Build())
	}
	values, err := result.ToArray()
	if err != nil {
		return nil, s.wrap(err)
	}
	return reply(values), nil
}

// A reply is what a script answers: a verdict, and what belongs to it.
type reply []rueidis.RedisMessage

// The verdicts, as scripts/record.lua has them.
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

func (r reply) verdict() int64 { return r.number(0) }

// number returns a part that is a number, and -1 for anything else.
func (r reply) number(i int) int64 {
	if i >= len(r) {
		return -1
	}
	n, err := r[i].AsInt64()
	if err != nil {
		return -1
	}
	return n
}

func (r reply) text(i int) string {
	if i >= len(r) {
		return ""
	}
	text, _ := r[i].ToString()
	return text
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
