package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
)

// A call is one execution of a function.
type call struct{ keys, args []string }

// run executes a function. Where the server does not know it, because it is new,
// empty after a restart or was told FUNCTION FLUSH, it has done nothing, and is
// given the library.
func (s *Store) run(ctx context.Context, f function, c call) (reply, error) {
	began := time.Now()
	return s.answer(ctx, f, c, began, s.client.Do(ctx, s.command(f, c)))
}

// runAll executes a function several times, in one round trip for each shard. It
// returns an error, or nil, for each call.
func (s *Store) runAll(ctx context.Context, f function, calls []call) ([]reply, []error) {
	commands := make(rueidis.Commands, len(calls))
	for i, c := range calls {
		commands[i] = s.command(f, c)
	}
	began := time.Now()
	replies, errs := make([]reply, len(calls)), make([]error, len(calls))
	for i, result := range s.client.DoMulti(ctx, commands...) {
		replies[i], errs[i] = s.answer(ctx, f, calls[i], began, result)
	}
	return replies, errs
}

func (s *Store) command(f function, c call) rueidis.Completed {
	return s.client.B().Fcall().Function(string(f)).Numkeys(int64(len(c.keys))).Key(c.keys...).Arg(c.args...).Build()
}

// answer reads the reply to a call that began at a time. It teaches a server that
// does not know the function.
func (s *Store) answer(
	ctx context.Context, f function, c call, began time.Time, result rueidis.RedisResult,
) (reply, error) {
	if isUnknownFunction(result.Error()) {
		if err := s.teach(ctx, c.keys[0]); err != nil {
			return reply{}, s.failed(c, began, err)
		}
		result = s.client.Do(ctx, s.command(f, c))
	}
	message, err := result.ToMessage()
	if hasCode(err, "WRONGTYPE") { // a key holds what no store has put there
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	if err != nil {
		return reply{}, s.failed(c, began, err)
	}
	if message.IsString() {
		applied, err := message.ToString()
		return reply{applied: applied}, err
	}
	parts, err := message.ToArray()
	return reply{parts: parts}, s.wrap(err)
}

// failed says which key a call was for. A server that takes no writes was the
// master when it was connected to: the connections to it are given up.
func (s *Store) failed(c call, began time.Time, err error) error {
	if hasCode(err, "READONLY") {
		s.connections.giveUp(began)
	}
	return s.wrap(fmt.Errorf("%s: %w", c.keys[0], refusal(err)))
}

func isUnknownFunction(err error) bool {
	refused, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasSuffix(refused.Error(), "Function not found")
}

// refusals are the codes of answers by which a server says that it has not done
// what it was told.
var refusals = []string{
	"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOPERM", "NOREPLICAS", "OOM", "READONLY",
}

// refusal says of an error that it is one. A function that runs may have written
// something before it lacks a right.
func refusal(err error) error {
	stated := func(code string) bool { return hasCode(err, code) }
	if slices.ContainsFunc(refusals, stated) && !strings.Contains(err.Error(), "in script") {
		return fmt.Errorf("%w: %w", runtime.ErrRefused, err)
	}
	return err
}

// hasCode reports whether an error is an answer of the server with the code.
func hasCode(err error, code string) bool {
	var refused *rueidis.RedisError
	return errors.As(err, &refused) && strings.HasPrefix(refused.Error(), code+" ")
}

// teach gives the library to the server that has the key. Another program may do
// so at the same moment.
func (s *Store) teach(ctx context.Context, key string) error {
	load := s.client.B().Arbitrary("FUNCTION", "LOAD").Keys(functions.source(tagOf(key))).Build()
	err := s.client.Do(ctx, load).Error()
	if refused, ok := rueidis.IsRedisErr(err); ok && strings.Contains(refused.Error(), "already exists") {
		return nil
	}
	return err
}

// tagOf returns the part of a key that decides its slot, in its braces.
func tagOf(key string) string {
	_, after, _ := strings.Cut(key, "{")
	tag, _, _ := strings.Cut(after, "}")
	return "{" + tag + "}"
}
