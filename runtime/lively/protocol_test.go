package lively_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/duckgen/duckgen/runtime/lively"
)

// The protocol of the browser client: events are numbered and answered, and each is
// taken up at most once.

const (
	done = iota
	failed
	unknown
	_ // refused
	superseded
)

func wantTaken(t *testing.T, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the endpoint has taken up %v, want %v", got, want)
	}
}

func TestEachEventIsAnswered(t *testing.T) {
	reports := make(chan lively.Report, 4)
	s := newSite(t, func(c *lively.Config) {
		c.OnEvent = func(_ context.Context, r lively.Report) { reports <- r }
	})
	s.handle("well", func(v *visitor) { v.AddViews(1) })
	s.live.Handle("badly", func(context.Context, *lively.Conn, lively.Event, *visitor) error { return errors.New("no luck") })
	p, taken, _ := s.known().greet(0, 0)
	wantTaken(t, taken, nil)
	for i, x := range []struct {
		event, reported string
		outcome         int
		as              lively.Outcome
	}{
		{"well", "well", done, lively.OutcomeDone},
		{"badly", "badly", failed, lively.OutcomeFailed},
		{"from another version", "", unknown, lively.OutcomeUnknown},
	} {
		p.number(i+1, x.event)
		if x.outcome == unknown {
			wantFrame(t, p.receive(), 150, []any{"component", true})
		}
		wantFrame(t, p.receive(), 201, i+1, x.outcome)
		r := next(t, reports)
		if r.Name != x.reported || r.Outcome != x.as || r.ID != fmt.Sprintf("%s.%d", pageName, i+1) || r.Took <= 0 || r.Waited <= 0 {
			t.Errorf("%s is reported as %+v", x.event, r)
		}
	}
}

func TestAPageThatComesBackLearnsWhatWasTakenUp(t *testing.T) {
	s := newSite(t)
	running, hold := make(chan struct{}), make(chan struct{})
	s.live.Handle("slow", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		close(running)
		<-hold
		v.AddViews(1)
		return c.Patch(ctx, lively.Text("views", "of a page that is gone"))
	})
	s.handle("add", func(v *visitor) { v.AddViews(10) })
	s.handle("count", func(v *visitor) { v.SetName(fmt.Sprint(v.Views())) })
	b := s.known()
	p, _, _ := b.greet(0, 0)
	p.number(1, "add")
	wantFrame(t, p.receive(), 201, 1, done)
	p.number(2, "slow")
	p.number(3, "add") // which waits
	next(t, running)
	_ = p.ws.CloseNow()
	close(hold)

	p, taken, answers := b.greet(1, 0)
	want := [][]any{{201, 2, done}}
	if fmt.Sprint(taken) == "3" { // the end of the connection was noticed late
		want = append(want, []any{201, 3, done})
	}
	if fmt.Sprint(answers) != fmt.Sprint(want) {
		t.Errorf("the page gets the answers %v, want %v", answers, want)
	}
	for _, n := range []int{1, 2} {
		p.number(n, "add") // again: nothing happens
	}
	if p.number(3, "add"); len(want) == 1 {
		wantFrame(t, p.receive(), 201, 3, done)
	}
	p.number(4, "count")
	wantFrame(t, p.receive(), 201, 4, done)
	if got := b.name(); got != "21" {
		t.Errorf("the events have counted to %s, want 21", got)
	}

	// While the first connection is still open.
	p.number(5, "add")
	_, taken, answers = b.greet(4, 0)
	if fmt.Sprint(taken) == "5" && fmt.Sprint(answers) != fmt.Sprint([][]any{{201, 5, done}}) {
		t.Errorf("the page gets the answers %v, want that of the event that was taken up", answers)
	}
	if _, _, err := p.ws.Read(t.Context()); err == nil {
		if _, _, err = p.ws.Read(t.Context()); err == nil {
			t.Error("the connection before is still open")
		}
	}
}

// Whether an event reads or writes, another sign-in has it run without its session.
func TestAnEventDuringASignInElsewhereIsSuperseded(t *testing.T) {
	for name, use := range map[string]func(v *visitor){
		"reads":  func(v *visitor) { _ = v.Name() },
		"writes": func(v *visitor) { v.AddViews(1) },
	} {
		s := newSite(t)
		running, hold := make(chan struct{}), make(chan struct{})
		s.handle("use", func(v *visitor) {
			close(running)
			<-hold
			use(v)
		})
		b := s.known()
		p, _, _ := b.greet(0, 0)
		p.number(1, "use")
		p.number(2, "use") // which waits, and is sent again behind it
		next(t, running)
		b.post("/sign-in", "")
		close(hold)
		if frame := p.receive(); fmt.Sprint(frame) != fmt.Sprint([]any{201, 1, superseded}) {
			t.Errorf("an event that %s is answered with %v, want that it was superseded", name, frame)
		}
		wantFrame(t, p.receive(), 200, 1, 64, 256<<10)
		p.wantClosed(1012, "session renewed")
	}
}

func TestAnotherProcessKnowsNothingOfAPage(t *testing.T) {
	_, taken, _ := newSite(t).known().greet(7, 1)
	wantTaken(t, taken, nil)
}

