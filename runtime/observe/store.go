package observe

import (
	"context"
	"iter"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// Store returns the store with each call observed. It offers what the store offers.
func Store(s runtime.Store, o Observer) runtime.Store {
	chain := s
	if able, ok := runtime.Ability[runtime.Indexer](s); ok {
		chain = indexer{link{chain, o}, able}
	}
	if able, ok := runtime.Ability[runtime.Limiter](s); ok {
		chain = limiter{link{chain, o}, able}
	}
	if able, ok := runtime.Ability[runtime.Lister](s); ok {
		chain = lister{link{chain, o}, able}
	}
	if able, ok := runtime.Ability[runtime.Pinger](s); ok {
		chain = pinger{link{chain, o}, able}
	}
	if able, ok := runtime.Ability[runtime.Sweeper](s); ok {
		chain = sweeper{link{chain, o}, able}
	}
	return store{link{chain, o}}
}

// A link of the chain observes one ability of the store, and leaves the others to the
// next. So a store that lacks one does not seem to have it.
type link struct {
	runtime.Store
	observer Observer
}

// Unwrap leads to what the store can do besides.
func (l link) Unwrap() runtime.Store { return l.Store }

// end tells of a call that began then.
func (l link) end(ctx context.Context, began time.Time, c Call) {
	c.Took = time.Since(began)
	l.observer.End(ctx, c)
}

type store struct{ link }

func (s store) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	ctx, began := s.observer.Begin(ctx, Load), time.Now()
	r, err := s.Store.Load(ctx, key)
	c := Call{Op: Load, ID: key.ID, Err: err}
	if r != nil {
		c.Bytes = r.Entries.Size()
	}
	s.end(ctx, began, c)
	return r, err
}

func (s store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	ctx, began := s.observer.Begin(ctx, Create), time.Now()
	err := s.Store.Create(ctx, key, r)
	s.end(ctx, began, Call{Op: Create, ID: key.ID, Bytes: r.Entries.Size(), Err: err})
	return err
}

func (s store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	ctx, began := s.observer.Begin(ctx, Update), time.Now()
	result, err := s.Store.Update(ctx, key, d)
	s.end(ctx, began, Call{Op: Update, ID: key.ID, Bytes: sizeOf(d), Err: err})
	return result, err
}

// sizeOf returns the bytes of the entries that a delta sends.
func sizeOf(d *runtime.Delta) (bytes int) {
	for i := range d.Ops {
		bytes += len(d.Ops[i].Entry.Key) + len(d.Ops[i].Entry.Value)
	}
	return bytes
}

func (s store) Delete(ctx context.Context, key runtime.Key) error {
	ctx, began := s.observer.Begin(ctx, Delete), time.Now()
	err := s.Store.Delete(ctx, key)
	s.end(ctx, began, Call{Op: Delete, ID: key.ID, Err: err})
	return err
}

type indexer struct {
	link
	index runtime.Indexer
}

func (x indexer) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return x.found(ctx, Find, func(ctx context.Context) iter.Seq2[runtime.Found, error] { return x.index.Find(ctx, v, now) })
}

func (x indexer) Revoke(ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID) (int, error) {
	ctx, began := x.observer.Begin(ctx, Revoke), time.Now()
	n, err := x.index.Revoke(ctx, v, now, except...)
	x.end(ctx, began, Call{Op: Revoke, Sessions: n, Err: err})
	return n, err
}

// found observes each iteration of its own: a sequence may be ranged over again.
func (l link) found(ctx context.Context, op Op, search func(context.Context) iter.Seq2[runtime.Found, error]) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		ctx, began := l.observer.Begin(ctx, op), time.Now()
		c := Call{Op: op}
		defer func() { l.end(ctx, began, c) }()
		for f, err := range search(ctx) {
			if c.Err = err; err == nil {
				c.Sessions++
				c.Bytes += f.Record.Entries.Size()
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

type limiter struct {
	link
	limit runtime.Limiter
}

func (l limiter) Trim(ctx context.Context, values []runtime.IndexValue, most int, keep runtime.ID, now time.Time) (int, error) {
	ctx, began := l.observer.Begin(ctx, Trim), time.Now()
	n, err := l.limit.Trim(ctx, values, most, keep, now)
	l.end(ctx, began, Call{Op: Trim, ID: keep, Sessions: n, Err: err})
	return n, err
}

type lister struct {
	link
	list runtime.Lister
}

func (l lister) All(ctx context.Context, kind string, now time.Time) iter.Seq2[runtime.Found, error] {
	return l.found(ctx, All, func(ctx context.Context) iter.Seq2[runtime.Found, error] { return l.list.All(ctx, kind, now) })
}

func (l lister) ByID(ctx context.Context, kind string, id runtime.ID, now time.Time) (*runtime.Record, error) {
	ctx, began := l.observer.Begin(ctx, ByID), time.Now()
	r, err := l.list.ByID(ctx, kind, id, now)
	c := Call{Op: ByID, ID: id, Err: err}
	if r != nil {
		c.Bytes = r.Entries.Size()
	}
	l.end(ctx, began, c)
	return r, err
}

func (l lister) RevokeAll(ctx context.Context, kind string, now time.Time) (int, error) {
	ctx, began := l.observer.Begin(ctx, RevokeAll), time.Now()
	n, err := l.list.RevokeAll(ctx, kind, now)
	l.end(ctx, began, Call{Op: RevokeAll, Sessions: n, Err: err})
	return n, err
}

type pinger struct {
	link
	ping runtime.Pinger
}

func (p pinger) Ping(ctx context.Context) error {
	ctx, began := p.observer.Begin(ctx, Ping), time.Now()
	err := p.ping.Ping(ctx)
	p.end(ctx, began, Call{Op: Ping, Err: err})
	return err
}

type sweeper struct {
	link
	sweep runtime.Sweeper
}

func (s sweeper) Sweep(ctx context.Context, now time.Time) (int, error) {
	ctx, began := s.observer.Begin(ctx, Sweep), time.Now()
	n, err := s.sweep.Sweep(ctx, now)
	s.end(ctx, began, Call{Op: Sweep, Sessions: n, Err: err})
	return n, err
}
