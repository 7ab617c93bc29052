package memstore

import (
	"sync"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

const (
	// sweepStep is how many records a sweep looks at before others may go on.
	sweepStep = 64

	// sampleSize is how many records are looked at for each one created. While
	// sessions come as fast as they expire, about one record in sampleSize is an
	// expired one. What costs is to begin somewhere, so one Create in sampleEvery
	// looks for all of them.
	sampleSize  = 8
	sampleEvery = sweepStep / sampleSize

	// sweepMargin is how long an expired record is kept at least, unless Sweep
	// is called: a clock that jumps ahead and is set right takes no session.
	sweepMargin = time.Minute

	// shrinkFrom is the size below which maps are not worth a rebuild.
	shrinkFrom = 64
)

// A shard holds the sessions whose ids begin with one byte, and their index.
type shard struct {
	mu      sync.Mutex
	records map[runtime.ID]slot
	index   index
	peak    int // the most records that the maps have held
	closed  bool
}

// A slot holds one record. Its expiry stands in the map itself, because most of
// what a sweep costs is to look where a pointer leads.
type slot struct {
	expires int64 // Unix milliseconds
	*packed
}

// expired compares whole milliseconds, of which now may have a fraction more.
func (s slot) expired(now time.Time) bool { return s.expires <= now.UnixMilli() }

// put stores the record in place of the one that was there. The lock is held.
func (sh *shard) put(id runtime.ID, next slot) {
	sh.records[id] = next
	sh.peak = max(sh.peak, len(sh.records))
}

// sweep removes what has expired. A range over a map stands changes to it, so
// others may work between the steps, when it calls pause.
func (sh *shard) sweep(now time.Time, pause func()) (removed int, err error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	seen := 0
	for id, s := range sh.records {
		if sh.removeExpired(id, s, now) {
			removed++
		}
		if seen++; seen%sweepStep == 0 {
			sh.mu.Unlock()
			pause()
			sh.mu.Lock()
		}
	}
	if sh.closed {
		return removed, errClosed
	}
	sh.shrink()
	return removed, nil
}

// sweepSome looks at some records, if it is the turn of the id, which is random. A
// range over a map begins at random, too, so in time it meets every record.
func (sh *shard) sweepSome(created runtime.ID, now time.Time) {
	if created[1]%sampleEvery != 0 {
		return
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	seen := 0
	for id, s := range sh.records {
		sh.removeExpired(id, s, now)
		if seen++; seen == sweepStep {
			break
		}
	}
	sh.shrink()
}

// removeExpired removes the record if it has expired and is still the stored
// one, which a sweep cannot know once it has let others work.
func (sh *shard) removeExpired(id runtime.ID, s slot, now time.Time) bool {
	if !s.expired(now) || sh.records[id] != s {
		return false
	}
	for v := range s.entries.IndexValues(s.rare.kind) {
		sh.index.remove(v, id)
	}
	delete(sh.records, id)
	return true
}

// shrink gives memory back, which Go's maps do not do by themselves. What is
// moved is at most a quarter of what has been removed before.
func (sh *shard) shrink() {
	if sh.peak >= shrinkFrom && len(sh.records) < sh.peak/4 {
		sh.rebuild()
	}
}

// rebuild makes the maps anew, as large as what they hold.
func (sh *shard) rebuild() {
	records := make(map[runtime.ID]slot, len(sh.records))
	for id, s := range sh.records {
		records[id] = s
	}
	sh.records = records
	sh.index = sh.index.clone()
	sh.peak = len(records)
}

func (sh *shard) close() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.closed = true
	sh.records, sh.index, sh.peak = nil, nil, 0
}
