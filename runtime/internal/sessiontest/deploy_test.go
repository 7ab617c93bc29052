package sessiontest

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest/newer"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest/older"
)

// A deploy is two versions of a program on one store, and a browser.
type deploy struct {
	*testing.T
	store *spyStore
	jar   jar
	older *program[older.VisitorSession]
	newer *program[newer.VisitorSession]
}

// inEveryDeploy shows a rule on each store, and in each format of which a store
// may be.
func inEveryDeploy(t *testing.T, show func(d *deploy)) {
	t.Helper()
	for _, format := range storeFormats[1:] { // the first is that of the stores
		t.Run(format.name, func(t *testing.T) { show(newDeploy(t, format.newStore(t))) })
	}
	onEveryStore(t, func(t *testing.T, on backend) { show(newDeploy(t, &spyStore{Store: on.open(t)})) })
}

func newDeploy(t *testing.T, store *spyStore) *deploy {
	t.Helper()
	return &deploy{
		T:     t,
		store: store,
		older: start(t, store, older.NewVisitorSessions, older.VisitorFrom),
		newer: start(t, store, newer.NewVisitorSessions, newer.VisitorFrom),
	}
}

// before and after are requests to the older and the newer program.
func (d *deploy) before(handler func(*older.VisitorSession)) {
	d.Helper()
	d.older.visit(&d.jar, handler)
}
func (d *deploy) after(handler func(*newer.VisitorSession)) {
	d.Helper()
	d.newer.visit(&d.jar, handler)
}

// stored checks which entries are stored.
func (d *deploy) stored(what string, want ...string) {
	d.Helper()
	entries := entriesOf(d, d.store, keyOf(d, "example.com/shop.Visitor", d.jar.cookie, time.Now()))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(entries))); diff != "" {
		d.Errorf("stored %s (-want +got):\n%s", what, diff)
	}
}

// fillOlder sets what the newer version has renamed.
func fillOlder(s *older.VisitorSession) {
	s.SetNick("Ada")
	s.SetVisits(3)
	s.SetBasket(map[string]int{"tea": 1, "milk": 2})
	s.SetOptions(map[int]string{1: "a", 2: "b"})
	s.SetSeen([]string{"x"})
	s.SetAccount(7)
	s.SetLevel(5)
	s.SetKey("sesame")
}

var renamed = newer.Visitor{
	Name:     "Ada",
	Views:    3,
	Cart:     map[string]int{"tea": 1, "milk": 2},
	Settings: map[int]string{1: "a", 2: "b"},
	Recent:   []string{"x"},
	UserID:   7,
	Rank:     5,
	APIKey:   "sesame",
}

func TestV8ReadingTakesTheOldEntryWhereThereIsNoNewOne(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(fillOlder)
		d.after(func(s *newer.VisitorSession) {
			if diff := cmp.Diff(renamed, s.Snapshot()); diff != "" {
				d.Errorf("(-want +got):\n%s", diff)
			}
			if n, ok := s.CartItem("tea"); n != 1 || !ok || s.CartLen() != 2 {
				d.Errorf("tea %d, %v, %d in the cart", n, ok, s.CartLen())
			}
			if v, ok := s.SettingsItem(2); v != "b" || !ok {
				d.Errorf("setting %q, %v", v, ok)
			}
			if s.Dirty() {
				d.Errorf("dirty: %q", s.DirtyFields())
			}
		})
	})
}

