// Package redisstore keeps sessions in Redis or Valkey, on one server, behind
// Sentinel, or on a Cluster. Any number of processes may share it.
//
// Each session is one hash, and each commit one call of a server function, or of a
// script where there are no functions, that judges the key and changes the hash in one
// step. A load is one HGETALL; only where it has to record something, the first use of
// a renewed token, a call follows. The server removes expired sessions by itself, [sweepMargin]
// after their end. What is live, and which came first, is judged by the server's
// clock: those of the programs may differ. With [WithCache] the program keeps what it has loaded.
//
// On a Cluster a session is one key in one slot. Only the index of a value lies
// elsewhere: a commit that sets an indexed value first makes one call for each
// such value. A crash between the two leaves nothing that the next look-up does
// not put right.
//
// What a server acknowledges it may still lose: all of it without appendonly,
// the last two seconds with appendfsync everysec when it is killed, nothing with
// always; at a failover what had not reached the replica. An eviction policy
// that takes keys with a time to live takes sessions.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
)

// sweepMargin is how long the server keeps what has ended: a clock that runs ahead
// or is set back takes no session.
const sweepMargin = 5 * time.Minute

// A Store is a [runtime.Store] on Redis, also a [runtime.Indexer], a [runtime.Limiter],
// a [runtime.Lister], a [runtime.Watcher] and a [runtime.Pinger]. It is safe for concurrent use.
type Store struct {
	client      Client
	hangUp      func()       // closes what Open has made; nil of a client of the program's
	connections *connections // of the same
	address     string       // for errors; never with a password
	prefix      string
	sharded     bool // on a Cluster, where one operation reaches one slot only

	form atomic.Int32

	// kind is that of the session seen last. Nearly every store has sessions of
	// one kind, so it is a good guess.
	kind atomic.Pointer[string]

	cache *cache // nil without WithCache

	clientClock bool
	measured    atomic.Pointer[offset] // nil at first

	warnings atomic.Pointer[[]error] // nil before Check

	closing sync.Once
	closed  context.Context
	close   context.CancelFunc
	watches sync.WaitGroup
}

// An OpenOption changes how a store works that [Open] opens.
type OpenOption interface{ change(*Store) }

type openOption func(*Store)

func (o openOption) change(s *Store) { o(s) }

// An Option changes how a store works, whether [Open] or [New] makes it.
type Option func(*Store)

func (o Option) change(s *Store) { o(s) }

// WithPrefix sets what the names of all keys begin with, "duckgen:" by default.
// Stores with different prefixes share nothing.
func WithPrefix(prefix string) Option {
	return func(s *Store) { s.prefix = prefix }
}

// Open connects to the server, or to a Cluster by any of its nodes:
//
//	redis://user:password@host:6379/0
//	rediss://host:6379                          with TLS
//	redis://host1:6379?addr=host2:6379          more nodes to begin with
//	redis://sentinel:26379?master_set=name      behind Sentinel
//
// The context bounds the opening alone. No error contains the password.
func Open(ctx context.Context, url string, options ...OpenOption) (*Store, error) {
	settings, err := rueidis.ParseURL(url)
	if err != nil {
		return nil, errors.New("redisstore: the URL is not valid, " +
			"want one like redis://user:password@host:6379/0")
	}
	settings.DisableCache = true
	settings.AlwaysRESP2 = true  // hashes come as lists, which are quicker to read than maps
	settings.DisableRetry = true // a delta is sent at most once
	address := strings.Join(settings.InitAddress, ",")
	connections := &connections{}
	client, err := connections.connect(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("redisstore %s: %w", address, withoutSecret(err, settings.Password))
	}
	s := New(Rueidis(client))
	s.connections, s.hangUp = connections, client.Close
	s.address = address
	for _, option := range options {
		option.change(s)
	}
	err = s.check(ctx)
	if err == nil && s.cache != nil {
		err = s.cache.connect(ctx, connections, settings, s.prefix)
	}
	if err != nil {
		client.Close()
		return nil, s.wrap(withoutSecret(err, settings.Password))
	}
	return s, nil
}

// New returns a store on a client of the program's own, which stays open when
// the store is closed: [Rueidis] and package goredis make one. New asks the server
// nothing: [Store.Check] does, as Open does.
func New(client Client, options ...Option) *Store {
	s := &Store{
		client:  client,
		prefix:  "duckgen:",
		sharded: client.IsCluster(),
	}
	s.kind.Store(new(string))
	s.closed, s.close = context.WithCancel(context.Background())
	for _, option := range options {
		option(s)
	}
	return s
}

// Close ends the watches and closes the connections that Open made. Closing
// again does nothing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.close()
		s.watches.Wait()
		if s.cache != nil {
			s.cache.hangUp()
		}
		if s.hangUp != nil {
			s.hangUp()
		}
	})
	return nil
}

// ready is an error where an operation must not begin. A deadline is looked at
// itself: the context may learn of it a little later, and what is sent then a
// frozen server would still do once it goes on.
func (s *Store) ready(ctx context.Context) error {
	if s.closed.Err() != nil {
		return s.wrap(runtime.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return s.wrap(err)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return s.wrap(context.DeadlineExceeded)
	}
	return nil
}

// wrap says which store has failed.
func (s *Store) wrap(err error) error {
	if err == nil {
		return nil
	}
	if s.address == "" {
		return fmt.Errorf("redisstore: %w", err)
	}
	return fmt.Errorf("redisstore %s: %w", s.address, err)
}

// noteKind remembers the kind of a session that was seen.
func (s *Store) noteKind(kind string) {
	if *s.kind.Load() != kind {
		s.kind.Store(&kind)
	}
}

// The names of keys. What stands in braces decides the slot.

func (s *Store) sessionKey(id runtime.ID) string { return s.prefix + "{" + id.String() + "}" }

func (s *Store) withdrawnKey(id runtime.ID) string { return s.sessionKey(id) + ":withdrawn" }

func (s *Store) changes() string { return s.prefix + "changes" }
