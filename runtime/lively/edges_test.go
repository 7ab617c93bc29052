package lively

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// A frame says how many elements it has. One that says another number than it has is
// malformed, even if all that is needed is there.
func TestAFrameHasAsManyElementsAsItSays(t *testing.T) {
	for name, c := range map[string]struct {
		frame  []any
		decode func([]byte, int) (any, error)
	}{
		"an event":         {[]any{100, "r", "c", "e", nil, true}, decodeFrame},
		"a numbered event": {[]any{100, "r", "c", "e", nil, true, 1, 1}, decodeNumbered},
		"a result":         {[]any{111, nil, nil, "7"}, decodeFrame},
		"a navigation":     {[]any{120, nil, nil, "/x", nil}, decodeFrame},
	} {
		b := pack(t, c.frame)
		if _, err := c.decode(b, 100); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, says := range []int{-1, 1} {
			lies := slices.Clone(b)
			lies[0] = byte(int(lies[0]) + says)
			if got, err := c.decode(lies, 100); err == nil {
				t.Errorf("%s of %d elements that says %d is %v", name, len(c.frame), len(c.frame)+says, got)
			}
		}
	}
}

// Lists and maps count alike, and so do the ones in the others.
func TestNestingIsLimitedWhateverIsNested(t *testing.T) {
	list := func(v any) any { return []any{v} }
	object := func(v any) any { return map[string]any{"k": v} }
	for name, nest := range map[string][2]func(any) any{
		"lists": {list, list}, "maps": {object, object}, "both": {list, object},
	} {
		v := any("x")
		for n := range maxDepth + 1 {
			v = nest[n%2](v)
		}
		_, err := decodeFrame(pack(t, []any{100, "r", "c", "e", v, true}), 1000)
		if err == nil || !strings.Contains(err.Error(), "deeper") {
			t.Errorf("%s, %d deep: %v, want an error", name, maxDepth+1, err)
		}
	}
}

func TestACountForgetsWhatHasGone(t *testing.T) {
	n := count{}
	for limit := 1; limit <= 3; limit++ {
		for i := range limit + 1 {
			if got, want := n.add("a", limit), i < limit; got != want {
				t.Errorf("of %d, number %d may come: %v, want %v", limit, i+1, got, want)
			}
		}
		for range limit {
			n.remove("a")
		}
		if len(n) != 0 {
			t.Errorf("when all have gone it still has %v", n)
		}
	}
	for range 2 {
		if !n.add("", 1) || !n.add("b", 0) {
			t.Error("what has no name, or no limit, is refused")
		}
	}
}

// What has been run makes room, however much that was.
func TestAnInboxHasRoomAgain(t *testing.T) {
	var ran sync.WaitGroup
	in := &inbox{limit: 4, limitBytes: 10, run: func(arrival) { ran.Done() }}
	for range 100 {
		ran.Add(1)
		in.put(make([]byte, 7))
		ran.Wait()
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.bytes != 0 || len(in.waiting) != 0 {
		t.Errorf("when all have run, %d events of %d bytes wait", len(in.waiting), in.bytes)
	}
}

func TestWhatAPageSaysOfItself(t *testing.T) {
	random := strings.Repeat("a", 16)
	longest := strings.Repeat("b", 64)
	greeted := func(name string) (*greeting, error) {
		r := httptest.NewRequest(http.MethodGet, "/lively", nil)
		r.Header.Set("Sec-WebSocket-Protocol", subprotocol+", "+pagePrefix+name)
		return greetingOf(r)
	}
	got, err := greeted(random + "." + longest + ".19.98")
	if want := (greeting{pageName{random, longest}, 19, 98}); err != nil || *got != want {
		t.Errorf("it says %v, %v, want %v", got, err, want)
	}
	for _, name := range []string{
		"", random, random + "." + random + ".1", random + "." + random + ".1.1.1",
		random[1:] + "." + random + ".1.1", random + "." + random[1:] + ".1.1",
		longest + "b." + random + ".1.1", random + "." + longest + "b.1.1",
		random + "." + random + ".x.1", random + "." + random + ".1.-1", random + "." + random + ".9223372036854775808.1",
	} {
		if got, err := greeted(name); err == nil {
			t.Errorf("%q says %v", name, got)
		}
	}
}

func TestADuckSyncServesEachRequestOnce(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		header http.Header
		served []string // by which methods
		status int
	}{
		"a POST":             {http.MethodPost, nil, []string{http.MethodPost}, http.StatusOK},
		"a script":           {http.MethodGet, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}}, []string{http.MethodPost}, http.StatusOK},
		"a link":             {http.MethodGet, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}, nil, http.StatusForbidden},
		"another site":       {http.MethodGet, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}}, nil, http.StatusForbidden},
		"without the fields": {http.MethodGet, nil, nil, http.StatusForbidden},
	} {
		var served []string
		h := DuckSync(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { served = append(served, r.Method) }))
		r := httptest.NewRequest(c.method, "https://shop.example/lively/sync", nil)
		for field, value := range c.header {
			r.Header[field] = value
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !slices.Equal(served, c.served) || w.Code != c.status {
			t.Errorf("%s: served as %q with %d, want %q and %d", name, served, w.Code, c.served, c.status)
		}
		if c.status == http.StatusForbidden && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: a refusal may be cached: %v", name, w.Header())
		}
	}
}

// Shutdown is followed by the end of the program: what runs then is lost.
func TestShutdownReturnsAfterTheLastConnectionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &Endpoint[struct{}]{}
		if !e.enter() {
			t.Fatal("an endpoint that is open refuses a connection")
		}
		var returned bool
		go func() {
			if err := e.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			returned = true
		}()
		synctest.Wait()
		if returned {
			t.Error("it returns before the last connection has left")
		}
		e.leave()
		synctest.Wait()
		if !returned || e.enter() {
			t.Errorf("when all have left it returns: %v, or another one may come", returned)
		}
	})
}