func TestV8WhileBothVersionsRunTheNewersValueWinsAndSumsAdd(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(fillOlder)
		d.after(func(s *newer.VisitorSession) {
			s.SetName("Eve")
			s.AddViews(10)
			s.AddCartItem("tea", 10)
			s.SetCartItem("milk", 20)
			s.SetSettingsItem(1, "new")
			s.AppendRecent("y")
			s.SetUserID(8)
			s.SetRank(6)
			s.SetAPIKey("new")
		})
		d.before(func(s *older.VisitorSession) {
			if s.Nick() != "" {
				d.Errorf("the older version reads nick %q: the set has left the old entry", s.Nick())
			}
			fillOlder(s)
			s.AddVisits(1)
			s.SetOptionsItem(2, "older")
		})
		want := newer.Visitor{
			Name:     "Eve",
			Views:    14,
			Cart:     map[string]int{"tea": 11, "milk": 22},
			Settings: map[int]string{1: "new", 2: "older"},
			Recent:   []string{"x", "y"},
			UserID:   8,
			Rank:     6,
			APIKey:   "new",
		}
		d.after(func(s *newer.VisitorSession) {
			if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
				d.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
}

func TestV8SetRemovesTheOldEntry(t *testing.T) {
	set := func(s *newer.VisitorSession) {
		s.SetName("Eve")
		s.SetViews(1)
		s.SetCart(map[string]int{"tea": 9})
		s.SetSettings(map[int]string{3: "c"})
		s.SetRecent([]string{"z"})
		s.SetUserID(1)
		s.SetRank(9)
		s.SetAPIKey("k")
	}
	inEveryDeploy(t, func(d *deploy) {
		for _, loaded := range []bool{false, true} {
			d.jar = jar{}
			d.before(fillOlder)
			d.after(func(s *newer.VisitorSession) {
				if loaded {
					s.Snapshot()
				}
				set(s)
			})
			d.stored("after setting", "api_key", "cart:tea", "name", "rank", "recent", "settings:3", "user_id", "views")
		}
	})
}

func TestV8ClearRemovesBothEntries(t *testing.T) {
	clear := func(s *newer.VisitorSession) {
		s.ClearName()
		s.ClearViews()
		s.ClearCart()
		s.ClearSettings()
		s.ClearRecent()
		s.ClearUserID()
		s.ClearRank()
		s.SetAPIKey("")
	}
	inEveryDeploy(t, func(d *deploy) {
		for _, loaded := range []bool{false, true} {
			d.jar = jar{}
			d.before(func(s *older.VisitorSession) { fillOlder(s); s.SetKept("kept") })
			d.after(func(s *newer.VisitorSession) {
				if loaded {
					s.Snapshot()
				}
				clear(s)
			})
			d.stored("after clearing", "kept")
		}
	})
}

func TestV8AnElementsWriteRemovesOnlyItsOwnOldEntry(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(fillOlder)
		d.after(func(s *newer.VisitorSession) {
			s.SetCartItem("tea", 5)
			s.DeleteSettingsItem(1)
		})
		d.stored("after writing one element of each map",
			"account", "basket:milk", "cart:tea", "key", "level", "nick", "options:2", "seen", "visits")
		d.after(func(s *newer.VisitorSession) {
			if v := s.Snapshot(); !maps.Equal(v.Cart, map[string]int{"tea": 5, "milk": 2}) || !maps.Equal(v.Settings, map[int]string{2: "b"}) {
				d.Errorf("cart %v, settings %v", v.Cart, v.Settings)
			}
		})
	})
}

func TestV8SettingAMapToWhatStandsUnderTheOldKeyIsNoChange(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(fillOlder)
		d.after(func(s *newer.VisitorSession) {
			stored := s.Snapshot()
			s.SetCart(stored.Cart)
			s.SetSettings(stored.Settings)
			if len(stored.Settings) == 0 || len(stored.Cart) == 0 || s.Dirty() {
				d.Errorf("%v, %v: changed are %q", stored.Cart, stored.Settings, s.DirtyFields())
			}
		})
	})
}

func TestV8SettingAnElementToWhatStandsUnderTheOldKeyIsNoChange(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(fillOlder)
		d.after(func(s *newer.VisitorSession) {
			stored := s.Snapshot()
			s.SetSettingsItem(1, stored.Settings[1])
			if stored.Settings[1] == "" || s.Dirty() {
				d.Errorf("%v: changed are %q", stored.Settings, s.DirtyFields())
			}
		})
	})
}

