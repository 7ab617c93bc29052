package fleet

import (
	"errors"
	"iter"
)

// A task is a request, an event or a revocation under way. It is a coroutine that
// pauses before each step of the store and between the steps of its handler: the
// history decides what comes first.
type task struct {
	next  func() (struct{}, bool)
	stop  func()
	pause func()
	over  bool // it has run to its end
	left  bool // by the history, which has ended
	asks  bool // it waits for the store, which it does not do for long
	lost  loss // of the next step of the store
}

// A loss is what happens to the next call of the store.
type loss uint8

const (
	nothingLost loss = iota
	callLost         // the store never gets it
	answerLost       // the store does it, and nobody learns that
)

var (
	errLost = errors.New("no answer from the store")
	errLeft = errors.New("the history has ended")
)

// start makes a task of a function, which begins with the first advance.
func start(run func()) *task {
	t := &task{}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.pause = func() {
			if !t.left && !yield(struct{}{}) {
				t.left = true
			}
		}
		run()
	})
	return t
}

// leave ends the action where it is.
func (w *world) leave(a *action) {
	w.running = a
	a.left = true
	a.stop()
	w.running = nil
}

// advance lets the action go on to its next step of the store, or to its end.
func (w *world) advance(a *action) {
	if a.over {
		return
	}
	w.running = a
	_, more := a.next()
	w.running = nil
	a.over = !more
}
