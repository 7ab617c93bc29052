package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
)

// Timed has a field of each shape whose values end.
//
//duckgen:session cookie=timed age=24h
type Timed struct {
	Name   string             `session:"name"`
	StepUp bool               `session:"step_up,ttl=10m"`
	Theme  string             `session:"theme,default=light,ttl=10m"`
	Moved  string             `session:"moved,was=stood,ttl=10m"`
	Secret string             `session:"secret,secret,ttl=10m"`
	State  string             `session:"state,once,ttl=10m"`
	Tags   []string           `session:"tags,ttl=10m"`
	Codes  []string           `session:"codes,merge=append,max=3,ttl=10m"`
	Inbox  []string           `session:"inbox,merge=append,once,ttl=10m"`
	Offers map[string]string  `session:"offers,max=3,ttl=10m"`
	Notes  map[string]*string `session:"notes,ttl=10m,was=remarks"`
	Links  map[string]string  `session:"links,once,ttl=10m"`
	Bucket string             `session:"bucket,merge=first,ttl=10m"`
	Grants map[string]string  `session:"grants,merge=first,ttl=10m"`
}

const (
	timedKind = "github.com/duckgen/duckgen/runtime/internal/sessiontest.Timed"
	timedLife = 10 * time.Minute
)

// A timesite is a program with timed sessions and a clock.
type timesite struct {
	*TimedSessions
	t       *testing.T
	store   *spyStore
	now     atomic.Int64 // since begin
	misfits atomic.Int64
}

func newTimesite(t *testing.T, store runtime.Store) *timesite {
	t.Helper()
	s := &timesite{t: t, store: &spyStore{Store: store}}
	var err error
	s.TimedSessions, err = NewTimedSessions(s.store, func(c *runtime.Config) {
		c.Keys = [][]byte{testKey}
		c.Now = s.clock
		c.OnEvent = func(_ context.Context, e runtime.Event) {
			if e.Kind == runtime.EventMisfit {
				s.misfits.Add(1)
			}
		}
		c.OnError = func(_ context.Context, err error) { t.Errorf("the program was told: %v", err) }
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *timesite) clock() time.Time { return begin.Add(time.Duration(s.now.Load())) }

func (s *timesite) wait(d time.Duration) { s.now.Add(int64(d)) }

func (s *timesite) visit(j *jar, handler func(s *TimedSession)) {
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	if j.cookie != "" {
		r.Header.Set("Cookie", "timed="+j.cookie)
	}
	w := httptest.NewRecorder()
	s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		handler(TimedFrom(r.Context()))
	})).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		j.cookie = c.Value
	}
	if w.Code != http.StatusOK {
		s.t.Errorf("status %d", w.Code)
	}
}

func (s *timesite) entries(j *jar) map[string]runtime.Entry {
	return entriesOf(s.t, s.store, keyOf(s.t, timedKind, j.cookie, s.clock()))
}

func (s *timesite) snapshot(j *jar) (all Timed) {
	s.visit(j, func(v *TimedSession) { all = v.Snapshot() })
	return all
}

// fillTimed gives every field a value.
func fillTimed(t *testing.T, v *TimedSession) Timed {
	note := "n"
	all := Timed{Name: "Ada", StepUp: true, Theme: "dark", Moved: "here", Secret: "s", State: "st",
		Tags: []string{"a"}, Codes: []string{"1", "2"}, Inbox: []string{"mail"}, Offers: map[string]string{"x": "1", "y": "2"},
		Notes: map[string]*string{"a": &note, "b": nil}, Links: map[string]string{"l": "m"}, Bucket: "b", Grants: map[string]string{"g": "h"}}
	v.SetName(all.Name)
	v.SetStepUp(all.StepUp)
	v.SetTheme(all.Theme)
	v.SetMoved(all.Moved)
	v.SetSecret(all.Secret)
	v.SetState(all.State)
	v.SetTags(all.Tags)
	v.AppendCodes(all.Codes...)
	v.AppendInbox(all.Inbox...)
	v.SetOffers(all.Offers)
	v.SetNotes(all.Notes)
	v.SetLinksItem("l", "m")
	if _, err := v.EnsureBucket(t.Context(), "b"); err != nil {
		t.Error(err)
	}
	if _, err := v.EnsureGrantsItem(t.Context(), "g", "h"); err != nil {
		t.Error(err)
	}
	return all
}

