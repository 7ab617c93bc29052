package redisstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// Check looks whether the server can serve: whether it takes writes and has
// functions, and whether the user may do what every operation does. What comes and
// goes, such as full memory, is no error. Open calls it; a program that has made its
// client itself may, before it makes its sessions.
func (s *Store) Check(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.wrap(s.check(ctx))
}

// check looks for a session that does not exist, by a function that would write.
func (s *Store) check(ctx context.Context) error {
	_, err := s.run(ctx, loadFunction, call{[]string{s.sessionKey(runtime.ID{})}, []string{keyArg(runtime.Key{}, offset{})}})
	if reason := hindrance(err); reason != nil {
		return reason
	}
	if _, err = s.offset(ctx, time.Now()); hindrance(err) != nil {
		return hindrance(err)
	}
	warnings := s.evictions(ctx)
	s.warnings.Store(&warnings)
	return nil
}

// hindrance returns the error with its reason if it is one that stays.
func hindrance(err error) error {
	switch {
	case hasCode(err, "READONLY"):
		return fmt.Errorf("the server is a replica, which takes no writes: %w", err)
	case hasCode(err, "NOPERM"):
		return fmt.Errorf("the user lacks a right, see docs/stores.md for what it needs: %w", err)
	case err != nil && strings.Contains(err.Error(), "unknown command"):
		return fmt.Errorf("the server has no functions, want Redis 7 or Valkey: %w", err)
	}
	return nil
}

// evictions returns which servers remove keys when their memory is full. A user who
// may not ask does not learn it.
func (s *Store) evictions(ctx context.Context) (warnings []error) {
	for address, node := range s.client.Nodes() {
		info, err := node.Do(ctx, node.B().Info().Section("memory").Build()).ToString()
		if err != nil {
			continue
		}
		_, after, found := strings.Cut(info, "maxmemory_policy:")
		policy, _, _ := strings.Cut(after, "\r\n")
		if found && policy != "noeviction" {
			warnings = append(warnings, fmt.Errorf("redisstore %s: with maxmemory-policy %s the server removes sessions when its memory is full, "+
				"and indexes, so that a revocation finds nobody: set it to noeviction", address, policy))
		}
	}
	return warnings
}

// Warnings implements [runtime.Warner]. It returns what the last Check has found,
// nothing before.
func (s *Store) Warnings() []error {
	if found := s.warnings.Load(); found != nil {
		return *found
	}
	return nil
}
