package memstore

import (
	"context"
	"slices"
	"sync"

	"github.com/duckgen/duckgen/runtime"
)

// watchers are those who are told of changes.
type watchers struct {
	mu     sync.RWMutex
	list   []*watcher
	closed bool
}

// watcher is told of one change at a time.
type watcher struct {
	mu   sync.Mutex
	ctx  context.Context
	tell func(runtime.Change)
}

// Watch implements [runtime.Watcher]. A change is told before the operation
// returns that made it.
func (s *Store) Watch(ctx context.Context, tell func(runtime.Change)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &watcher{ctx: ctx, tell: tell}
	if err := s.watchers.add(w); err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { s.watchers.remove(w) })
	return nil
}

func (ws *watchers) add(w *watcher) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		return errClosed
	}
	ws.list = append(ws.list, w)
	return nil
}

func (ws *watchers) close() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.list, ws.closed = nil, true
}

// remove makes a new list: the old one may be in use by tellAll.
func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	rest := slices.Clone(ws.list)
	ws.list = slices.DeleteFunc(rest, func(other *watcher) bool { return other == w })
}

// tellAll tells changes that took place. No lock of a shard is held.
func (ws *watchers) tellAll(changes ...runtime.Change) {
	ws.mu.RLock()
	list := ws.list
	ws.mu.RUnlock()
	for _, w := range list {
		for _, c := range changes {
			w.hear(c)
		}
	}
}

func (w *watcher) hear(c runtime.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() == nil {
		w.tell(c)
	}
}
