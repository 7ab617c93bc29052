package storetest

import (
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// unseen are the defects that no history can show, and why.
var unseen = map[string]string{
	"reading and writing are two steps":               "one client does one after the other",
	"a revocation leaves its mark late":               "nobody signs in during it",
	"a search stops when a session ends":              "nothing ends during it",
	"the store keeps and gives what is the caller's":  "the caller changes nothing",
	"the context is ignored":                          "no context is cancelled",
	"values end after 64 KiB":                         "values are short",
	"the order of operations is forgotten":            "two counters hardly ever overflow together",
	"a sweep takes marks and what is about to expire": "nobody sweeps",
	"a sweep leaves what it counts":                   "nobody sweeps",
	"a sweep puts back what it saw":                   "nobody sweeps",
	"a sweep takes the marks of revocations":          "nobody sweeps",
	"what a load finds expired is removed":            "the clock goes forward",
	"an end lies in the future":                       "the clock goes forward",
	"an outage is not found":                          "there is no outage",
	"a watcher stays deaf":                            "nobody watches",
	"a watcher does not say what it has missed":       "nobody watches",
	"the clock of the program counts":                 "there is one clock",
	"a goroutine is left":                             "the store is not closed",
	"a list has all kinds":                            "there is one kind",
	"a trim looks and ends in two steps":              "nobody trims",
}

func TestRandomHistoriesNoticeDefects(t *testing.T) {
	check := func(k *kit) { k.play(100, (*random).step) }
	for _, m := range mutants {
		if unseen[m.name] != "" {
			continue
		}
		broken := func() runtime.Store {
			s := newToy()
			m.mutate(s)
			return s
		}
		if failures := record(t, check, subject{open: broken}); len(failures) == 0 {
			t.Errorf("the histories do not notice that %s", m.name)
		}
	}
}

func TestRandomHistoriesReachEveryAnswer(t *testing.T) {
	t.Parallel()
	reaches(t, (*random).step, append(answers, nil)...)
	reaches(t, (*random).twinStep,
		nil, runtime.ErrNotFound, runtime.ErrConflict, runtime.ErrTooLarge, runtime.ErrOverflow)
}

// reaches demands that histories of such steps have these answers often enough.
func reaches(t *testing.T, step func(*random) error, answers ...error) {
	t.Helper()
	k := newKit(t, subject{open: func() runtime.Store { return newToy() }})
	rights := map[error]int{}
	for seed := range uint64(200) {
		h := k.random(seed)
		for range randomSteps {
			if err := step(h); err != nil {
				t.Fatal(err)
			}
		}
		for answer, n := range h.rights {
			rights[answer] += n
		}
	}
	for _, answer := range answers {
		if rights[answer] < 10 {
			t.Errorf("%d operations are answered %v, too few to compare: %v", rights[answer], answer, rights)
		}
	}
}
