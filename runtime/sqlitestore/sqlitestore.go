// Package sqlitestore keeps sessions in one SQLite file: durable, embedded, and
// shared by several processes of one machine. It needs no C compiler.
//
// Each session is one row, and each operation one transaction that reads the
// row, lets the methods of [runtime.Record] judge and change it, and writes it
// back. The file is in WAL mode with synchronous=NORMAL: a killed process loses
// nothing that was acknowledged; a power failure may lose the last moments, but
// tears no record.
package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/duckgen/duckgen/runtime"
)

// A Store is a [runtime.Store] in a SQLite file, also a [runtime.Indexer], a
// [runtime.Limiter], a [runtime.Lister], a [runtime.Watcher] and a [runtime.Sweeper]. It
// is safe for concurrent use.
//
// Expired records are removed by and by: each Create removes a few of those that
// had expired a minute before its key's Now. A program that wants the space back
// while no new session comes calls Sweep.
type Store struct {
	path     string
	writer   pool // of one: SQLite has one writer at a time
	readers  pool
	watchers watchers
	warnings []error
	closing  sync.Once
	closed   chan struct{}
}

// readerCount is how many loads run at the same time.
const readerCount = 4

// Open opens the file, and makes it and its tables where they are missing. The
// context bounds the opening alone. A new file is readable by its owner only.
func Open(ctx context.Context, path string) (*Store, error) {
	s := &Store{
		path:    path,
		writer:  newPool(1),
		readers: newPool(readerCount),
		closed:  make(chan struct{}),
	}
	s.watchers.process = newProcess()
	if err := s.open(ctx); err != nil {
		return nil, s.wrap(errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if s.path == "" || s.path == ":memory:" || strings.HasPrefix(s.path, "file:") {
		return errors.New("this is no path of a file: name one, or use memstore for sessions in memory")
	}
	if err := createPrivately(s.path); err != nil {
		return err
	}
	if err := s.writer.open(ctx, s.path); err != nil {
		return err
	}
	if err := s.lend(ctx, &s.writer, inTransaction(makeTables)); err != nil {
		return err
	}
	if err := s.readers.open(ctx, s.path); err != nil {
		return err
	}
	return s.lookAtMode()
}

// Warnings implements [runtime.Warner].
func (s *Store) Warnings() []error { return s.warnings }

// Close waits for running operations and closes the file. Closing again does
// nothing.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		close(s.closed)
		s.watchers.wait()
		err = errors.Join(s.readers.close(), s.writer.close())
	})
	return err
}

// Load implements [runtime.Store]. It writes only where the first presentation
// of a renewed token, or the end of a reused one, has to be recorded.
func (s *Store) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	var stored *runtime.Record
	err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
		stored, err = selectRecord(conn, key.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	loaded, err := stored.Read(key)
	if loaded != stored {
		return s.loadAndRecord(ctx, key, loaded, err)
	}
	if err != nil {
		return nil, err
	}
	return loaded, nil
}

// loadAndRecord is a load that has something to record. If that fails, what was read
// is answered, and recorded by a later load; but not if it is the end of a session
// by reuse.
func (s *Store) loadAndRecord(ctx context.Context, key runtime.Key, read *runtime.Record, verdict error) (*runtime.Record, error) {
	loaded, err := s.step(ctx, key.ID, func(_ *sqlite.Conn, r *runtime.Record) (*runtime.Record, error) { return r.Read(key) })
	switch {
	case verdict == nil && err != nil && !isAnswer(err):
		return read, nil
	case err != nil:
		return nil, err
	default:
		return loaded, nil
	}
}

// Create implements [runtime.Store]. The mark of an ended session holds its id
// as a live session does.
func (s *Store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	_, err := s.step(ctx, key.ID, func(conn *sqlite.Conn, old *runtime.Record) (*runtime.Record, error) {
		if old != nil && key.Now.Before(old.Expires) {
			return old, runtime.ErrExists
		}
		if err := checkRevocations(conn, key, r.Revocable()); err != nil {
			return old, err
		}
		if _, err := sweepSome(conn, key.Now.Add(-sweepMargin), sampleSize); err != nil {
			return old, err
		}
		return r, nil
	})
	return err
}

// Update implements [runtime.Store].
func (s *Store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	var result *runtime.Result
	_, err := s.step(ctx, key.ID, func(conn *sqlite.Conn, r *runtime.Record) (*runtime.Record, error) {
		next, applied, err := r.Apply(key, d)
		if err != nil {
			return next, err
		}
		if err := checkRevocations(conn, key, d.IndexValues(r.Kind)); err != nil {
			return r, err
		}
		result = applied
		return next, nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Delete implements [runtime.Store].
func (s *Store) Delete(ctx context.Context, key runtime.Key) error {
	_, err := s.step(ctx, key.ID, func(_ *sqlite.Conn, r *runtime.Record) (*runtime.Record, error) {
		return r.End(key)
	})
	return err
}

// step replaces the record of one session by what judge makes of it, in one
// transaction. Nothing is written where judge returns what it was given, and an
// error of judge undoes nothing: that is how reuse ends a session.
func (s *Store) step(
	ctx context.Context, id runtime.ID, judge func(*sqlite.Conn, *runtime.Record) (*runtime.Record, error),
) (next *runtime.Record, verdict error) {
	var change runtime.Change
	var told bool
	err := s.write(ctx, func(conn *sqlite.Conn) error {
		old, err := selectRecord(conn, id)
		if err != nil {
			return err
		}
		if next, verdict = judge(conn, old); next == old {
			return nil
		}
		if err := replace(conn, id, old, next); err != nil {
			return err
		}
		if change, told = runtime.ChangeOf(id, old, next); told {
			return s.watchers.note(conn, change)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if told {
		s.watchers.tell(change)
	}
	return next, verdict
}

// isAnswer reports whether an error is the judgement of a record.
func isAnswer(err error) bool {
	for _, answer := range []error{runtime.ErrNotFound, runtime.ErrSuperseded, runtime.ErrReused, runtime.ErrEnded} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// ready is the error of an operation that must not begin.
func (s *Store) ready(ctx context.Context) error {
	select {
	case <-s.closed:
		return runtime.ErrClosed
	default:
		return ctx.Err()
	}
}

// wrap says which store has failed.
func (s *Store) wrap(err error) error {
	if err == nil {
		return nil
	}
	if isRefusal(err) {
		err = fmt.Errorf("%w: %w", runtime.ErrRefused, err)
	}
	return fmt.Errorf("sqlitestore %s: %w", s.path, err)
}

// isRefusal reports whether SQLite has said that it does not write: the transaction
// was undone.
func isRefusal(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultReadOnly, sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultPerm, sqlite.ResultCantOpen:
		return true
	}
	return false
}