func TestV14AValueIsAbsentAfterItsTime(t *testing.T) {
	show := func(t *testing.T, store runtime.Store) {
		s, j := newTimesite(t, store), &jar{}
		var given Timed
		s.visit(j, func(v *TimedSession) {
			given = fillTimed(t, v)
			if diff := cmp.Diff(given, v.Snapshot()); diff != "" {
				t.Errorf("before the commit (-given +read):\n%s", diff)
			}
		})
		s.wait(timedLife - time.Second)
		if diff := cmp.Diff(given, s.snapshot(j)); diff != "" {
			t.Errorf("a second before the end (-given +read):\n%s", diff)
		}
		s.wait(2 * time.Second)
		s.store.took()
		s.visit(j, func(v *TimedSession) {
			if diff := cmp.Diff(Timed{Name: "Ada", Theme: "light"}, v.Snapshot()); diff != "" {
				t.Errorf("a second after it (-want +read):\n%s", diff)
			}
			state := v.TakeState()
			claimed, ok, err := v.ClaimState(t.Context())
			link, also := v.TakeLinksItem("l")
			_, offer := v.OffersItem("x")
			if state != "" || claimed != "" || ok || err != nil || link != "" || also || offer || v.TakeInbox() != nil || v.OffersLen() != 0 {
				t.Errorf("took %q, %q (%v), %q, %v", state, claimed, err, link, offer)
			}
			v.ClearStepUp()
			v.ClearOffers()
			v.DeleteOffersItem("x")
			if v.Dirty() {
				t.Errorf("removing what is over is a change of %q", v.DirtyFields())
			}
		})
		if got := s.store.took(); got != "load" {
			t.Errorf("calls %q, want the load alone", got)
		}
		s.visit(j, func(v *TimedSession) { given = fillTimed(t, v) })
		s.wait(timedLife / 2)
		if diff := cmp.Diff(given, s.snapshot(j)); diff != "" {
			t.Errorf("set anew (-given +read):\n%s", diff)
		}
		if n := s.misfits.Load(); n != 0 {
			t.Errorf("%d misfits", n)
		}
	}
	onEveryStore(t, func(t *testing.T, on backend) { show(t, on.open(t)) })
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) { show(t, format.newStore(t)) })
	}
}

func TestV14AValueEndsWithinARequest(t *testing.T) {
	s, j := newTimesite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *TimedSession) {
		v.SetName("Ada")
		v.SetState("mine")
		v.AppendCodes("1")
		v.SetOffersItem("x", "1")
		s.wait(timedLife)
		if v.TakeState() != "" || v.CodesLen() != 0 || v.OffersLen() != 0 {
			t.Errorf("read %+v after its end", v.Snapshot())
		}
		v.AppendCodes("2")
		v.SetOffersItem("y", "2")
	})
	if got := s.snapshot(j); !slices.Equal(got.Codes, []string{"2"}) || !maps.Equal(got.Offers, map[string]string{"y": "2"}) {
		t.Errorf("stored: %+v", got)
	}
}

func TestV14SettingAndAppendingBeginAnew(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			s, j := newTimesite(t, format.newStore(t)), &jar{}
			s.visit(j, func(v *TimedSession) { fillTimed(t, v) })
			s.wait(timedLife / 2)
			s.visit(j, func(v *TimedSession) {
				v.Name()
				v.SetTheme("dark")
				v.AppendCodes("3", "4")
				v.SetOffersItem("y", "2")
				v.SetTags([]string{"a"})
				if want := []string{"codes", "offers", "tags", "theme"}; !slices.Equal(v.DirtyFields(), want) {
					t.Errorf("dirty: %q, want %q: an equal value ends later", v.DirtyFields(), want)
				}
				if got, err := v.EnsureBucket(t.Context(), "other"); got != "b" || err != nil {
					t.Errorf("ensured %q, %v", got, err)
				}
			})
			s.wait(timedLife/2 + time.Second)
			s.visit(j, func(v *TimedSession) {
				want := Timed{Name: "Ada", Theme: "dark", Codes: []string{"2", "3", "4"}, Tags: []string{"a"}, Offers: map[string]string{"y": "2"}}
				if diff := cmp.Diff(want, v.Snapshot()); diff != "" {
					t.Errorf("(-want +read):\n%s", diff)
				}
				if got, err := v.EnsureBucket(t.Context(), "other"); got != "other" || err != nil {
					t.Errorf("ensured %q, %v after the end of the first", got, err)
				}
				if got, err := v.EnsureGrantsItem(t.Context(), "g", "other"); got != "other" || err != nil {
					t.Errorf("ensured %q, %v after the end of the first", got, err)
				}
			})
		})
	}
}

