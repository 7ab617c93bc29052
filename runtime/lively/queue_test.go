package lively

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
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
		taken, refused    string
	}{
		"of events": {3, 100, "abc", "d"},
		"of bytes":  {100, 3, "abc", "d"},
	} {
		in := &inbox{limit: x.limit, limitBytes: x.limitBytes, running: true} // by an event that takes long
		for _, frame := range x.taken {
			if !in.put([]byte(string(frame))) {
				t.Errorf("the limit %s: %c is refused", name, frame)
			}
		}
		if in.put([]byte(x.refused)) {
			t.Errorf("the limit %s: %s is taken", name, x.refused)
		}
	}
}
