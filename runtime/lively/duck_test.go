package lively_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime/lively"
)

// What the client of the Duck framework sends and understands, frame by frame.

func newDuckSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, func(c *lively.Config) { c.Duck = true })
}

func TestPatchesInTheWordsOfDuck(t *testing.T) {
	type m = map[string]any
	node := lively.Node{Tag: "li", Key: "new", Text: "<b>", Style: map[string]string{"color": "red"},
		Attributes: map[string]string{"class": "a", "onclick": "run()", "innerHTML": "<b>"},
		Children:   []lively.Node{{Tag: "script", Text: "run()"}, {Tag: "style", Text: "a > b {}"}}}
	made := []any{"li", "new", m{"class": "a", "data-uid": "new"}, m{"color": "red"}, "&lt;b&gt;", []any{
		[]any{"script", nil, m{"type": "text/plain"}, m{}, "run()", []any{}},
		[]any{"style", nil, m{}, m{}, "a > b {}", []any{}},
	}}
	s := newDuckSite(t)
	var patch lively.Patch
	s.live.Handle("click", func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		return c.Patch(ctx, patch)
	})
	p := s.browser().open()
	for name, x := range map[string]struct {
		patch lively.Patch
		want  []any
	}{
		"text":             {lively.Text("x", "plain"), []any{int64(3), "x", "plain"}},
		"text like markup": {lively.Text("x", `<img src=x onerror=run()> &amp; "'`), []any{int64(3), "x", `&lt;img src=x onerror=run()&gt; &amp;amp; &#34;&#39;`}},
		"markup":           {lively.HTML("x", `<b onclick="run()">b</b><script>run()</script>`), []any{int64(3), "x", `<b >b</b><script data-init="true">run()</script>`}},
		"replace":          {lively.Replace("new", node), []any{int64(0), "new", made}},
		"insert":           {lively.Insert("list", 2, node), []any{int64(2), "list", []any{int64(2), made}}},
		"replace-html": {lively.ReplaceHTML("x", `<li class="a" onclick="run()">a <b>b</b></li>`),
			[]any{int64(0), "x", []any{"li", "x", m{"class": "a", "data-uid": "x"}, m{}, "a <b>b</b>", []any{}}}},
		"attributes": {lively.Attributes("x", map[string]string{"title": "t", "onclick": "run()"}), []any{int64(4), "x", m{"title": "t", "data-uid": "x"}}},
		"style":      {lively.Style("x", map[string]string{"color": "red"}), []any{int64(5), "x", m{"color": "red"}}},
		"remove":     {lively.Remove("x"), []any{int64(1), "x"}},
	} {
		patch = x.patch
		p.event("click", nil)
		want := []any{int64(1), []any{x.want}}
		if got := p.receive(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%v, want\n%v", name, got, want)
		}
	}
}

func TestOfEventsThatAreUnknownOnlyThoseOfElementsReloadADuck(t *testing.T) {
	s := newDuckSite(t)
	s.show()
	p := s.known().open()
	p.send(100, "root", "root", "DOMContentLoaded", nil, true)
	p.event("show", nil) // so that it would come first
	wantFrame(t, p.receive(), 1, []any{[]any{3, "name", "Ada"}})
	p.event("click", nil)
	wantFrame(t, p.receive(), 150, true)
}

func TestADuckKeepsItsPageWithoutAComponent(t *testing.T) {
	s := newDuckSite(t)
	s.live.HandleNavigation(func(ctx context.Context, c *lively.Conn, n lively.Navigation, _ *visitor) error {
		return c.Navigate(ctx, lively.Page{Path: n.Path, Component: n.Next})
	})
	p := s.browser().open()
	p.send(120, "shop", nil, "/cart", map[string]any{"Host": "x"})
	wantFrame(t, p.receive(), 121, "/cart", false, "shop", []any{}, true)
	p.send(120, "shop", "cart", "/cart", map[string]any{})
	wantFrame(t, p.receive(), 121, "/cart", false, "cart", []any{}, true)
}

func TestADuckKeepsThePageThatAnEventCameFrom(t *testing.T) {
	s := newDuckSite(t)
	s.live.Handle("next", func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		return c.Navigate(ctx, lively.Page{Path: "/cart"})
	})
	p := s.browser().open()
	for _, page := range []string{"shop", "cart"} {
		p.send(100, page, "component", "next", nil, false)
		wantFrame(t, p.receive(), 121, "/cart", false, page, []any{}, true)
	}
}

