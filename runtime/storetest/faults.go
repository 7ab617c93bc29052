package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C18 and C20: what becomes of a store without its server, and after Close.

// outageTimeout is how long an operation may take to find out that the server is
// away.
const outageTimeout = 2 * time.Second

// answers are the errors by which a store says that it works.
var answers = []error{
	runtime.ErrNotFound, runtime.ErrExists, runtime.ErrConflict, runtime.ErrTooLarge, runtime.ErrOverflow,
	runtime.ErrSignedOut, runtime.ErrSuperseded, runtime.ErrReused, runtime.ErrEnded,
}

// outage checks S3.
func outage(k *kit) {
	if k.outage == nil {
		k.Skipf("no WithOutage option")
	}
	s, fresh := k.create(k.login(7)), newSession()
	end := k.outage(k.store)
	ctx, cancel := context.WithTimeout(k.Context(), outageTimeout)
	defer cancel()
	_, err := k.store.Load(ctx, k.key(s))
	k.down("Load", err)
	_, err = k.store.Update(ctx, k.key(s), set(k.entry("theme", "dark")))
	k.down("Update", err)
	k.down("Create", k.store.Create(ctx, k.key(fresh), k.record(fresh)))
	k.down("Delete", k.store.Delete(ctx, k.key(s)))
	if indexer, ok := runtime.Ability[runtime.Indexer](k.store); ok {
		_, err = indexer.Revoke(ctx, k.user(7), k.now)
		k.down("Revoke", err)
		err = nil
		for _, err = range indexer.Find(ctx, k.user(7), k.now) {
		}
		k.down("Find", err)
	}
	end()
	k.holds("the end of an outage", s, k.login(7))
}

// down demands an error that is none of a working store.
func (k *kit) down(what string, err error) {
	k.Helper()
	if err == nil {
		k.Errorf("%s during an outage succeeds", what)
	}
	for _, answer := range answers {
		if errors.Is(err, answer) {
			k.Errorf("%s during an outage: got error %v, which is what a working store answers", what, err)
		}
	}
}

// leakTimeout is how long goroutines may take to end after Close.
const leakTimeout = 2 * time.Second

// closes labels the goroutines that the store starts, so that those of others do
// not count.
func closes(k *kit) {
	label := fmt.Sprintf("%x", newID())
	var store runtime.Store
	pprof.Do(k.Context(), pprof.Labels("storetest", label), func(context.Context) {
		store = k.open()
		closer, ok := store.(io.Closer)
		if !ok {
			k.Skipf("the store has no method Close() error")
		}
		s := newSession()
		if err := store.Create(k.Context(), k.key(s), k.record(s)); err != nil {
			k.Fatalf("Create: %v", err)
		}
		if err := closer.Close(); err != nil {
			k.Errorf("Close: %v", err)
		}
		k.down("Load after Close", closedErr(k, store, s))
	})
	deadline := time.Now().Add(leakTimeout)
	for leaked := goroutines(label); leaked != ""; leaked = goroutines(label) {
		if time.Now().After(deadline) {
			k.Fatalf("goroutines are left %v after Close:\n%s", leakTimeout, leaked)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func closedErr(k *kit, store runtime.Store, s session) error {
	_, err := store.Load(k.Context(), k.key(s))
	return err
}

// goroutines returns the stacks of the goroutines with the label but the
// caller's own.
func goroutines(label string) string {
	var profile strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return err.Error()
	}
	var found []string
	for _, stack := range strings.Split(profile.String(), "\n\n") {
		if strings.Contains(stack, label) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}
