package lively

import (
	"sync"
	"time"
)

// An inbox runs the events of one connection one after the other. Its goroutine
// runs only while there are any; the reading one stays free for the results of
// the scripts that an event waits for, until too much waits: then it waits, too,
// and the page with it. The events wait as the frames in which they came: decoded
// they take many times the memory.
type inbox struct {
	limit      int // of waiting events
	limitBytes int // of their frames
	run        func(arrival)

	mu      sync.Mutex
	waiting []arrival
	bytes   int           // of waiting
	blocked chan struct{} // closed once there is room; nil: nobody waits for that
	running bool
	stopped bool
	work    sync.WaitGroup
}

// An arrival is a frame that waits to be run.
type arrival struct {
	frame []byte
	at    time.Time
}

// begin runs what comes before the first event.
func (in *inbox) begin(first func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopped {
		return
	}
	in.running = true
	in.work.Go(func() {
		first()
		in.drain()
	})
}

// put waits until there is room. A stopped inbox drops what it gets.
func (in *inbox) put(frame []byte) {
	for {
		in.mu.Lock()
		if in.stopped || in.hasRoom(len(frame)) {
			in.add(arrival{frame, time.Now()})
			in.mu.Unlock()
			return
		}
		if in.blocked == nil {
			in.blocked = make(chan struct{})
		}
		room := in.blocked
		in.mu.Unlock()
		<-room
	}
}

// hasRoom reports whether so many bytes more may wait. A frame that is larger than
// the limit waits for all others to be run.
func (in *inbox) hasRoom(bytes int) bool {
	return len(in.waiting) == 0 || len(in.waiting) < in.limit && in.bytes+bytes <= in.limitBytes
}

func (in *inbox) add(a arrival) {
	if in.stopped {
		return
	}
	in.waiting = append(in.waiting, a)
	in.bytes += len(a.frame)
	if !in.running {
		in.running = true
		in.work.Go(in.drain)
	}
}

// makeRoom lets go on who waits for room. The lock is held.
func (in *inbox) makeRoom() {
	if in.blocked != nil {
		close(in.blocked)
		in.blocked = nil
	}
}

// isFull reports whether the reading goroutine waits for room.
func (in *inbox) isFull() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.blocked != nil
}

// len returns how many events wait.
func (in *inbox) len() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.waiting)
}

func (in *inbox) drain() {
	for {
		in.mu.Lock()
		if len(in.waiting) == 0 {
			in.waiting, in.running = nil, false
			in.mu.Unlock()
			return
		}
		next := in.waiting[0]
		in.waiting = in.waiting[1:]
		in.bytes -= len(next.frame)
		in.makeRoom()
		in.mu.Unlock()
		in.run(next)
	}
}

// stop drops what waits and what comes. The event that runs goes on.
func (in *inbox) stop() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stopped, in.waiting, in.bytes = true, nil, 0
	in.makeRoom()
}

// wait returns once no event runs. Call stop before.
func (in *inbox) wait() { in.work.Wait() }
