package sessiontest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// A metered is a program of which the calls to the store are counted: on the
// wire where the store has a server, else as the store sees them.
type metered struct {
	*site
	calls     func() (sent []int) // since the last time; sizes are those on the wire
	transacts bool                // as a wire does
}

func onEveryMeter(t *testing.T, show func(t *testing.T, m *metered)) {
	t.Helper()
	for _, b := range backends[:2] {
		t.Run(b.name, func(t *testing.T) {
			s := newSiteOn(t, &spyStore{Store: b.open(t)})
			show(t, &metered{site: s, calls: func() []int { return make([]int, len(strings.Fields(s.store.took()))) }})
		})
	}
	onEveryWire(t, func(t *testing.T, w *wire) {
		s := newSiteOn(t, &spyStore{Store: w.through})
		calls := func() (sent []int) {
			for _, call := range w.proxy.Calls() {
				sent = append(sent, call.Sent)
			}
			return sent
		}
		show(t, &metered{s, calls, w.transacts})
	})
}

// teachable is how many servers have to learn a script or a statement first.
const teachable = 3

func TestRoundTrips(t *testing.T) {
	requests := []struct {
		what string
		want int
		do   func(v *VisitorSession)
	}{
		{"does nothing with its session", 0, func(*VisitorSession) {}},
		{"asks what is dirty", 0, func(v *VisitorSession) { v.Dirty(); v.DirtyFields(); v.ThemeDirty() }},
		{"sets a field", 1, func(v *VisitorSession) { v.SetTheme("dark") }},
		{"sets many fields", 1, func(v *VisitorSession) { v.SetTheme("blue"); v.SetRatio(2); v.SetCartItem("a", 1); v.AddViews(1) }},
		{"clears a field", 1, func(v *VisitorSession) { v.ClearTheme() }},
		{"clears a map", 1, func(v *VisitorSession) { v.ClearCart() }},
		{"adds to a counter", 1, func(v *VisitorSession) { v.AddViews(1) }},
		{"adds to an entry", 1, func(v *VisitorSession) { v.AddCartItem("a", 1) }},
		{"renews", 1, func(v *VisitorSession) { v.Renew() }},
		{"reads", 1, func(v *VisitorSession) { v.Name(); v.Theme(); v.Snapshot() }},
		{"reads, and sets what is there", 1, func(v *VisitorSession) { v.SetName(v.Name()) }},
		{"reads and writes", 2, func(v *VisitorSession) { v.SetRatio(v.Ratio() + 1) }},
		{"appends", 2, func(v *VisitorSession) { v.AppendRecent("x") }},
	}
	// Limits of maps are among what the program judges, if the store's server does not.
	judged := []string{"sets many fields", "adds to an entry", "clears a map", "renews", "appends"}
	onEveryMeter(t, func(t *testing.T, m *metered) {
		for _, r := range requests {
			want, more := r.want, 0
			if m.transacts && slices.Contains(judged, r.what) {
				want++
			}
			for range 10 {
				b := m.known()
				m.calls()
				if res := b.visit(r.do); res.StatusCode != http.StatusOK {
					t.Fatalf("a request that %s: status %d", r.what, res.StatusCode)
				}
				switch n := len(m.calls()); {
				case n < want:
					t.Fatalf("a request that %s makes %d calls, want %d", r.what, n, want)
				case n > want:
					more++
				}
			}
			if more > teachable {
				t.Errorf("%d of 10 requests that %s make more than %d calls", more, r.what, want)
			}
		}
	})
}

func TestBytesSentGrowWithTheChangeAlone(t *testing.T) {
	onEveryWire(t, func(t *testing.T, w *wire) {
		s := newSiteOn(t, &spyStore{Store: w.through})
		sizes := map[int]int{}
		for _, fields := range []int{3, 20, 100} {
			b := s.known()
			b.visit(func(v *VisitorSession) {
				for n := range fields {
					v.SetPrefsItem(n, Setting{Value: strings.Repeat("x", 40)})
				}
			})
			for range 20 { // the first one may have to teach the server
				b.visit(func(v *VisitorSession) { v.SetTheme("") })
				w.proxy.Calls()
				b.visit(func(v *VisitorSession) { v.SetTheme(strings.Repeat("d", 40)) })
				for _, call := range w.proxy.Calls() {
					least := cmp.Or(sizes[fields], call.Sent)
					sizes[fields] = min(least, call.Sent)
				}
			}
		}
		t.Logf("one field of 40 bytes: %d bytes sent", sizes[3])
		if sizes[3] != sizes[20] || sizes[20] != sizes[100] || sizes[3] > 500 {
			t.Errorf("a change of one field among 3, 20 and 100 sends %v bytes, want the same few hundred", sizes)
		}
	})
}

// TestADeltaHoldsTheChangeAlone is what stores without a wire get.
func TestADeltaHoldsTheChangeAlone(t *testing.T) {
	s := newSite(t)
	b := s.known()
	b.visit(func(v *VisitorSession) {
		for n := range 100 {
			v.SetPrefsItem(n, Setting{Value: "x"})
		}
	})
	s.store.took()
	b.visit(func(v *VisitorSession) { v.Snapshot(); v.SetTheme("dark"); v.SetPrefsItem(7, Setting{Value: "y"}) })
	if d := s.store.deltas; len(d) != 1 || len(d[0].Ops) != 2 || d[0].Ops[0].Kind != runtime.OpSet {
		t.Errorf("two changes are sent as %+v", d)
	}
}