func TestV8AddKeepsTheOldEntry(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) { s.SetVisits(3); s.SetBasketItem("tea", 1) })
		d.after(func(s *newer.VisitorSession) { s.AddViews(4); s.AddCartItem("tea", 5) })
		d.stored("after adding", "basket:tea", "cart:tea", "views", "visits")
		d.after(func(s *newer.VisitorSession) {
			tea, _ := s.CartItem("tea")
			if s.Views() != 7 || tea != 6 || s.CartLen() != 1 {
				d.Errorf("views %d, tea %d, want 7 and 6", s.Views(), tea)
			}
		})
	})
}

func TestV8AMergeComputesFromTheOldEntryAndReplacesIt(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) { s.SetSeen([]string{"a", "b", "c"}); s.SetLevel(5) })
		d.after(func(s *newer.VisitorSession) { s.AppendRecent("d"); s.SetRank(6) })
		d.stored("after merging", "rank", "recent")
		d.after(func(s *newer.VisitorSession) {
			if v := s.Snapshot(); !slices.Equal(v.Recent, []string{"b", "c", "d"}) || v.Rank != 6 {
				d.Errorf("recent %q, rank %d", v.Recent, v.Rank)
			}
		})
	})
}

func TestV8AMergeWithTheOldEntryIsConditional(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) { s.SetSeen([]string{"a"}); s.SetLevel(5) })
		interfered := false
		d.store.before = func(call string) {
			if call == "update" && !interfered {
				interfered = true
				d.before(func(s *older.VisitorSession) { s.AppendSeen("b"); s.SetLevel(8) })
			}
		}
		d.after(func(s *newer.VisitorSession) { s.AppendRecent("c"); s.SetRank(6) })
		d.after(func(s *newer.VisitorSession) {
			if v := s.Snapshot(); !slices.Equal(v.Recent, []string{"a", "b", "c"}) || v.Rank != 8 {
				d.Errorf("recent %q, rank %d, want what both versions merged", v.Recent, v.Rank)
			}
		})
	})
}

func TestV8SessionsAreFoundByTheOldEntry(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(fillOlder)
		sessions, err := newer.NewVisitorSessions(d.store, func(c *runtime.Config) { c.Keys = [][]byte{testKey} })
		if err != nil {
			d.Fatal(err)
		}
		found := 0
		for s, err := range sessions.FindByUserID(context.Background(), 7) {
			if err != nil || s.Name() != "Ada" {
				d.Errorf("found %v, %v", s, err)
			}
			found++
		}
		if found != 1 {
			d.Errorf("found %d sessions, want 1", found)
		}
		if n, err := sessions.RevokeByUserID(context.Background(), 7); n != 1 || err != nil {
			d.Errorf("revoked %d, %v, want 1", n, err)
		}
	})
}

func TestV11AFieldWhoseTypeChangedResetsAloneWithAnEvent(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) {
			s.SetKept("kept")
			s.SetAge("forty")
			s.SetPrefs("none")
			s.SetLabels(map[string]string{"a": "b"})
			s.SetScore(5)
			s.SetHits(5)
			s.SetParts(map[string]string{"a": "b"})
			s.SetTries(map[string]int{"a": 1})
		})
		d.after(func(s *newer.VisitorSession) {
			if diff := cmp.Diff(newer.Visitor{Kept: "kept"}, s.Snapshot()); diff != "" {
				d.Errorf("(-want +got):\n%s", diff)
			}
			if s.Err() != nil {
				d.Errorf("Err: %v, want none", s.Err())
			}
		})
		want := []string{"age", "hits", "labels", "parts:a", "prefs", "score", "tries:a"}
		if diff := cmp.Diff(want, d.newer.told()); diff != "" {
			d.Errorf("misfits told (-want +got):\n%s", diff)
		}
		d.stored("after only reading", "age", "hits", "kept", "labels:a", "parts:a", "prefs", "score", "tries:a")

		d.after(func(s *newer.VisitorSession) {
			s.Kept()
			s.SetAge(40)
			s.SetPrefsItem("x", "y")
			s.SetLabels("none")
			s.SetScore(1)
			s.SetHits("many")
			s.SetParts(map[string]int{"b": 2})
			s.SetTriesItem("a", "c")
		})
		d.after(func(s *newer.VisitorSession) {
			want := newer.Visitor{
				Kept: "kept", Age: 40, Prefs: map[string]string{"x": "y"}, Labels: "none", Score: 1, Hits: "many",
				Parts: map[string]int{"b": 2}, Tries: map[string]string{"a": "c"},
			}
			if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
				d.Errorf("after writing (-want +got):\n%s", diff)
			}
		})
		d.stored("after writing", "age", "hits", "kept", "labels", "parts:b", "prefs:x", "score", "tries:a")
		d.newer.told()

		// Back to the older version: what the newer one wrote does not fit there.
		d.before(func(s *older.VisitorSession) {
			v := s.Snapshot()
			want := older.Visitor{Kept: "kept", Labels: nil}
			if diff := cmp.Diff(want, v); diff != "" {
				d.Errorf("in the older version (-want +got):\n%s", diff)
			}
		})
		if got := d.older.told(); len(got) != 7 {
			d.Errorf("misfits told: %q, want 7", got)
		}
	})
}

