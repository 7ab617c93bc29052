package lively

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestPagesWithoutAConnectionAreRememberedUpToTheLimit(t *testing.T) {
	all := newPages(2, 4)
	page := func(n int) *greeting { return &greeting{name: pageName{id: fmt.Sprint("page ", n)}} }
	open, _, _ := all.join(page(0), new(Conn))
	for n := range 4 {
		c := new(Conn)
		p, before, known := all.join(page(n+1), c)
		if before != nil || known {
			t.Fatalf("page %d is known before it comes", n+1)
		}
		p.take(c, uint64(n+1))
		p.leave(c)
		p.leave(c)
		p.ended(c)
	}
	open.take(open.conn, 7)
	var known []int
	for n := range 5 {
		if p := all.byName[page(n).name]; p != nil {
			known = append(known, n)
		}
	}
	if want := []int{0, 3, 4}; !slices.Equal(known, want) {
		t.Errorf("pages %v are remembered, want %v: one with a connection, and the last two without", known, want)
	}
	p, before, ok := all.join(page(4), new(Conn))
	if _, taken := p.since(0); !ok || before != nil || taken != 4 {
		t.Errorf("a page that comes back: known %v, taken up %d, want 4", ok, taken)
	}
	if all.gone.Len() != 1 {
		t.Errorf("%d pages have no connection, want 1", all.gone.Len())
	}
}

func TestAPagesEventsAreTakenUpOnceAndOfItsLastConnection(t *testing.T) {
	all := newPages(2, 4)
	one, two := new(Conn), new(Conn)
	p, _, _ := all.join(&greeting{name: pageName{id: "page"}}, one)
	if !p.take(one, 1) || p.take(one, 1) {
		t.Error("an event is not taken up once")
	}
	_, before, known := all.join(&greeting{name: pageName{id: "page"}}, two)
	if before != one || !known {
		t.Error("the connection before is not handed over, of which an event may run")
	}
	if p.take(one, 2) || !p.take(two, 2) || p.take(two, 1) {
		t.Error("events are taken up of the connection before, or again")
	}
	p.leave(one)
	if !p.take(two, 3) {
		t.Error("the end of the connection before ends the page's new one")
	}
	p.leave(two)
	if p.take(two, 4) {
		t.Error("an event is taken up of a connection that takes no more")
	}
	for n := range 9 {
		p.answer(answer{uint64(n), OutcomeDone})
	}
	if answers, _ := p.since(0); len(answers) != 4 || answers[3].number != 8 {
		t.Errorf("the answers %v are kept, want the last 4", answers)
	}
	if answers, _ := p.since(math.MaxInt64); len(answers) != 0 {
		t.Errorf("the page gets the answers %v, which it has", answers)
	}
}
