package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/duckgen/duckgen/runtime"
)

// A pool lends each of its connections to one user at a time.
type pool struct {
	idle   chan *sqlite.Conn
	opened int
}

func newPool(size int) pool { return pool{idle: make(chan *sqlite.Conn, size)} }

// open fills the pool.
func (p *pool) open(ctx context.Context, path string) error {
	for range cap(p.idle) {
		conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
		if err != nil {
			return err
		}
		p.idle <- conn
		p.opened++
		if err := prepare(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// prepare sets the modes of a connection. SQLite says by the mode that it answers, not by
// an error, where a file cannot have a WAL.
func prepare(ctx context.Context, conn *sqlite.Conn) error {
	conn.SetInterrupt(ctx.Done())
	defer conn.SetInterrupt(nil)
	var mode string
	err := sqlitex.ExecuteTransient(conn, "PRAGMA journal_mode = wal", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error { mode = stmt.ColumnText(0); return nil },
	})
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the file cannot have a WAL: its journal mode stays %q", mode)
	}
	return sqlitex.ExecuteTransient(conn, "PRAGMA synchronous = normal", nil)
}

// close waits until every connection has been given back.
func (p *pool) close() error {
	var errs []error
	for range p.opened {
		conn := <-p.idle
		errs = append(errs, conn.Close())
	}
	p.opened = 0
	return errors.Join(errs...)
}

// createPrivately makes a new file that only its owner can read. SQLite gives
// its side files the same mode.
func createPrivately(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// lookAtMode notes that others may read the file. Windows has no modes.
func (s *Store) lookAtMode() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o066 != 0 && goruntime.GOOS != "windows" {
		s.warnings = append(s.warnings, s.wrap(fmt.Errorf("others than the owner may read or write the file, its mode is %v: "+
			"set it and those of its -wal and -shm files to 0600", mode)))
	}
	return nil
}

// lend runs work with a connection of the pool. A cancelled context interrupts
// it, also while it waits for another process to let go of the file.
func (s *Store) lend(ctx context.Context, p *pool, work func(*sqlite.Conn) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	select {
	case <-s.closed:
		return runtime.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case conn := <-p.idle:
		defer func() { p.idle <- conn }()
		conn.SetInterrupt(ctx.Done())
		defer conn.SetInterrupt(nil)
		err := work(conn)
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		return err
	}
}

// read runs work on one state of the file, beside a writer.
func (s *Store) read(ctx context.Context, work func(*sqlite.Conn) error) error {
	return s.wrap(s.lend(ctx, &s.readers, work))
}

// write runs work in a transaction that nobody else writes beside, all of it or
// nothing.
func (s *Store) write(ctx context.Context, work func(*sqlite.Conn) error) error {
	return s.wrap(s.lend(ctx, &s.writer, inTransaction(work)))
}

func inTransaction(work func(*sqlite.Conn) error) func(*sqlite.Conn) error {
	return func(conn *sqlite.Conn) (err error) {
		end, err := sqlitex.ImmediateTransaction(conn)
		if err != nil {
			return err
		}
		defer end(&err)
		return work(conn)
	}
}
