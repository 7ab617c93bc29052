package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A form is how a server is given the operations: as functions, or as scripts where it
// has no functions or the user may not call them. The first call finds out.
type form int32

const (
	untried form = iota // functions are tried first
	asFunctions
	asScripts
)

var errNoForm = errors.New("neither functions nor scripts can be used")

// command returns what calls an operation.
func (f form) command(o *operation, c call) Command {
	name, what := "FCALL", o.function
	if f == asScripts {
		name, what = "EVALSHA", o.sum
	}
	return Command{Name: []string{name, what, strconv.Itoa(len(c.keys))}, Keys: c.keys, Args: c.args}
}

// isUnknown reports whether the server does not know the operation, because it is new,
// empty after a restart or was told to forget. It has done nothing then.
func (f form) isUnknown(err error) bool {
	if f == asScripts {
		return hasCode(err, "NOSCRIPT")
	}
	var refused ServerError
	return errors.As(err, &refused) && strings.HasSuffix(string(refused), "Function not found")
}

// do calls an operation.
func (s *Store) do(ctx context.Context, f form, o *operation, c call) (Value, error) {
	value, err := s.client.Do(ctx, f.command(o, c))
	return s.taught(ctx, f, o, c, value, err)
}

// taught teaches a server that has answered that it does not know the operation, and
// calls it again.
func (s *Store) taught(ctx context.Context, f form, o *operation, c call, value Value, err error) (Value, error) {
	if !f.isUnknown(err) {
		return value, err
	}
	if f == asScripts {
		return s.client.Do(ctx, Command{
			Name: []string{"EVAL", o.script, strconv.Itoa(len(c.keys))}, Keys: c.keys, Args: c.args,
		})
	}
	if err := s.loadLibrary(ctx, c.keys[0]); err != nil {
		return Value{}, err
	}
	return s.client.Do(ctx, f.command(o, c))
}

// loadLibrary gives the library to the server that has the key. Another program may do
// so at the same moment.
func (s *Store) loadLibrary(ctx context.Context, key string) error {
	_, err := s.client.Do(ctx, Command{Name: []string{"FUNCTION", "LOAD"}, Keys: []string{functions.source(tagOf(key))}})
	var refused ServerError
	if errors.As(err, &refused) && strings.Contains(string(refused), "already exists") {
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

// settleForm keeps the form that has worked, or tries the other one before any has.
// Later a missing right is a refusal like others.
func (s *Store) settleForm(ctx context.Context, o *operation, c call, value Value, err error) (Value, error) {
	if err == nil {
		s.form.CompareAndSwap(int32(untried), int32(asFunctions))
		return value, nil
	}
	if !isLacking(err) {
		return value, err
	}
	functionless := err
	if value, err = s.do(ctx, asScripts, o, c); isLacking(err) {
		return value, fmt.Errorf("%w: %v; %w", errNoForm, functionless, err)
	}
	if err == nil {
		s.form.CompareAndSwap(int32(untried), int32(asScripts))
	}
	return value, err
}

// isLacking reports whether a server has answered that it does not have a command, or
// not for this user: whatever it says without a code, but for what an operation that
// runs has met.
func isLacking(err error) bool {
	var refused ServerError
	isRunning := func(mark string) bool { return strings.Contains(string(refused), mark) }
	if !errors.As(err, &refused) || slices.ContainsFunc([]string{"@user_function", "@user_script", "in script"}, isRunning) {
		return false
	}
	code := codeOf(refused)
	return code == "ERR" || code == "NOPERM"
}
