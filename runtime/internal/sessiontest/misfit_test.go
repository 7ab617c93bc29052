package sessiontest

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
)

// misfit returns an entry that fits no field but a list of numbers.
func (s *site) misfit(key string) runtime.Entry {
	value := "\x91\x05"
	if f, ok := s.store.Store.(runtime.Formatter); ok && f.Format() == runtime.JSON {
		value = "[5]"
	}
	return runtime.Entry{Key: key, Value: value}
}

// misfits of every shape of field, and what resets the field in a snapshot.
var misfitResets = map[string]func(v *Visitor){
	"user_id":         func(v *Visitor) { v.UserID = 0 },
	"name":            func(v *Visitor) { v.Name = "" },
	"theme":           func(v *Visitor) { v.Theme = "light" },
	"views":           func(v *Visitor) { v.Views = 0 },
	"level":           func(v *Visitor) { v.Level = 0 },
	"recent":          func(v *Visitor) { v.Recent = nil },
	"tags":            func(v *Visitor) { v.Tags = nil },
	"api_key":         func(v *Visitor) { v.APIKey = "" },
	"address":         func(v *Visitor) { v.Address = Address{} },
	"seen_at":         func(v *Visitor) { v.SeenAt = Visitor{}.SeenAt },
	"best":            func(v *Visitor) { v.Best = 0 },
	"nick":            func(v *Visitor) { v.Nick = nil },
	"avatar":          func(v *Visitor) { v.Avatar = nil },
	"ratio":           func(v *Visitor) { v.Ratio = 0 },
	"cart:tea":        func(v *Visitor) { delete(v.Cart, "tea") },
	"prefs:-1":        func(v *Visitor) { delete(v.Prefs, -1) },
	"prefs:no number": func(v *Visitor) {},
}

func TestV11AStoredValueThatDoesNotFitResetsThatFieldAlone(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		for key, reset := range misfitResets {
			b := s.browser()
			var want Visitor
			b.visit(func(s *VisitorSession) { fill(s); s.ClearNotice(); s.ClearNotices(); want = s.Snapshot() })
			reset(&want)
			b.corrupt(s.misfit(key))
			s.misfits()
			res := b.visit(func(s *VisitorSession) {
				if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
				s.Snapshot()
				if s.Err() != nil || s.Dirty() {
					t.Errorf("%s: error %v, dirty %v, want neither", key, s.Err(), s.Dirty())
				}
			})
			if got := s.misfits(); !slices.Equal(got, []string{key}) {
				t.Errorf("%s: misfits told: %q, want this one once", key, got)
			}
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d, want 200", key, res.StatusCode)
			}
			b.visit(func(s *VisitorSession) { s.SetNotice("x") })
			if e := b.entries()[key]; e != s.misfit(key) {
				t.Errorf("%s: stored is %v after a write of another field, want it kept", key, e)
			}
		}
	})
}

func TestV11AWriteOfTheFieldReplacesWhatDoesNotFit(t *testing.T) {
	set := map[string]func(*VisitorSession){
		"name":     func(s *VisitorSession) { s.SetName("Ada") },
		"views":    func(s *VisitorSession) { s.SetViews(3) },
		"recent":   func(s *VisitorSession) { s.AppendRecent("a") },
		"api_key":  func(s *VisitorSession) { s.SetAPIKey("k") },
		"seen_at":  func(s *VisitorSession) { s.SetSeenAt(begin) },
		"best":     func(s *VisitorSession) { s.SetBest(4) },
		"cart:tea": func(s *VisitorSession) { s.SetCartItem("tea", 1) },
		"prefs:4":  func(s *VisitorSession) { s.SetPrefsItem(4, Setting{On: true}) },
	}
	clear := map[string]func(*VisitorSession){
		"name":     func(s *VisitorSession) { s.ClearName() },
		"views":    func(s *VisitorSession) { s.ClearViews() },
		"recent":   func(s *VisitorSession) { s.ClearRecent() },
		"api_key":  func(s *VisitorSession) { s.ClearAPIKey() },
		"best":     func(s *VisitorSession) { s.ClearBest() },
		"cart:tea": func(s *VisitorSession) { s.ClearCart() },
		"prefs:4":  func(s *VisitorSession) { s.SetPrefs(nil) },
	}
	inEveryFormat(t, func(t *testing.T, s *site) {
		after := func(key string, write func(*VisitorSession), loaded bool) (runtime.Entry, bool) {
			b := s.browser()
			b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
			b.corrupt(s.misfit(key))
			b.visit(func(s *VisitorSession) {
				if loaded {
					s.Snapshot()
				}
				write(s)
			})
			e, stored := b.entries()[key]
			return e, stored
		}
		for _, loaded := range []bool{false, true} {
			for key, set := range set {
				if e, stored := after(key, set, loaded); !stored || e == s.misfit(key) {
					t.Errorf("%s set, loaded %v: stored is %v", key, loaded, e)
				}
			}
			for key, clear := range clear {
				if e, stored := after(key, clear, loaded); stored {
					t.Errorf("%s cleared, loaded %v: stored is %v", key, loaded, e)
				}
			}
		}
	})
}

func TestV11AMergeWithWhatDoesNotFitTellsAnEvent(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetTheme("dark") })
		b.corrupt(s.misfit("recent"), s.misfit("seen_at"), s.misfit("best"))
		s.misfits()
		b.visit(func(s *VisitorSession) {
			s.AppendRecent("a")
			s.SetSeenAt(begin)
			s.SetBest(4)
		})
		if got, want := s.misfits(), []string{"best", "recent", "seen_at"}; !slices.Equal(got, want) {
			t.Errorf("misfits told: %q, want %q", got, want)
		}
	})
}

func TestV11UnknownKeysAreKept(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { fill(s) })
		unknown := []runtime.Entry{
			s.misfit("cartridge"), s.misfit("car"), s.misfit("car:t"), s.misfit("cart2:a"), s.misfit("later:x"),
			{Key: "later", Kind: runtime.CounterEntry, Count: 5},
		}
		b.corrupt(unknown...)
		b.visit(func(s *VisitorSession) { setDefaults(s); s.Renew() })
		stored := b.entries()
		for _, e := range unknown {
			if stored[e.Key] != e {
				t.Errorf("%s: stored is %v, want it kept", e.Key, stored[e.Key])
			}
		}
		if len(stored) != len(unknown) {
			t.Errorf("stored: %v, want the unknown entries alone", stored)
		}
	})
}

func TestV11ZeroReplacesAnElementThatIsNoCounter(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(v *VisitorSession) { v.SetTheme("dark") })
		b.corrupt(s.misfit("cart:tea"))
		b.visit(func(v *VisitorSession) {
			if n, ok := v.CartItem("tea"); ok {
				t.Errorf("the element reads as %d, want none", n)
			}
			v.SetCartItem("tea", 0)
		})
		want := runtime.Entry{Key: "cart:tea", Kind: runtime.CounterEntry}
		if got := b.entries()["cart:tea"]; got != want {
			t.Errorf("stored is %v, want a counter of 0", got)
		}
	})
}
