package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A call is one execution of an operation.
type call struct{ keys, args []string }

// run executes an operation.
func (s *Store) run(ctx context.Context, o *operation, c call) (reply, error) {
	began, f := time.Now(), form(s.form.Load())
	value, err := s.client.Do(ctx, f.command(o, c))
	return s.answer(ctx, f, o, c, began, Answer{value, err})
}

// runAll executes an operation several times, in one round trip for each shard. It
// returns an error, or nil, for each call.
func (s *Store) runAll(ctx context.Context, o *operation, calls []call) ([]reply, []error) {
	f, commands := form(s.form.Load()), make([]Command, len(calls))
	for i, c := range calls {
		commands[i] = f.command(o, c)
	}
	began := time.Now()
	replies, errs := make([]reply, len(calls)), make([]error, len(calls))
	for i, answer := range s.client.DoAll(ctx, commands) {
		replies[i], errs[i] = s.answer(ctx, f, o, calls[i], began, answer)
	}
	return replies, errs
}

// answer reads the answer to a call that began at a time in a form, once the server
// knows the operation.
func (s *Store) answer(ctx context.Context, f form, o *operation, c call, began time.Time, first Answer) (reply, error) {
	value, err := s.taught(ctx, f, o, c, first.Value, first.Err)
	if f == untried {
		value, err = s.settleForm(ctx, o, c, value, err)
	}
	if hasCode(err, "WRONGTYPE") { // a key holds what no store has put there
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	if err != nil {
		return reply{}, s.failed(c, began, err)
	}
	if value.List == nil {
		return reply{applied: value.Text}, nil
	}
	return reply{parts: value.List}, nil
}

// failed says which key a call was for. A server that takes no writes was the
// master when it was connected to: the connections to it are given up.
func (s *Store) failed(c call, began time.Time, err error) error {
	if hasCode(err, "READONLY") {
		s.connections.giveUp(began)
	}
	return s.wrap(fmt.Errorf("%s: %w", c.keys[0], refusal(err)))
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
	var refused ServerError
	return errors.As(err, &refused) && codeOf(refused) == code
}

// codeOf returns the code with which an answer begins, ERR for none. Redis 6 has that
// of a command in a script behind the line of the script.
func codeOf(e ServerError) string {
	text := strings.TrimPrefix(string(e), "ERR ")
	if mark := "@user_script:"; strings.HasPrefix(text, "Error running script") && strings.Contains(text, mark) {
		text = strings.TrimLeft(text[strings.LastIndex(text, mark)+len(mark):], " 0123456789:-")
	}
	code, _, _ := strings.Cut(text, " ")
	if code == "" || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "ERR"
	}
	return code
}