func TestAShutdownTakesUpNoMoreEvents(t *testing.T) {
	s := newSite(t)
	running, hold := make(chan struct{}), make(chan struct{})
	s.live.Handle("slow", func(_ context.Context, _ *lively.Conn, _ lively.Event, v *visitor) error {
		close(running)
		<-hold
		v.SetName("finished")
		return nil
	})
	s.handle("waiting", func(v *visitor) { v.SetName("lost") })
	b := s.known()
	p, _, _ := b.greet(0, 0)
	idle := s.known().openAs("duckgen.page.another-page-0000." + pageKey + ".0.0")
	wantTaken(t, idle.receive()[1], nil)
	p.number(1, "slow")
	p.number(2, "waiting")
	next(t, running)
	ended := make(chan error)
	go func() { ended <- s.live.Shutdown(t.Context()) }()
	wantTaken(t, idle.receive()[1], 0)
	idle.wantClosed(1012, "the server restarts")
	close(hold)
	wantFrame(t, p.receive(), 201, 1, done)
	wantTaken(t, p.receive()[1], 1)
	p.wantClosed(1012, "the server restarts")
	if err := next(t, ended); err != nil {
		t.Error(err)
	}
	if got := b.name(); got != "finished" {
		t.Errorf("a request finds %q, want what the running event wrote", got)
	}
}

func TestACookieThatWasNotFetchedIsToBeFetchedAgain(t *testing.T) {
	s := newSite(t)
	s.handle("name", func(v *visitor) { v.SetName("Grace") })
	b := s.browser()
	p, _, _ := b.greet(0, 0)
	p.number(1, "name")
	path := p.receive()[1].(string)
	_ = p.ws.CloseNow() // before the frame came

	p = b.openAs("duckgen.page." + pageName + "." + pageKey + ".0.0")
	wantFrame(t, p.receive(), 170, path)
	wantTaken(t, p.receive()[1], 1)
	p.wantClosed(1012, "fetch")
	b.fetch(path)
	_, taken, answers := b.greet(0, 1)
	wantTaken(t, taken, 1)
	if fmt.Sprint(answers) != fmt.Sprint([][]any{{201, 1, done}}) {
		t.Errorf("the page gets the answers %v", answers)
	}
	if got := b.name(); got != "Grace" {
		t.Errorf("a request finds %q", got)
	}
}

// The id of a page is in what handlers store and in logs.
func TestTheIdOfAPageAloneTakesOverNothing(t *testing.T) {
	s := newSite(t)
	s.handle("name", func(v *visitor) { v.SetName("Grace") })
	p, _, _ := s.browser().greet(0, 0)
	p.number(1, "name")
	path := p.receive()[1].(string)

	stranger := s.browser().openAs("duckgen.page." + pageName + ".another-key-0000.0.0")
	frame := stranger.receive()
	if fmt.Sprint(frame[1]) == path || fmt.Sprint(frame[0]) != "200" || frame[1] != nil {
		t.Errorf("who has the id alone is told %v, want that nothing is known", frame)
	}
	p.number(2, "name")
	if got := p.receive(); fmt.Sprint(got[0]) != "201" {
		t.Errorf("the page itself gets %v, want the answer to its event", got)
	}
}

func TestAHeartbeatIsAnswered(t *testing.T) {
	s := newSite(t)
	s.holding()
	p, _, _ := s.browser().greet(0, 0)
	p.number(1, "hold")
	for range 300 {
		p.send(202)
		wantFrame(t, p.receive(), 202)
	}
	s.browser().open().send(202) // in the other protocol there is none
}

func TestAPageNamesItselfInOneWay(t *testing.T) {
	s := newSite(t)
	named := "duckgen.page." + pageName + "." + pageKey
	for _, name := range []string{"", "duckgen.page.", "duckgen.page.short." + pageKey + ".0.0", "duckgen.page." + pageName + ".short.0.0",
		"duckgen.page." + pageName + ".0.0", named, named + ".0", named + ".0.x", named + ".-1.0",
		"duckgen.page." + strings.Repeat("x", 65) + "." + pageKey + ".0.0"} {
		_, res, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.server.URL, "http")+"/lively", &websocket.DialOptions{
			HTTPHeader: http.Header{"Origin": {s.server.URL}}, Subprotocols: []string{"duckgen.live.1", name}})
		if err == nil || res.StatusCode != http.StatusBadRequest {
			t.Errorf("a page that names itself %q: %v", name, err)
		}
	}
}

func TestAnEventThatIsSentAgainKeepsItsID(t *testing.T) {
	s := newSite(t)
	events := make(chan lively.Event, 1)
	s.live.Handle("tell", func(_ context.Context, _ *lively.Conn, e lively.Event, _ *visitor) error {
		events <- e
		return nil
	})
	p, _, _ := s.browser().greet(0, 0)
	p.send(100, "root", "component", "tell", nil, false, 9, 2)
	e := next(t, events)
	if page, number := e.Page(); page != pageName || number != 2 || e.ID != pageName+".2" {
		t.Errorf("the event has the ID %s, and Page says %s, %d", e.ID, page, number)
	}
	wantFrame(t, p.receive(), 201, 9, done)
}

func TestEventsOfTheProtocolHaveNumbers(t *testing.T) {
	s := newSite(t)
	for _, frame := range [][]any{
		{100, "root", "component", "e", nil, false},
		{100, "root", "component", "e", nil, false, 0, 0},
		{100, "root", "component", "e", nil, false, -1, 1},
		{100, "root", "component", "e", nil, false, "1", 1},
		{100, "root", "component", "e", nil, false, 1},
		{100, "root", "component", "e", nil, false, 1, 0},
	} {
		p, _, _ := s.browser().greet(0, 0)
		p.send(frame...)
		wantTaken(t, p.receive()[1], 0)
		p.wantClosed(1007, "")
	}
}

func TestAnEndpointLimitsTheConnectionsFromAnAddress(t *testing.T) {
	s := newSite(t, func(c *lively.Config) { c.AddressConnections = 2 })
	p := s.known().open()
	s.browser().open()
	s.known().refused(http.StatusTooManyRequests)
	_ = p.ws.CloseNow()
	s.known().admitted()
}
