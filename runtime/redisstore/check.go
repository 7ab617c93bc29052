package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// Check looks whether the server can serve: whether it takes writes and has
// functions or runs scripts, and whether the user may do what every operation does. What comes and
// goes, such as full memory, is no error. Open calls it; a program that has made its
// client itself may, before it makes its sessions.
func (s *Store) Check(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.wrap(s.check(ctx))
}

// check looks for a session that does not exist, by an operation that would write.
func (s *Store) check(ctx context.Context) error {
	_, err := s.run(ctx, loadOperation, call{[]string{s.sessionKey(runtime.ID{})}, []string{keyArg(runtime.Key{}, offset{})}})
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
	case errors.Is(err, errNoForm):
		return fmt.Errorf("the server has no functions and runs no scripts, want Redis 6, Valkey, or later ones: %w", err)
	}
	return nil
}

// evictions returns which servers remove keys when their memory is full. A user who
// may not ask does not learn it.
func (s *Store) evictions(ctx context.Context) (warnings []error) {
	nodes, _ := s.client.Nodes(ctx) // whoever may not know them does not learn it, either
	for _, node := range nodes {
		info, err := node.Do(ctx, Command{Name: []string{"INFO", "memory"}, ReadOnly: true})
		if err != nil {
			continue
		}
		_, after, found := strings.Cut(info.Text, "maxmemory_policy:")
		policy, _, _ := strings.Cut(after, "\r\n")
		if found && policy != "noeviction" {
			warnings = append(warnings, fmt.Errorf("redisstore %s: with maxmemory-policy %s the server removes sessions when its memory is full, "+
				"and indexes, so that a revocation finds nobody: set it to noeviction", node.Address, policy))
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
