package lively

import (
	"context"
	"sync"
)

// A queue holds the frames that are on their way to the page, in order and within
// a limit. Its goroutine runs only while there are any.
type queue struct {
	limit int // bytes
	write func([]byte) error

	mu      sync.Mutex
	frames  [][]byte
	bytes   int
	writing bool
	moved   chan struct{} // closed at the next change; nil: nobody waits
	err     error         // nothing more is taken
}

// put waits until there is room. A frame that is larger than the limit waits for
// all others to be written.
func (q *queue) put(ctx context.Context, frame []byte) error {
	for {
		q.mu.Lock()
		if q.err != nil {
			q.mu.Unlock()
			return q.err
		}
		if q.bytes == 0 || q.bytes+len(frame) <= q.limit {
			q.add(frame)
			q.mu.Unlock()
			return nil
		}
		moved := q.change()
		q.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// putIdle leaves the frame out where others will be written anyway: more than the
// first one, which the page may have already.
func (q *queue) putIdle(frame []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil && len(q.frames) < 2 {
		q.add(frame)
	}
}

func (q *queue) add(frame []byte) {
	q.frames = append(q.frames, frame)
	q.bytes += len(frame)
	if !q.writing {
		q.writing = true
		go q.drain()
	}
}

// change returns a channel that tells of the next change. The lock is held.
func (q *queue) change() <-chan struct{} {
	if q.moved == nil {
		q.moved = make(chan struct{})
	}
	return q.moved
}

func (q *queue) notify() {
	if q.moved != nil {
		close(q.moved)
		q.moved = nil
	}
}

// drain writes until nothing is left. A frame counts until it is written.
func (q *queue) drain() {
	q.mu.Lock()
	for len(q.frames) > 0 {
		frame := q.frames[0]
		q.mu.Unlock()
		err := q.write(frame)
		q.mu.Lock()
		if err != nil {
			q.frames, q.bytes = nil, 0
			if q.err == nil {
				q.err = err
			}
		} else {
			q.frames = q.frames[1:]
			q.bytes -= len(frame)
		}
		q.notify()
	}
	q.frames, q.writing = nil, false
	q.mu.Unlock()
}

// refuse takes no more frames.
func (q *queue) refuse(reason error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = reason
	}
}

// flush returns once every frame is written or ctx is done.
func (q *queue) flush(ctx context.Context) {
	for {
		q.mu.Lock()
		if !q.writing {
			q.mu.Unlock()
			return
		}
		moved := q.change()
		q.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}
