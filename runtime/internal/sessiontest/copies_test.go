package sessiontest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fill gives every field a value, and returns what holds them so that a test can
// change it afterwards.
func fill(s *VisitorSession) Visitor {
	nick := "ada"
	v := Visitor{
		UserID:  7,
		Name:    "Ada",
		Theme:   "dark",
		Cart:    map[string]int{"tea": 2, "milk": 0},
		Views:   3,
		Level:   -4,
		Recent:  []string{"a", "b"},
		Tags:    []string{"x", "y"},
		Notice:  "hello",
		Notices: []string{"one", "two"},
		APIKey:  "sesame",
		Address: Address{Street: "Main St", Lines: []string{"1", "2"}},
		SeenAt:  begin.Add(time.Hour),
		Best:    -9,
		Nick:    &nick,
		Avatar:  []byte{1, 2, 0},
		Prefs:   map[int]Setting{-1: {On: true}, 10: {Value: "v"}, 9: {}},
		Ratio:   1e21,
	}
	s.SetUserID(v.UserID)
	s.SetName(v.Name)
	s.SetTheme(v.Theme)
	s.SetCart(v.Cart)
	s.SetViews(v.Views)
	s.SetLevel(v.Level)
	s.SetRecent(v.Recent)
	s.SetTags(v.Tags)
	s.SetNotice(v.Notice)
	s.SetNotices(v.Notices)
	s.SetAPIKey(v.APIKey)
	s.SetAddress(v.Address)
	s.SetSeenAt(v.SeenAt)
	s.SetBest(v.Best)
	s.SetNick(v.Nick)
	s.SetAvatar(v.Avatar)
	s.SetPrefs(v.Prefs)
	s.SetRatio(v.Ratio)
	return v
}

// scribble overwrites everything that v refers to.
func scribble(v Visitor) {
	v.Cart["tea"], v.Cart["more"] = 99, 99
	v.Recent[0], v.Tags[0], v.Notices[0] = "?", "?", "?"
	v.Address.Lines[0] = "?"
	*v.Nick = "?"
	v.Avatar[0] = 99
	v.Prefs[-1] = Setting{Value: "?"}
}

func TestV1NothingThatACallerHoldsAliasesTheSession(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		var want Visitor
		check := func(when string, s *VisitorSession) {
			t.Helper()
			if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		b.visit(func(s *VisitorSession) {
			given := fill(s)
			want = s.Snapshot()
			if diff := cmp.Diff(given, want); diff != "" {
				t.Errorf("what was set (-given +read):\n%s", diff)
			}
			scribble(given)
			check("after the caller changed what it had set", s)
			scribble(s.Snapshot())
			check("after the caller changed a snapshot", s)
		})
		b.visit(func(s *VisitorSession) {
			check("after a reload", s)
			scribble(s.Snapshot())
			*s.Nick() = "?"
			s.Avatar()[0] = 99
			s.Address().Lines[1] = "?"
			check("after the caller changed what it had read", s)
		})
	})
}

func TestV1AReadBeforeTheCommitGivesWhatAReloadGives(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		var before Visitor
		b.visit(func(s *VisitorSession) {
			s.SetSeenAt(time.Now().In(time.FixedZone("here", 3600)))
			s.SetAddress(Address{Lines: []string{}})
			s.SetName("\x00\xff\x7f")
			s.SetCart(map[string]int{"\x00\xff": 1})
			s.AppendRecent("1", "2")
			s.AppendRecent("3", "4")
			s.AddLevel(100)
			s.AddLevel(100)
			s.SetBest(5)
			s.SetBest(6)
			before = s.Snapshot()
		})
		b.visit(func(s *VisitorSession) {
			after := s.Snapshot()
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("(-before the commit +after a reload):\n%s", diff)
			}
			if before.SeenAt != after.SeenAt {
				t.Errorf("the time is %#v before the commit, %#v after a reload", before.SeenAt, after.SeenAt)
			}
			s.AppendRecent("5")
			s.AddViews(1)
			s.SetBest(4)
			s.SetSeenAt(begin)
			s.DeleteCartItem("\x00\xff")
			before = s.Snapshot()
		})
		b.visit(func(s *VisitorSession) {
			if diff := cmp.Diff(before, s.Snapshot()); diff != "" {
				t.Errorf("merged (-before the commit +after a reload):\n%s", diff)
			}
		})
	})
}

func TestV1EqualMeansTheSameEncoding(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) {
			s.SetAddress(Address{Street: "Main St"})
			s.SetSeenAt(begin)
		})
		b.visit(func(s *VisitorSession) {
			s.Name()
			s.SetAddress(Address{Street: "Main St", Lines: []string{}})
			s.SetSeenAt(begin.In(time.FixedZone("here", 3600)))
			if s.Dirty() {
				t.Errorf("dirty: %q, want nothing: a nil slice and an empty one, an instant in two zones are equal", s.DirtyFields())
			}
		})
	})
}
