package app

import (
	"context"
	"fmt"
	"sync"

	"github.com/duckgen/duckgen/examples/routers/app/session"
)

// A board shows orders to whoever looks at it. Its zero value is ready to use.
type board struct {
	mu      sync.Mutex
	readers map[chan string]bool
	closed  bool
}

// announce shows an order. A reader that is far behind misses it.
func (b *board) announce(o Order) {
	pieces := 0
	for _, n := range o.Cart {
		pieces += n
	}
	text := fmt.Sprintf("%s orders %d", nameOf(o.Guest), pieces)
	b.mu.Lock()
	defer b.mu.Unlock()
	for reader := range b.readers {
		select {
		case reader <- text:
		default:
		}
	}
}

// read returns what is announced from now on, until leave or close is called.
func (b *board) read() (orders <-chan string, leave func()) {
	reader := make(chan string, 16)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(reader)
		return reader, func() {}
	}
	if b.readers == nil {
		b.readers = map[chan string]bool{}
	}
	b.readers[reader] = true
	return reader, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.readers, reader)
	}
}

func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for reader := range b.readers {
		close(reader)
	}
	clear(b.readers)
}

// Enter counts the visit of a guest who looks at the orders, and returns the greeting.
func Enter(s *session.GuestSession) (greeting string) {
	s.AddVisits(1)
	return nameOf(s.Name()) + " is here"
}

// Follow sends the greeting and then the orders of all guests, each as an event with
// its name and data, until ctx ends or send returns an error, which it returns.
func (k *Kiosk) Follow(ctx context.Context, greeting string, send func(name, data string) error) error {
	orders, leave := k.board.read()
	defer leave()
	if err := send("greeting", greeting); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case order, open := <-orders:
			if !open {
				return nil
			}
			if err := send("order", order); err != nil {
				return err
			}
		}
	}
}

// Close ends what follows orders, so that a server that shuts down need not wait.
func (k *Kiosk) Close() { k.board.close() }

func nameOf(guest string) string {
	if guest == "" {
		return "somebody"
	}
	return guest
}
