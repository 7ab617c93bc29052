package sqlitestore

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/duckgen/duckgen/runtime"
)

const (
	// pollEvery is how soon a change by another process is seen.
	pollEvery = 100 * time.Millisecond

	// changeLife is how long a change is kept for other processes to see.
	changeLife = time.Minute
)

// watchers tell the changes of this process at once, and those of others when
// they show in the file.
type watchers struct {
	process int64 // tells own changes in the file from those of others
	mu      sync.Mutex
	tells   map[*func(runtime.Change)]bool
	polling sync.WaitGroup
}

func newProcess() int64 { return rand.Int64() }

// Watch implements [runtime.Watcher]. Changes of this process are told before
// the operation returns, those of other processes within a tenth of a second.
func (s *Store) Watch(ctx context.Context, tell func(runtime.Change)) error {
	last := int64(0)
	err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
		last, err = lastChange(conn)
		return err
	})
	if err != nil {
		return err
	}
	var one sync.Mutex
	inTurn := func(c runtime.Change) {
		one.Lock()
		defer one.Unlock()
		tell(c)
	}
	s.watchers.add(&inTurn)
	s.watchers.polling.Go(func() {
		defer s.watchers.remove(&inTurn)
		s.poll(ctx, last, inTurn)
	})
	return nil
}

// poll tells the changes of other processes until ctx is done or the store is
// closed.
func (s *Store) poll(ctx context.Context, last int64, tell func(runtime.Change)) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	blind := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.closed:
			return
		case <-tick.C:
		}
		var seen []runtime.Change
		err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
			seen, last, err = s.changesAfter(conn, last)
			return err
		})
		switch {
		case err != nil:
			blind = true
			continue
		case blind:
			blind = false
			tell(runtime.Change{Kind: runtime.ChangesMissed})
		}
		for _, change := range seen {
			tell(change)
		}
	}
}

// changesAfter returns what other processes have changed since, and the number
// of the last change.
func (s *Store) changesAfter(conn *sqlite.Conn, last int64) (seen []runtime.Change, next int64, err error) {
	stmt, err := conn.Prepare("SELECT number, process, kind, id, proof FROM duckgen_changes WHERE number > ? ORDER BY number")
	if err != nil {
		return nil, last, err
	}
	stmt.BindInt64(1, last)
	next = last
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return seen, next, err
		}
		number := stmt.ColumnInt64(0)
		if number != next+1 && next != 0 {
			seen = append(seen, runtime.Change{Kind: runtime.ChangesMissed})
		}
		next = number
		if stmt.ColumnInt64(1) == s.watchers.process {
			continue
		}
		change := runtime.Change{Kind: runtime.ChangeKind(stmt.ColumnInt64(2))}
		stmt.ColumnBytes(3, change.ID[:])
		stmt.ColumnBytes(4, change.Proof[:])
		seen = append(seen, change)
	}
}

func lastChange(conn *sqlite.Conn) (last int64, err error) {
	stmt, err := conn.Prepare("SELECT coalesce(max(number), 0) FROM duckgen_changes")
	if err != nil {
		return 0, err
	}
	if _, err := stmt.Step(); err != nil {
		return 0, err
	}
	last = stmt.ColumnInt64(0)
	return last, stmt.Reset()
}

// note leaves the change in the file for other processes, for some time.
func (w *watchers) note(conn *sqlite.Conn, c runtime.Change) error {
	now := time.Now()
	err := run(conn, "DELETE FROM duckgen_changes WHERE at < ?", now.Add(-changeLife).UnixNano())
	if err != nil {
		return err
	}
	return run(conn, "INSERT INTO duckgen_changes (process, at, kind, id, proof) VALUES (?, ?, ?, ?, ?)",
		w.process, now.UnixNano(), int64(c.Kind), c.ID[:], c.Proof[:])
}

func (w *watchers) add(tell *func(runtime.Change)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tells == nil {
		w.tells = map[*func(runtime.Change)]bool{}
	}
	w.tells[tell] = true
}

func (w *watchers) remove(tell *func(runtime.Change)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tells, tell)
}

// tell tells a change of this process.
func (w *watchers) tell(c runtime.Change) {
	w.mu.Lock()
	tells := make([]func(runtime.Change), 0, len(w.tells))
	for tell := range w.tells {
		tells = append(tells, *tell)
	}
	w.mu.Unlock()
	for _, tell := range tells {
		tell(c)
	}
}

func (w *watchers) wait() { w.polling.Wait() }
