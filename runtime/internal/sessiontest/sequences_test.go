package sessiontest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/internal/testtier"
)

// An operation is something that a handler may do to one field.
type operation struct {
	name string
	do   func(*VisitorSession)
}

// operations are those on each field, any of which may follow any other.
var operations = map[string][]operation{
	"name": {
		{"set a", func(s *VisitorSession) { s.SetName("a") }},
		{"set b", func(s *VisitorSession) { s.SetName("b") }},
		{"clear", func(s *VisitorSession) { s.ClearName() }},
	},
	"cart": {
		{"set item", func(s *VisitorSession) { s.SetCartItem("tea", 2) }},
		{"add 0", func(s *VisitorSession) { s.AddCartItem("tea", 0) }},
		{"add 1", func(s *VisitorSession) { s.AddCartItem("tea", 1) }},
		{"add -1", func(s *VisitorSession) { s.AddCartItem("tea", -1) }},
		{"delete item", func(s *VisitorSession) { s.DeleteCartItem("tea") }},
		{"set", func(s *VisitorSession) { s.SetCart(map[string]int{"tea": 2, "milk": 1}) }},
		{"clear", func(s *VisitorSession) { s.ClearCart() }},
	},
	"views": {
		{"set", func(s *VisitorSession) { s.SetViews(3) }},
		{"add", func(s *VisitorSession) { s.AddViews(3) }},
		{"take back", func(s *VisitorSession) { s.AddViews(-3) }},
		{"clear", func(s *VisitorSession) { s.ClearViews() }},
	},
	"recent": {
		{"append 1", func(s *VisitorSession) { s.AppendRecent("x") }},
		{"append 2", func(s *VisitorSession) { s.AppendRecent("y", "z") }},
		{"set", func(s *VisitorSession) { s.SetRecent([]string{"x"}) }},
		{"clear", func(s *VisitorSession) { s.ClearRecent() }},
	},
	"best": {
		{"set -1", func(s *VisitorSession) { s.SetBest(-1) }},
		{"set 4", func(s *VisitorSession) { s.SetBest(4) }},
		{"clear", func(s *VisitorSession) { s.ClearBest() }},
	},
	"seen_at": {
		{"set", func(s *VisitorSession) { s.SetSeenAt(begin) }},
		{"set later", func(s *VisitorSession) { s.SetSeenAt(begin.Add(time.Hour)) }},
		{"clear", func(s *VisitorSession) { s.ClearSeenAt() }},
	},
	"prefs": {
		{"set item", func(s *VisitorSession) { s.SetPrefsItem(1, Setting{On: true}) }},
		{"delete item", func(s *VisitorSession) { s.DeletePrefsItem(1) }},
		{"set", func(s *VisitorSession) { s.SetPrefs(map[int]Setting{1: {On: true}}) }},
		{"clear", func(s *VisitorSession) { s.ClearPrefs() }},
	},
}

// beginnings are what the sequences begin with: a session without the fields,
// and one with them.
var beginnings = []func(*VisitorSession){
	func(s *VisitorSession) { s.SetTheme("dark") },
	func(s *VisitorSession) {
		s.SetTheme("dark")
		s.SetName("a")
		s.SetCart(map[string]int{"tea": 2, "milk": 1})
		s.SetViews(3)
		s.SetRecent([]string{"x"})
		s.SetBest(-1)
		s.SetSeenAt(begin)
		s.SetPrefsItem(1, Setting{On: true})
	},
}

// In any sequence of two or three operations on a field it makes no difference whether
// and when the session is loaded; what is read before the commit is what the
// commit stores; and a loaded session is updated only where that changes
// something.
func TestV3LoadingChangesNoOutcome(t *testing.T) {
	for format, length := range map[int]int{0: testtier.Count(2, 2, 3), 1: 2, 2: 2} {
		t.Run(storeFormats[format].name, func(t *testing.T) {
			s := newSiteOn(t, storeFormats[format].newStore(t))
			for field, ops := range operations {
				for _, sequence := range sequences(ops, length) {
					name := field + ":"
					for _, op := range sequence {
						name += " " + op.name + ","
					}
					for _, beginning := range beginnings {
						playSequence(s, name, beginning, sequence)
					}
				}
			}
		})
	}
}

// sequences returns all sequences of the operations that have the length.
func sequences(ops []operation, length int) [][]operation {
	if length == 0 {
		return [][]operation{nil}
	}
	var all [][]operation
	for _, shorter := range sequences(ops, length-1) {
		for _, op := range ops {
			all = append(all, append(slices.Clone(shorter), op))
		}
	}
	return all
}

// playSequence plays the operations without a load, and with one before each of
// them and at the end.
func playSequence(s *site, name string, beginning func(*VisitorSession), ops []operation) {
	const never = -1
	var want Visitor
	for load := never; load <= len(ops); load++ {
		b := s.browser()
		b.visit(beginning)
		before := b.entries()
		s.store.took()
		var read, stored Visitor
		b.visit(func(v *VisitorSession) {
			for i, op := range ops {
				if i == load {
					v.Theme()
				}
				op.do(v)
			}
			if load == len(ops) {
				read = v.Snapshot()
			}
		})
		wrote := slices.Contains([]string{"update", "load update"}, s.store.took())
		changed := !cmp.Equal(before, b.entries())
		b.visit(func(v *VisitorSession) { stored = v.Snapshot() })
		if load == never {
			want = stored
		}
		if load != never && wrote != changed {
			s.t.Errorf("%s loaded before %d: updated is %v, changed %v", name, load, wrote, changed)
		}
		if diff := cmp.Diff(want, stored); diff != "" {
			s.t.Errorf("%s loaded before %d (-without a load +with it):\n%s", name, load, diff)
		}
		if diff := cmp.Diff(read, stored); load == len(ops) && diff != "" {
			s.t.Errorf("%s (-read before the commit +stored):\n%s", name, diff)
		}
	}
}
