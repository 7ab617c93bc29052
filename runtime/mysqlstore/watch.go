package mysqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

const (
	// pollEvery is how soon a change is seen.
	pollEvery = 100 * time.Millisecond

	// pollMost is how many changes are read at a time.
	pollMost = 1024

	// changeLife is how long a change is kept for watchers to see.
	changeLife = time.Minute

	// answerTime is how long the server may take to answer a watcher.
	answerTime = 5 * time.Second
)

// note leaves a change for watchers.
func (b *batch) note(c runtime.Change) {
	b.add("INSERT INTO duckgen_changes (at,kind,id,proof) VALUES (UTC_TIMESTAMP(6),?,?,?)", int64(c.Kind), c.ID[:], c.Proof[:])
}

// forgetChanges removes some that every watcher has seen.
func (b *batch) forgetChanges() {
	b.add("DELETE FROM duckgen_changes WHERE at<UTC_TIMESTAMP(6)-INTERVAL ? SECOND LIMIT 4096", int64(changeLife/time.Second))
}

// Watch implements [runtime.Watcher]. It looks for changes, of this process as well,
// ten times a second, on a connection of its own.
func (s *Store) Watch(ctx context.Context, tell func(runtime.Change)) error {
	w := &watcher{store: s, tell: tell}
	if err := w.begin(ctx); err != nil {
		w.hangUp()
		return s.wrap(cause(ctx, err))
	}
	s.watching.Go(func() {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.closed, cancel)()
		w.watch(ctx)
	})
	return nil
}

// A watcher tells the changes behind those that it has seen.
type watcher struct {
	store *Store
	tell  func(runtime.Change)
	conn  *sql.Conn // nil: lost
	read  time.Time // when the server answered last
	seen  horizon
}

// begin takes a connection, and what was changed before for seen.
func (w *watcher) begin(ctx context.Context) (err error) {
	if err := w.store.ready(ctx); err != nil {
		return err
	}
	if w.conn, err = w.store.db.Conn(ctx); err != nil {
		return err
	}
	w.seen = horizon{}
	_, err = w.changes(ctx, batchOf("SELECT number,kind,id,proof FROM "+
		"(SELECT * FROM duckgen_changes ORDER BY number DESC LIMIT ?) AS newest ORDER BY number", maxGap))
	return err
}

// watch tells changes until ctx is done.
func (w *watcher) watch(ctx context.Context) {
	defer w.hangUp()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(ctx)
		}
	}
}

// look tells what has changed. Who was away for long has missed changes that are not
// kept any more.
func (w *watcher) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if w.conn == nil || time.Since(w.read) > changeLife/2 {
		w.beginAgain(ctx)
		return
	}
	for more := true; more; {
		w.seen.forgetGaps(time.Now())
		numbers := w.seen.missing()
		found, err := w.changes(ctx, batchOf("SELECT number,kind,id,proof FROM duckgen_changes "+
			"WHERE number>? OR number IN ("+places(len(numbers))+") ORDER BY number LIMIT ?",
			append(append([]any{w.seen.last}, numbers...), pollMost)...))
		if err != nil {
			w.hangUp()
			return
		}
		for _, change := range found {
			w.tell(change)
		}
		more = len(found) == pollMost
	}
}

func (w *watcher) beginAgain(ctx context.Context) {
	w.hangUp()
	if w.begin(ctx) != nil {
		w.hangUp()
		return
	}
	w.tell(runtime.Change{Kind: runtime.ChangesMissed})
}

// changes returns what a statement answers, which is seen then.
func (w *watcher) changes(ctx context.Context, b *batch) (found []runtime.Change, err error) {
	err = query(ctx, w.conn, b, func(rows *sql.Rows) error {
		var number int64
		var kind runtime.ChangeKind
		var id, proof []byte
		if err := rows.Scan(&number, &kind, &id, &proof); err != nil {
			return err
		}
		w.seen.see(number, time.Now())
		found = append(found, runtime.Change{Kind: kind, ID: runtime.ID(id), Proof: runtime.Proof(proof)})
		return nil
	})
	if err == nil {
		w.read = time.Now()
	}
	return found, err
}

func (w *watcher) hangUp() {
	if w.conn != nil {
		_ = w.conn.Close() // whether it is lost or not
		w.conn = nil
	}
}

const (
	// maxGap is how many numbers below one that is seen may be those of changes that
	// are still to be seen.
	maxGap = 256

	// gapLife is how long they may be missing: then their transactions were undone.
	gapLife = 10 * time.Second
)

// A horizon is which changes a watcher has seen. They are numbered when they are
// written, and can be seen when they are committed, so that a number may come late.
type horizon struct {
	last int64               // the highest number
	gaps map[int64]time.Time // the numbers below it that are missing, and since when
}

// see takes note of a number.
func (h *horizon) see(number int64, now time.Time) {
	if h.gaps == nil {
		h.gaps = map[int64]time.Time{}
	}
	for n := max(h.last+1, number-maxGap); n < number; n++ {
		h.gaps[n] = now
	}
	delete(h.gaps, number)
	h.last = max(h.last, number)
}

// missing returns the numbers that may still come, and one that never does.
func (h *horizon) missing() []any {
	numbers := []any{int64(0)}
	for n := range h.gaps {
		numbers = append(numbers, n)
	}
	return numbers
}

func (h *horizon) forgetGaps(now time.Time) {
	for n, since := range h.gaps {
		if now.Sub(since) > gapLife {
			delete(h.gaps, n)
		}
	}
}
