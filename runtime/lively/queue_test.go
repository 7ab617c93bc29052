package lively

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// slow is a page that reads a frame when it is let.
type slow struct {
	let  chan error
	mu   sync.Mutex
	read []string
}

func (s *slow) write(frame []byte) error {
	if err := <-s.let; err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = append(s.read, string(frame))
	return nil
}

func TestAQueueHoldsNoMoreThanItsLimit(t *testing.T) {
	page := &slow{let: make(chan error)}
	q := &queue{limit: 10, write: page.write}
	put := func(frame string) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return q.put(ctx, []byte(frame))
	}
	for _, frame := range []string{"aaaa", "bbbb"} {
		if err := put(frame); err != nil {
			t.Fatalf("a frame within the limit: %v", err)
		}
	}
	if err := put("cccc"); !errors.Is(err, context.Canceled) {
		t.Errorf("a frame beyond the limit: %v, want that it waits", err)
	}
	waits := make(chan error)
	go func() { waits <- q.put(t.Context(), []byte("cccc")) }()
	page.let <- nil
	if err := <-waits; err != nil {
		t.Errorf("a frame that there is room for now: %v", err)
	}
	large := make(chan error)
	go func() { large <- q.put(t.Context(), []byte("larger than the limit")) }()
	for range 2 {
		page.let <- nil
	}
	if err := <-large; err != nil {
		t.Errorf("a large frame after all others: %v", err)
	}
	q.refuse(ErrClosed)
	if err := put("d"); !errors.Is(err, ErrClosed) {
		t.Errorf("a frame for a closed queue: %v", err)
	}
	page.let <- nil
	q.flush(t.Context())
	if want := []string{"aaaa", "bbbb", "cccc", "larger than the limit"}; !slices.Equal(page.read, want) {
		t.Errorf("the page has read %q, want %q", page.read, want)
	}
}

func TestAQueueWhoseWriteFailsTakesNothingMore(t *testing.T) {
	page := &slow{let: make(chan error)}
	q := &queue{limit: 4, write: page.write}
	if err := q.put(t.Context(), []byte("aaaa")); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error)
	go func() { waits <- q.put(t.Context(), []byte("bbbb")) }()
	gone := errors.New("gone")
	page.let <- gone
	if err := <-waits; !errors.Is(err, gone) {
		t.Errorf("who waited got %v, want the error of the write", err)
	}
	q.flush(t.Context())
}

func TestAnInboxHoldsNoMoreThanItsLimits(t *testing.T) {
	for name, x := range map[string]struct {
		limit, limitBytes int
		frames            []string // the last one has to wait
	}{
		"of events":                        {3, 100, []string{"a", "b", "c", "d"}},
		"of bytes":                         {100, 3, []string{"a", "b", "c", "d"}},
		"of bytes, by one larger than all": {100, 3, []string{"abcd", "e"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var ran []string
			in := &inbox{limit: x.limit, limitBytes: x.limitBytes}
			hold := make(chan struct{})
			in.begin(func() { <-hold }) // an event that takes long
			in.run = func(a arrival) { ran = append(ran, string(a.frame)) }
			put := 0
			go func() {
				for _, frame := range x.frames {
					in.put([]byte(frame))
					put++
				}
			}()
			synctest.Wait()
			if put != len(x.frames)-1 || !in.isFull() {
				t.Errorf("the limit %s: %d of %d are taken, want one to wait", name, put, len(x.frames))
			}
			close(hold)
			synctest.Wait()
			if !slices.Equal(ran, x.frames) || in.isFull() {
				t.Errorf("the limit %s: %q have run, want %q", name, ran, x.frames)
			}
		})
	}
}

func TestAStoppedInboxLetsGoWhoWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &inbox{limit: 1, limitBytes: 100, run: func(arrival) { t.Error("an event of a stopped inbox runs") }}
		hold := make(chan struct{})
		in.begin(func() { <-hold })
		in.put([]byte("a"))
		go in.put([]byte("b"))
		synctest.Wait()
		in.stop()
		in.put([]byte("c"))
		close(hold)
		in.wait()
	})
}
