package sessiontest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// Taken has a field of each shape that can be read once.
//
//duckgen:session cookie=taken
type Taken struct {
	Name   string            `session:"name"`
	Word   string            `session:"word,once"`
	Secret string            `session:"secret,once,secret"`
	Best   int               `session:"best,once,merge=max"`
	Points int64             `session:"points,once,merge=sum"`
	Moved  string            `session:"moved,once,was=stood"`
	Listed []string          `session:"listed,once"`
	Inbox  []string          `session:"inbox,once,merge=append,max=3"`
	Notes  map[string]string `session:"notes,once"`
	Gifts  map[string]int    `session:"gifts,once,merge=sum"`
}

// taken is what a request takes of every field.
type taken struct {
	word, secret, moved string
	best                int
	points              int64
	listed, inbox       []string
	notes               map[string]string
	gifts               map[string]int
}

func (s *TakenSession) takeAll() taken {
	return taken{s.TakeWord(), s.TakeSecret(), s.TakeMoved(), s.TakeBest(), s.TakePoints(),
		s.TakeListed(), s.TakeInbox(), s.TakeNotes(), s.TakeGifts()}
}

func (s *TakenSession) setAll() {
	s.SetName("Ann")
	s.SetWord("one")
	s.SetSecret("one")
	s.SetMoved("one")
	s.SetBest(1)
	s.SetPoints(1)
	s.SetListed([]string{"one"})
	s.SetInbox([]string{"one"})
	s.SetNotes(map[string]string{"a": "one", "b": "two"})
	s.SetGifts(map[string]int{"a": 1, "b": 2})
}