// TestV14WhatIsLeftOfAListKeepsItsEnd shows that taking a part sets nothing.
func TestV14WhatIsLeftOfAListKeepsItsEnd(t *testing.T) {
	s, j := newTimesite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *TimedSession) { v.AppendInbox("one") })
	s.wait(timedLife / 2)
	s.visit(j, func(v *TimedSession) {
		v.TakeInbox()
		s.visit(&jar{cookie: j.cookie}, func(v *TimedSession) { v.AppendInbox("two") })
		s.wait(timedLife / 4)
	})
	if got := s.snapshot(j).Inbox; !slices.Equal(got, []string{"two"}) {
		t.Errorf("left: %q", got)
	}
	s.wait(timedLife * 3 / 4)
	if got := s.snapshot(j).Inbox; got != nil {
		t.Errorf("left: %q after its end", got)
	}
}

func TestV14AMapRemovesWhatIsOverAndMakesRoom(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s, j := newTimesite(t, on.open(t)), &jar{}
		s.visit(j, func(v *TimedSession) {
			v.SetName("Ada")
			v.SetOffersItem("a", "1")
			v.SetNotesItem("a", nil)
		})
		s.wait(timedLife / 2)
		s.visit(j, func(v *TimedSession) { v.SetOffersItem("b", "2"); v.SetNotesItem("b", nil) })
		s.wait(timedLife/2 + time.Second)
		s.visit(j, func(v *TimedSession) { v.SetOffersItem("c", "3"); v.SetNotesItem("c", nil) })
		entries := s.entries(j)
		for _, gone := range []string{"offers:a", "notes:a"} {
			if _, stored := entries[gone]; stored || len(entries) != 5 {
				t.Errorf("%s is stored still, of %d", gone, len(entries))
			}
		}
		s.visit(j, func(v *TimedSession) {
			v.SetOffersItem("d", "4")
			v.SetOffersItem("e", "5")
			if got, want := v.Snapshot().Offers, (map[string]string{"c": "3", "d": "4", "e": "5"}); !maps.Equal(got, want) {
				t.Errorf("before the commit: %v, want the newest", got)
			}
			if _, ok := v.OffersItem("b"); ok || v.OffersLen() != 3 {
				t.Error("the oldest one is there")
			}
			for k, want := range map[string]string{"c": "3", "d": "4", "e": "5"} {
				if got, ok := v.OffersItem(k); got != want || !ok {
					t.Errorf("element %s is %q, %v, want %q", k, got, ok, want)
				}
			}
		})
		s.visit(j, func(v *TimedSession) {
			for _, k := range []string{"f", "g", "h", "i"} {
				v.SetOffersItem(k, k)
			}
		})
		if got, want := s.snapshot(j).Offers, (map[string]string{"g": "g", "h": "h", "i": "i"}); !maps.Equal(got, want) {
			t.Errorf("offers %v, want the newest", got)
		}
		n := 0
		for key := range s.entries(j) {
			if strings.HasPrefix(key, "offers:") {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%d elements are stored", n)
		}
	})
}

func TestV14RequestsThatSetAtTheSameTimeMakeRoom(t *testing.T) {
	onEveryStore(t, func(t *testing.T, on backend) {
		s, j := newTimesite(t, on.open(t)), &jar{}
		s.visit(j, func(v *TimedSession) { v.SetName("Ada") })
		for round := range 20 {
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					s.visit(&jar{cookie: j.cookie}, func(v *TimedSession) { v.SetOffersItem(fmt.Sprint(i), fmt.Sprint(round)) })
				})
			}
			all.Wait()
			got := s.snapshot(j).Offers
			if len(got) != 3 {
				t.Fatalf("round %d: %v", round, got)
			}
			for _, v := range got {
				if v != fmt.Sprint(round) {
					t.Fatalf("round %d: %v has an older element", round, got)
				}
			}
		}
	})
}

func TestV14WhoeverOnlySetsAValueLoadsNothing(t *testing.T) {
	s, j := newTimesite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *TimedSession) { v.SetName("Ada") })
	for _, c := range []struct {
		name string
		do   func(v *TimedSession)
		want string
	}{
		{"a value", func(v *TimedSession) { v.SetTheme("dark") }, "update"},
		{"a whole map", func(v *TimedSession) { v.SetOffers(map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}) }, "update"},
		{"an element", func(v *TimedSession) { v.SetNotesItem("a", nil) }, "load update"},
	} {
		s.store.took()
		s.visit(j, c.do)
		if got := s.store.took(); got != c.want {
			t.Errorf("%s: calls %q, want %q", c.name, got, c.want)
		}
	}
	if got := s.snapshot(j).Offers; len(got) != 3 {
		t.Errorf("offers %v", got)
	}
}

