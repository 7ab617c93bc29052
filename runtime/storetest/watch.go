package storetest

import (
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C23: what becomes of a watcher whose connection alone is lost.

// hearingTimeout is how long a watcher may take to notice that its connection is
// lost, or to tell what has happened.
const hearingTimeout = 30 * time.Second

// watch returns what the store tells from now on, or skips the check.
func (k *kit) watch() <-chan runtime.Change {
	k.Helper()
	watcher, ok := runtime.Ability[runtime.Watcher](k.store)
	if !ok || k.loseWatch == nil {
		k.Skipf("the store is no runtime.Watcher, or no WithLostWatch option")
	}
	changes := make(chan runtime.Change, 64)
	if err := watcher.Watch(k.Context(), func(c runtime.Change) { changes <- c }); err != nil {
		k.Fatalf("Watch: %v", err)
	}
	return changes
}

// told waits until the change is told. Others may come before it.
func (k *kit) told(what string, changes <-chan runtime.Change, want runtime.Change) {
	k.Helper()
	timeout := time.After(hearingTimeout)
	for {
		select {
		case got := <-changes:
			if got == want {
				return
			}
		case <-timeout:
			k.Fatalf("%s: a watcher is not told %+v", what, want)
		}
	}
}

// toldEnd ends a session and demands that the watcher is told.
func (k *kit) toldEnd(what string, changes <-chan runtime.Change) {
	k.Helper()
	s := k.create()
	k.end(s)
	k.told(what, changes, runtime.Change{Kind: runtime.SessionEnded, ID: s.id})
}

func watchesAgain(k *kit) {
	changes := k.watch()
	k.toldEnd("before the loss", changes)
	for range 2 {
		k.loseWatch(k.store)
		k.told("after the loss", changes, runtime.Change{Kind: runtime.ChangesMissed})
		k.toldEnd("after the loss", changes)
	}
}

func watchesAfterLoss(k *kit) {
	changes := k.watch()
	k.loseWatch(k.store)
	k.toldEnd("after the loss", k.watch())
	k.told("after the loss", changes, runtime.Change{Kind: runtime.ChangesMissed})
}