// TestV9WhatOthersStoreStays shows of every shape: request A takes, B writes, A
// ends.
func TestV9WhatOthersStoreStays(t *testing.T) {
	for _, c := range []struct {
		name   string
		others func(*TakenSession)
		also   func(*TakenSession) // in the request that takes, afterwards
		want   taken               // what stays
	}{
		{name: "nothing", others: func(s *TakenSession) { s.SetName("Bea") }},
		{name: "another value", others: func(s *TakenSession) { s.SetWord("two"); s.SetSecret("two") },
			want: taken{word: "two", secret: "two"}},
		{name: "another value, in a field that has moved", others: func(s *TakenSession) { s.SetMoved("two") },
			want: taken{moved: "two"}},
		{name: "a larger one", others: func(s *TakenSession) { s.SetBest(2) }, want: taken{best: 2}},
		{name: "the larger of two", others: func(s *TakenSession) { s.SetBest(9) },
			also: func(s *TakenSession) { s.SetBest(7) }, want: taken{best: 9}},
		{name: "a counter that is set", others: func(s *TakenSession) { s.SetPoints(7) }, want: taken{points: 7}},
		{name: "a counter that was added to", others: func(s *TakenSession) { s.AddPoints(2) }, want: taken{points: 3}},
		{name: "what both add", others: func(s *TakenSession) { s.AddPoints(2) },
			also: func(s *TakenSession) { s.AddPoints(4) }, want: taken{points: 7}},
		{name: "another slice", others: func(s *TakenSession) { s.SetListed([]string{"one", "two"}) },
			want: taken{listed: []string{"one", "two"}}},
		{name: "what was appended", others: func(s *TakenSession) { s.AppendInbox("two") }, want: taken{inbox: []string{"two"}}},
		{name: "what both append", others: func(s *TakenSession) { s.AppendInbox("two") },
			also: func(s *TakenSession) { s.AppendInbox("three") }, want: taken{inbox: []string{"two", "three"}}},
		{name: "what was appended beyond the limit", others: func(s *TakenSession) { s.AppendInbox("two", "three", "four") },
			want: taken{inbox: []string{"two", "three", "four"}}},
		{name: "one element", others: func(s *TakenSession) { s.SetNotesItem("a", "three"); s.SetNotesItem("c", "four") },
			want: taken{notes: map[string]string{"a": "three", "c": "four"}}},
		{name: "counted elements", others: func(s *TakenSession) { s.AddGiftsItem("a", 2); s.AddGiftsItem("c", 4) },
			want: taken{gifts: map[string]int{"a": 3, "c": 4}}},
		{name: "nothing, as both take", others: func(s *TakenSession) { s.takeAll() }},
		{name: "nothing, as both take and others append", others: func(s *TakenSession) { s.takeAll(); s.AppendInbox("two") },
			want: taken{inbox: []string{"two"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, format := range storeFormats {
				t.Run(format.name, func(t *testing.T) {
					p := start(t, format.newStore(t), NewTakenSessions, TakenFrom)
					b := &jar{}
					p.visit(b, (*TakenSession).setAll)
					p.visit(b, func(s *TakenSession) {
						if got := fmt.Sprint(s.takeAll()); got != fmt.Sprint(taken{"one", "one", "one", 1, 1,
							[]string{"one"}, []string{"one"}, map[string]string{"a": "one", "b": "two"}, map[string]int{"a": 1, "b": 2}}) {
							t.Errorf("took %v", got)
						}
						if c.also != nil {
							c.also(s)
						}
						other := *b
						p.visit(&other, c.others)
					})
					p.visit(b, func(s *TakenSession) {
						if got := s.takeAll(); fmt.Sprint(got) != fmt.Sprint(c.want) {
							t.Errorf("%+v stays, want %+v", got, c.want)
						}
					})
				})
			}
		})
	}
}

// TestV9OneFieldThatOthersChangedHoldsNoOtherBack shows that the rest of what was
// taken and written is stored.
func TestV9OneFieldThatOthersChangedHoldsNoOtherBack(t *testing.T) {
	p := start(t, storeFormats[0].newStore(t), NewTakenSessions, TakenFrom)
	b := &jar{}
	p.visit(b, (*TakenSession).setAll)
	p.visit(b, func(s *TakenSession) {
		s.takeAll()
		s.SetName("Cid")
		other := *b
		p.visit(&other, func(s *TakenSession) { s.SetWord("two"); s.SetNotesItem("b", "three") })
	})
	p.visit(b, func(s *TakenSession) {
		name, got := s.Name(), s.takeAll()
		if name != "Cid" || got.word != "two" || !maps.Equal(got.notes, map[string]string{"b": "three"}) ||
			got.inbox != nil || got.points != 0 || got.listed != nil {
			t.Errorf("%s, %+v", name, got)
		}
	})
}

// A request that is over takes nothing, and says so.
func TestR8TakingAfterTheEndIsAnEvent(t *testing.T) {
	var events []runtime.EventKind
	s, j := newStepsite(t, storeFormats[0].newStore(t), func(c *runtime.Config) {
		c.OnEvent = func(_ context.Context, e runtime.Event) { events = append(events, e.Kind) }
	}), &jar{}
	s.visit(j, func(v *SteppedSession) { v.SetState("one"); v.SetLinks(map[string]string{"a": "b"}) })
	for name, take := range map[string]func(v *SteppedSession) bool{
		"a value":    func(v *SteppedSession) bool { return v.TakeState() == "one" },
		"an element": func(v *SteppedSession) bool { got, _ := v.TakeLinksItem("a"); return got == "b" },
		"a map":      func(v *SteppedSession) bool { return len(v.TakeLinks()) == 1 },
	} {
		var kept *SteppedSession
		s.visit(j, func(v *SteppedSession) { kept = v; v.Snapshot() })
		events = nil
		for range 2 {
			if !take(kept) || kept.Dirty() {
				t.Errorf("%s: not there, or taken", name)
			}
		}
		if !slices.Equal(events, []runtime.EventKind{runtime.EventClosedWrite, runtime.EventClosedWrite}) {
			t.Errorf("%s: events %q", name, events)
		}
	}
}
