package runtime

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// oneSession is a store that holds one session and lets a test say what happens
// to it.
type oneSession struct {
	Store
	mu     sync.Mutex // a timer that was set long ago loads as well
	record *Record
	err    error
	loads  int
	notify func(Change)
}

func (o *oneSession) Load(context.Context, Key) (*Record, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.loads++
	return o.record, o.err
}

func (o *oneSession) Watch(_ context.Context, notify func(Change)) error {
	o.notify = notify
	return nil
}

// page is the connection of a page, which keeps why it was closed.
type page struct {
	LivelyConn
	ends []LivelyEnd
}

func (p *page) CloseLively(end LivelyEnd) { p.ends = append(p.ends, end) }

var (
	proofA, proofB, proofC = Proof{1}, Proof{2}, Proof{3}
	idA, idB               = ID{1}, ID{2}
)

const stays = LivelyEnd(99)

func TestSocketJudgesWhatItHears(t *testing.T) {
	ended := Change{Kind: SessionEnded, ID: idA}
	renewed := Change{Kind: SessionRenewed, ID: idA, Proof: proofB}
	missed := Change{Kind: ChangesMissed}
	outage := errors.New("no answer")
	for _, x := range []struct {
		name  string
		hears []Change
		proof Proof // that the store has; zero: err
		err   error
		asks  bool
		want  LivelyEnd
	}{
		{"nothing", nil, proofA, nil, false, stays},
		{"its own renewal", []Change{{Kind: SessionRenewed, ID: idA, Proof: proofA}}, proofA, nil, false, stays},
		{"of another session", []Change{{Kind: SessionEnded, ID: idB}}, Proof{}, ErrNotFound, false, stays},
		{"a renewal", []Change{renewed}, proofB, nil, true, LivelyReconnect},
		{"a sign-in", []Change{renewed}, Proof{}, ErrSuperseded, true, LivelyReconnect},
		{"an end", []Change{ended}, Proof{}, ErrNotFound, true, LivelyEnded},
		{"a reuse", []Change{ended}, Proof{}, ErrReused, true, LivelyEnded},
		{"an end that is none", []Change{ended}, proofA, nil, true, stays},
		{"a renewal that is none", []Change{renewed}, proofA, nil, true, stays},
		{"that it may have missed an end", []Change{missed}, Proof{}, ErrEnded, true, LivelyEnded},
		{"that it may have missed something, but has not", []Change{missed}, proofA, nil, true, stays},
		{"an end, but the store does not answer", []Change{ended}, Proof{}, outage, true, stays},
		{"more renewals than it keeps", slices.Repeat([]Change{{Kind: SessionRenewed, ID: idA, Proof: proofC}}, maxHeard+1), proofA, nil, true, stays},
	} {
		for _, event := range []bool{false, true} {
			name := x.name
			if event {
				name += " during an event"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store, p, s := connected(t)
					store.record, store.err = &Record{Proof: x.proof, Expires: time.Now().Add(time.Hour)}, x.err
					if x.err != nil {
						store.record = nil
					}
					if event {
						s.begin()
					}
					for _, c := range x.hears {
						store.notify(c)
					}
					synctest.Wait()
					if event {
						if store.loads != 0 || p.ends != nil {
							t.Fatalf("%d loads, closed %v before the end of the event", store.loads, p.ends)
						}
						s.finish(nil)
						synctest.Wait()
					}
					if asked := store.loads > 0; asked != x.asks {
						t.Errorf("asked the store: %v, want %v", asked, x.asks)
					}
					wantEnd(t, p, x.want)
				})
			})
		}
	}
}

func TestSocketJudgesWhatAnEventMeets(t *testing.T) {
	for _, x := range []struct {
		name  string
		event func(*socket)
		met   error
		want  LivelyEnd
	}{
		{"nothing", func(*socket) {}, nil, stays},
		{"the end", func(*socket) {}, ErrEnded, LivelyEnded},
		{"a sign-in elsewhere", func(*socket) {}, ErrSuperseded, LivelyReconnect},
		{"an outage", func(*socket) {}, errors.New("no answer"), stays},
		{"renewed it", func(s *socket) { s.moved(idA, proofB, time.Time{}, false) }, nil, stays},
		{"destroyed it", func(s *socket) { s.moved(ID{}, Proof{}, time.Time{}, true) }, nil, LivelyEnded},
		{"destroyed it and began another", func(s *socket) { s.moved(idB, proofB, time.Time{}, true) }, nil, LivelyEnded},
		{"began another after a sign-in elsewhere", func(s *socket) { s.moved(idB, proofB, time.Time{}, false) }, nil, LivelyReconnect},
		{"was disconnected", func(s *socket) { s.disconnect() }, ErrEnded, stays},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, p, s := connected(t)
				s.begin()
				x.event(s)
				s.finish(x.met)
				wantEnd(t, p, x.want)
			})
		})
	}
}

// A renewal is its own also if the store notifies of it before the event that
// made it has ended.
func TestSocketKnowsTheRenewalOfItsRunningEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, p, s := connected(t)
		s.begin()
		store.notify(Change{Kind: SessionRenewed, ID: idA, Proof: proofB})
		s.moved(idA, proofB, time.Time{}, false)
		s.finish(nil)
		synctest.Wait()
		if store.loads != 0 {
			t.Errorf("%d loads", store.loads)
		}
		wantEnd(t, p, stays)
	})
}

func TestASocketLooksAgainWhenItsSessionExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, p, _ := connected(t)
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		store.mu.Lock()
		before := store.loads
		store.err = ErrNotFound
		store.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if store.loads != before+1 {
			t.Errorf("%d loads at the time when it expires, want one", store.loads-before)
		}
		wantEnd(t, p, LivelyEnded)
	})
}

func connected(t *testing.T) (*oneSession, *page, *socket) {
	store := &oneSession{record: &Record{Proof: proofA, Expires: time.Now().Add(time.Hour)}}
	all := newSockets(store, newClock(time.Now), 30*time.Second, 5*time.Second, nil, func(context.Context, ID, error) {})
	p := &page{}
	s, err := all.connect(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.disconnect)
	s.moved(idA, proofA, time.Now().Add(time.Hour), false)
	return store, p, s
}

func wantEnd(t *testing.T, p *page, want LivelyEnd) {
	t.Helper()
	switch {
	case want == stays && len(p.ends) > 0:
		t.Errorf("closed because %v, want it open", p.ends)
	case want != stays && !slices.Equal(p.ends, []LivelyEnd{want}):
		t.Errorf("closed because %v, want %v once", p.ends, want)
	}
}

// What was answered to a question of before says nothing: the connection has gone,
// or has another session or token since.
func TestSocketIgnoresALateAnswer(t *testing.T) {
	for name, change := range map[string]func(s *socket){
		"gone":          func(s *socket) { s.disconnect() },
		"other session": func(s *socket) { s.moved(idB, proofA, time.Now().Add(time.Hour), false) },
		"other token":   func(s *socket) { s.moved(idA, proofB, time.Now().Add(time.Hour), false) },
		"in an event":   func(s *socket) { s.begin() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, s := connected(t)
				change(s)
				if end, closes := s.answered(idA, proofA, nil, ErrEnded, true); closes {
					t.Errorf("closes with %v", end)
				}
				if asksAgain := s.doubtful; asksAgain != (name == "in an event") {
					t.Errorf("asks again after the event: %v", asksAgain)
				}
			})
		})
	}
}