func TestV11ClearingRemovesAlsoWhatHadAnotherShape(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) {
			s.SetKept("kept")
			s.SetPrefs("none")
			s.SetLabels(map[string]string{"a": "b"})
		})
		d.after(func(s *newer.VisitorSession) {
			s.Kept()
			s.ClearPrefs()
			s.ClearLabels()
		})
		d.stored("after clearing", "kept")
	})
}

func TestDeployEachVersionKeepsTheFieldsOfTheOther(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) { s.SetKept("1"); s.SetDropped("dropped") })
		d.after(func(s *newer.VisitorSession) { s.SetKept("2"); s.SetAdded("added"); s.Renew() })
		d.before(func(s *older.VisitorSession) {
			if s.Kept() != "2" || s.Dropped() != "dropped" {
				d.Errorf("older: kept %q, dropped %q", s.Kept(), s.Dropped())
			}
			s.SetKept("3")
			s.ClearDropped()
			s.Renew()
		})
		d.after(func(s *newer.VisitorSession) {
			if s.Kept() != "3" || s.Added() != "added" {
				d.Errorf("newer: kept %q, added %q", s.Kept(), s.Added())
			}
			s.ClearKept()
		})
		d.stored("at the end", "added")
		if got := append(d.newer.told(), d.older.told()...); got != nil {
			d.Errorf("misfits told: %q, want none", got)
		}
	})
}

// TestDeployInterleavedRequestsOfBothVersionsLoseNothing forces a request of
// each version into one of the other, after that has loaded.
func TestDeployInterleavedRequestsOfBothVersionsLoseNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		d := newDeploy(t, &spyStore{Store: on.open(t)})
		for range rounds() {
			d.jar = jar{}
			d.interleaveVersions()
			if t.Failed() {
				return
			}
		}
	})
}

