package lively

import "sync"

// An inbox runs the events of one connection one after the other. Its goroutine
// runs only while there are any; the reading one stays free for the results of
// the scripts that an event waits for. The events wait as the frames in which they
// came: decoded they take many times the memory.
type inbox struct {
	limit      int // of waiting events
	limitBytes int // of their frames
	run        func(frame []byte)

	mu      sync.Mutex
	waiting [][]byte
	bytes   int // of waiting
	running bool
	stopped bool
	work    sync.WaitGroup
}

// put reports false where too many wait. A stopped inbox drops what it gets.
func (in *inbox) put(frame []byte) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.stopped:
		return true
	case len(in.waiting) >= in.limit, in.bytes+len(frame) > in.limitBytes:
		return false
	}
	in.waiting = append(in.waiting, frame)
	in.bytes += len(frame)
	if !in.running {
		in.running = true
		in.work.Go(in.drain)
	}
	return true
}

func (in *inbox) drain() {
	for {
		in.mu.Lock()
		if len(in.waiting) == 0 {
			in.waiting, in.running = nil, false
			in.mu.Unlock()
			return
		}
		frame := in.waiting[0]
		in.waiting = in.waiting[1:]
		in.bytes -= len(frame)
		in.mu.Unlock()
		in.run(frame)
	}
}

// stop drops what waits and what comes. The event that runs goes on.
func (in *inbox) stop() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stopped, in.waiting, in.bytes = true, nil, 0
}

// wait returns once no event runs. Call stop before.
func (in *inbox) wait() { in.work.Wait() }