// TestV14TheValueCanBeQueried shows the stored form in JSON.
func TestV14TheValueCanBeQueried(t *testing.T) {
	for _, format := range storeFormats {
		s, j := newTimesite(t, format.newStore(t)), &jar{}
		s.visit(j, func(v *TimedSession) { v.SetTheme("dark"); v.SetOffersItem("a", "1") })
		entries := s.entries(j)
		theme, offer := entries["theme"].Value, entries["offers:a"].Value
		if strings.HasPrefix(format.name, "JSON") {
			theme, offer = strings.ReplaceAll(theme, " ", ""), strings.ReplaceAll(offer, " ", "")
			for _, want := range []string{`"value":"dark"`, `"ends":"2026-11-01T12:10:00`} {
				if !strings.Contains(theme, want) {
					t.Errorf("%s: %s has no %s", format.name, theme, want)
				}
			}
			if !strings.Contains(offer, `"value":"1"`) {
				t.Errorf("%s: %s", format.name, offer)
			}
		} else if len(theme) != 10+len("\xa4dark") {
			t.Errorf("%s: %q", format.name, theme)
		}
	}
}

func TestV14WhatIsStoredWithoutAnEndDoesNotFit(t *testing.T) {
	for value, format := range map[string]int{
		"\xa4dark": 0, "": 0, "\x92\xd3": 0, "\x92\xd30000000": 0, "\xc0": 0,
		`"dark"`: 1, `{}`: 1, `{"value":"dark"}`: 1, `{"ends":"2026-11-01T12:05:00Z"}`: 1, `{"ends":"soon","value":"dark"}`: 1, `null`: 1,
	} {
		s, j := newTimesite(t, storeFormats[format].newStore(t)), &jar{}
		s.visit(j, func(v *TimedSession) { v.SetName("Ada") })
		put(t, s.store, keyOf(t, timedKind, j.cookie, s.clock()),
			runtime.Entry{Key: "theme", Value: value}, runtime.Entry{Key: "offers:a", Value: value})
		if got := s.snapshot(j); got.Theme != "light" || got.Offers != nil || s.misfits.Load() == 0 {
			t.Errorf("%q is read as %q, %v, with %d events", value, got.Theme, got.Offers, s.misfits.Load())
		}
		s.visit(j, func(v *TimedSession) { v.SetTheme("dark") })
		if got := s.snapshot(j); got.Theme != "dark" {
			t.Errorf("%q is not overwritten: %q", value, got.Theme)
		}
	}
}

func TestV14AClaimOfWhatEndsIsGone(t *testing.T) {
	s, j := newTimesite(t, storeFormats[0].newStore(t)), &jar{}
	s.visit(j, func(v *TimedSession) { v.SetState("one"); v.SetLinksItem("a", "b"); v.SetSecret("x") })
	s.visit(j, func(v *TimedSession) {
		if got, ok, err := v.ClaimState(t.Context()); got != "one" || !ok || err != nil {
			t.Errorf("claimed %q, %v, %v", got, ok, err)
		}
		s.visit(&jar{cookie: j.cookie}, func(v *TimedSession) { v.SetLinksItem("a", "c") })
		if got, ok, err := v.ClaimLinksItem(t.Context(), "a"); got != "c" || !ok || err != nil {
			t.Errorf("claimed %q, %v, %v: it was set anew", got, ok, err)
		}
	})
	if entries := s.entries(j); len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
}

func TestV14InTestsOfHandlers(t *testing.T) {
	_, v := WithTimed(t.Context(), Timed{StepUp: true, Offers: map[string]string{"a": "1"}, State: "one"})
	if got := v.Snapshot(); !got.StepUp || got.Offers["a"] != "1" || v.Dirty() {
		t.Errorf("%+v, dirty: %q", got, v.DirtyFields())
	}
	if got, ok, err := v.ClaimState(t.Context()); got != "one" || !ok || err != nil {
		t.Errorf("claimed %q, %v, %v", got, ok, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.EnsureBucket(over, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("ensured: %v", err)
	}
}
