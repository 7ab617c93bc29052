package sessiontest

import (
	"context"
	"errors"
	goruntime "runtime"
	"strconv"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// Wide has fields of a type that is stored in a byte or two while it is empty, and
// takes 16 KiB of memory.
//
//duckgen:session cookie=wide
type Wide struct {
	Tile    Tile            `session:"tile"`
	Listed  []Tile          `session:"listed"`
	Logged  []Tile          `session:"logged,merge=append"`
	Mapped  map[string]Tile `session:"mapped"`
	Nested  map[string]Row  `session:"nested"`
	Pointed *Row            `session:"pointed"`
}

type (
	Tile struct{ N [2048]int64 }
	Row  struct{ Tiles []Tile }
)

const wideKind = "github.com/duckgen/duckgen/runtime/internal/sessiontest.Wide"

// What the program may set, it reads; what would take too much memory it may not set.
func TestAValueOfEmptyPartsIsRefusedWhenItIsSet(t *testing.T) {
	set := map[string]func(s *WideSession, n int){
		"listed":  func(s *WideSession, n int) { s.SetListed(make([]Tile, n)) },
		"logged":  func(s *WideSession, n int) { s.AppendLogged(make([]Tile, n)...) },
		"mapped":  func(s *WideSession, _ int) { s.SetMappedItem("a", Tile{}) },
		"nested":  func(s *WideSession, n int) { s.SetNestedItem("a", Row{make([]Tile, n)}) },
		"pointed": func(s *WideSession, n int) { s.SetPointed(&Row{make([]Tile, n)}) },
	}
	for field, set := range set {
		for _, format := range storeFormats {
			p := start(t, format.newStore(t), NewWideSessions, WideFrom)
			b := &jar{}
			p.visit(b, func(s *WideSession) {
				s.SetTile(Tile{})
				set(s, 100)
				err := s.Save(context.Background())
				var limit *runtime.FieldError
				if !errors.Is(err, runtime.ErrTooLarge) || runtime.StatusOf(err) != 413 || !errors.As(err, &limit) || limit.Field != field {
					t.Errorf("%s, %s: %v, want the field and that it is too large", format.name, field, err)
				}
				s.Discard()
				p.errs = nil // which have told it, too
			})
		}
	}
}

// Bytes that somebody has stored all the same take little to be refused.
func TestStoredEmptyPartsTakeLittleMemory(t *testing.T) {
	const elements = 10_000
	for _, format := range storeFormats {
		store := format.newStore(t)
		p := start(t, store, NewWideSessions, WideFrom)
		b := &jar{}
		p.visit(b, func(s *WideSession) { s.SetTile(Tile{N: [2048]int64{1}}) })
		key := keyOf(t, wideKind, b.cookie, time.Now())
		empty, list := "\x80", string([]byte{0xdd, 0, 0, elements >> 8, elements & 0xff})
		for range elements {
			list += empty
		}
		if format.name != "MessagePack" {
			empty, list = "{}", "[{}"
			for range elements - 1 {
				list += ",{}"
			}
			list += "]"
		}
		put(t, store, key, runtime.Entry{Key: "listed", Value: list})
		put(t, store, key, runtime.Entry{Key: "logged", Value: list})
		const items = 500
		for n := range items {
			put(t, store, key, runtime.Entry{Key: "mapped:" + strconv.Itoa(n), Value: empty})
		}
		p.told()
		var before, after goruntime.MemStats
		p.visit(b, func(s *WideSession) {
			_ = s.Tile()
			goruntime.ReadMemStats(&before)
			for range s.Listed() {
				t.Error("an element is read")
			}
			for range s.Logged() {
				t.Error("an element is read")
			}
			for range s.Mapped() {
				t.Error("an item is read")
			}
			goruntime.ReadMemStats(&after)
		})
		if took, most := after.TotalAlloc-before.TotalAlloc, uint64(2*4*(64*len(list)+64<<10)); took > most {
			t.Errorf("%s: reading allocates %d bytes, more than %d", format.name, took, most)
		}
		if told := p.told(); len(told) != items+2 {
			t.Errorf("%s: %d misfits are told, want %d", format.name, len(told), items+2)
		}
	}
}

// What does not fit any more is refused when it is merged, and nothing is lost.
func TestAppendingMoreThanFitsIsRefused(t *testing.T) {
	for _, format := range storeFormats {
		p := start(t, format.newStore(t), NewWideSessions, WideFrom)
		b, stored := &jar{}, 0
		for err := error(nil); err == nil && stored < 1000; {
			p.visit(b, func(s *WideSession) {
				s.AppendLogged(Tile{})
				if err = s.Save(t.Context()); err == nil {
					stored++
					return
				}
				var limit *runtime.FieldError
				if !errors.Is(err, runtime.ErrTooLarge) || !errors.As(err, &limit) || limit.Field != "logged" {
					t.Errorf("%s: %v, want the field and that it is too large", format.name, err)
				}
				s.Discard()
				p.errs = nil
			})
		}
		p.visit(b, func(s *WideSession) {
			if got := s.LoggedLen(); got != stored || stored == 0 || stored >= 100 {
				t.Errorf("%s: %d elements, %d were stored", format.name, got, stored)
			}
		})
	}
}