func TestADuckIsAskedForAFile(t *testing.T) {
	s := newDuckSite(t)
	s.live.Handle("submit", func(ctx context.Context, c *lively.Conn, e lively.Event, _ *visitor) error {
		return c.RequestFile(ctx, lively.FileRequest{Upload: "photo", Form: e.Component, Input: "file", Types: []string{"image/png"}, Progress: true})
	})
	news := make(chan lively.Event, 1)
	for _, name := range []string{lively.FileStarted, lively.FileProgress, lively.FileError} {
		s.live.Handle(name, func(_ context.Context, _ *lively.Conn, e lively.Event, _ *visitor) error {
			news <- e
			return nil
		})
	}
	p := s.browser().open()
	p.event("submit", nil)
	wantFrame(t, p.receive(), 130, []any{"component", "photo", "file", "/lively/upload/photo", []any{"image/png"}, true, ""})
	for _, x := range []struct {
		frame []any
		want  lively.Event
	}{
		{[]any{132, "photo"}, lively.Event{Name: lively.FileStarted, Component: "photo", Document: true}},
		{[]any{133, "photo", 12.5}, lively.Event{Name: lively.FileProgress, Component: "photo", Document: true, Value: 12.5}},
		{[]any{131, "photo", "No file"}, lively.Event{Name: lively.FileError, Component: "photo", Document: true, Value: "No file"}},
	} {
		p.send(x.frame...)
		if got := next(t, news); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%v is heard as %+v, want %+v", x.frame, got, x.want)
		}
	}
	p.send(131, "photo")
	p.wantClosed(1007, "2 elements, not 3")
}

func TestOnlyADuckIsAskedForFiles(t *testing.T) {
	s := newSite(t)
	asked := make(chan error, 1)
	s.live.Handle("ask", func(ctx context.Context, c *lively.Conn, _ lively.Event, _ *visitor) error {
		asked <- c.RequestFile(ctx, lively.FileRequest{})
		return nil
	})
	p := s.browser().open()
	p.event("ask", nil)
	if next(t, asked) == nil {
		t.Error("a page of this package's client was asked for a file")
	}
	p.send(132, "photo")
	p.wantClosed(1003, "unknown opcode 132")
}

func TestADuckClosesItsConnectionItself(t *testing.T) {
	s := newDuckSite(t)
	s.handle("renew", func(v *visitor) { v.Renew() })
	s.handle("leave", func(v *visitor) { v.Destroy() })
	b := s.known()
	p, other := b.open(), b.open()
	s.wait(2)
	p.event("renew", nil)
	frame := other.receive()
	if len(frame) != 6 || frame[0] != int64(101) || frame[1] != "setTimeout(() => window.LIVELY_APPLICATION.websocketClient.connect(), 250)" || frame[4] != false {
		t.Errorf("another page of a renewed session gets %v", frame)
	}
	_ = other.ws.CloseNow()
	path, _ := p.receive()[1].(string)
	b.fetch(path)
	_ = p.ws.CloseNow()

	p, other = b.open(), b.open()
	p.event("leave", nil)
	wantFrame(t, p.receive(), 170, "/lively/sync")
	for _, page := range []*page{p, other} {
		wantFrame(t, page.receive(), 150, true)
		_ = page.ws.CloseNow()
	}
	begun := time.Now()
	s.wait(0)
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("the endpoint notices only after %v that the pages have gone", took)
	}
}

func TestADuckFetchesItsCookieByGET(t *testing.T) {
	var method string
	sync := lively.DuckSync(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method = r.Method + " " + r.URL.String()
		w.WriteHeader(http.StatusNoContent)
	}))
	fetch := map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
	for name, x := range map[string]struct {
		method, field, value string
		passes               bool
	}{
		"a fetch":              {"GET", "", "", true},
		"a stricter fetch":     {"GET", "Sec-Fetch-Mode", "same-origin", true},
		"a POST":               {"POST", "Sec-Fetch-Dest", "image", true}, // for the handler to judge
		"an image":             {"GET", "Sec-Fetch-Dest", "image", false},
		"a prefetch":           {"GET", "Sec-Fetch-Mode", "no-cors", false},
		"a navigation":         {"GET", "Sec-Fetch-Mode", "navigate", false},
		"a sibling's page":     {"GET", "Sec-Fetch-Site", "same-site", false},
		"nobody's":             {"GET", "Sec-Fetch-Site", "none", false},
		"a browser that knows": {"GET", "Sec-Fetch-Site", "", false},
	} {
		method = ""
		r := httptest.NewRequest(x.method, "/lively/sync?ticket=t", nil)
		for field, value := range fetch {
			r.Header.Set(field, value)
		}
		if x.field != "" {
			r.Header.Set(x.field, x.value)
		}
		w := httptest.NewRecorder()
		sync.ServeHTTP(w, r)
		if (w.Code == http.StatusNoContent) != x.passes || (method == "POST /lively/sync?ticket=t") != x.passes {
			t.Errorf("%s is answered %d, and the handler gets %q", name, w.Code, method)
		}
	}
}