func (d *deploy) interleaveVersions() {
	d.before(func(s *older.VisitorSession) {
		s.SetDropped("1")
		s.SetVisits(1)
		s.SetBasket(map[string]int{"tea": 1})
		s.SetOptions(map[int]string{1: "a", 2: "b"})
		s.SetSeen([]string{"a"})
		s.SetLevel(5)
	})
	d.after(func(s *newer.VisitorSession) {
		s.Snapshot()
		d.before(func(s *older.VisitorSession) {
			s.SetDropped("2")
			s.SetKept("kept")
			s.AddVisits(10)
			s.AddBasketItem("tea", 10)
			s.AddBasketItem("milk", 1)
			s.SetOptionsItem(3, "c")
			s.AppendSeen("b")
			s.SetLevel(8)
		})
		s.SetAdded("1")
		s.AddViews(100)
		s.AddCartItem("tea", 100)
		s.SetSettingsItem(1, "new")
		s.AppendRecent("c")
		s.SetRank(7)
	})
	d.before(func(s *older.VisitorSession) {
		s.Snapshot()
		d.after(func(s *newer.VisitorSession) {
			s.SetAdded("2")
			s.AddViews(1000)
			s.AddCartItem("milk", 1000)
			s.SetSettingsItem(4, "d")
			s.SetPrefsItem("x", "y") // of another type in the older version
		})
		s.SetDropped("3")
		s.AddVisits(10_000)
		s.AddBasketItem("milk", 10_000)
		s.SetOptionsItem(5, "e")
		if s.Dropped() != "3" || s.Kept() != "kept" {
			d.Errorf("in the older version: dropped %q, kept %q", s.Dropped(), s.Kept())
		}
	})
	want := newer.Visitor{
		Kept: "kept", Added: "2",
		Views:    11_111,
		Cart:     map[string]int{"tea": 111, "milk": 11_001},
		Settings: map[int]string{1: "new", 2: "b", 3: "c", 4: "d", 5: "e"},
		Recent:   []string{"a", "b", "c"},
		Rank:     8,
		Prefs:    map[string]string{"x": "y"},
	}
	d.after(func(s *newer.VisitorSession) {
		if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
			d.Errorf("in the newer version (-want +got):\n%s", diff)
		}
	})
	d.before(func(s *older.VisitorSession) {
		if s.Dropped() != "3" {
			d.Errorf("dropped %q: the newer version has lost what it does not know", s.Dropped())
		}
	})
}

func TestDeployAFieldThatBecomesAnIndexIsFoundOnceItIsSetAgain(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) { s.SetTeam(4) })
		d.after(func(s *newer.VisitorSession) {
			if s.Team() != 4 {
				d.Errorf("team %d, want 4", s.Team())
			}
			s.SetTeam(4)
		})
		sessions, err := newer.NewVisitorSessions(d.store, func(c *runtime.Config) { c.Keys = [][]byte{testKey} })
		if err != nil {
			d.Fatal(err)
		}
		if n, err := sessions.RevokeByTeam(context.Background(), 4); n != 1 || err != nil {
			d.Errorf("revoked %d, %v, want the one session", n, err)
		}
	})
}

func TestDeployALowerLimitBindsOnlyWhatGrows(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) { s.SetBulk(map[string]string{"a": "1", "b": "2", "c": "3"}) })
		d.after(func(s *newer.VisitorSession) { s.SetBulkItem("a", "9") })
		d.after(func(s *newer.VisitorSession) {
			if v, _ := s.BulkItem("a"); v != "9" || s.BulkLen() != 3 {
				d.Errorf("a is %q of %d, want the new value and all three", v, s.BulkLen())
			}
		})
	})
}

func TestV16AMemberReadsWhatIsStoredUnderItsEarlierName(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		d.before(func(s *older.VisitorSession) {
			s.SetHome(older.Address{Street: "Lane", Zip: "7", Room: new(3)})
			s.SetPlacesItem("work", older.Address{Street: "Road", Zip: "8"})
			s.SetPlacesItem("gym", older.Address{Street: "Track"})
		})
		d.after(func(s *newer.VisitorSession) {
			if got, want := s.Home(), (newer.Address{Street: "Lane", Postcode: "7"}); !cmp.Equal(got, want) {
				d.Errorf("home is %v", got)
			}
			if got, _ := s.PlacesItem("work"); !cmp.Equal(got, newer.Address{Street: "Road", Postcode: "8"}) {
				d.Errorf("work is %v", got)
			}
			s.SetPlacesItem("gym", newer.Address{Street: "Field", Printed: func() {}})
		})
		d.before(func(s *older.VisitorSession) {
			if got := s.Home(); got.Zip != "7" || *got.Room != 3 {
				d.Errorf("an earlier program reads %v, which nobody has written since", got)
			}
			if got, _ := s.PlacesItem("gym"); got != (older.Address{}) {
				d.Errorf("an earlier program reads %v from renamed members", got)
			}
		})
		d.after(func(s *newer.VisitorSession) {
			if got, _ := s.PlacesItem("gym"); !cmp.Equal(got, newer.Address{Street: "Field"}) {
				d.Errorf("gym is %v", got)
			}
		})
	})
}
