package apptest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/duckgen/duckgen/examples/routers/app"
)

// A guest is one browser. What it does may be seen at once in another tab of it.
type guest struct {
	*site
	client *http.Client
}

func (s *site) guest() *guest {
	s.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &guest{s, &http.Client{Jar: jar, Timeout: patience}}
}

// known returns a guest who has signed in.
func (s *site) known(name string) *guest {
	s.Helper()
	g := s.guest()
	g.post("/sign-in", "name", name).want(http.StatusOK)
	return g
}

// An answer is a response that was read to its end.
type answer struct {
	*guest
	*http.Response
	body string
}

func (g *guest) get(path string) *answer {
	g.Helper()
	return g.read(g.begin(g.Context(), http.MethodGet, path))
}

func (g *guest) post(path string, form ...string) *answer {
	g.Helper()
	return g.read(g.begin(g.Context(), http.MethodPost, path, form...))
}

// begin sends a request and returns the response with its body to be read. The form
// has names and values in turn.
func (g *guest) begin(ctx context.Context, method, path string, form ...string) *http.Response {
	g.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	r, err := http.NewRequestWithContext(ctx, method, g.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		g.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", g.url)
	}
	res, err := g.client.Do(r)
	if err != nil {
		g.Fatal(err)
	}
	return res
}

func (g *guest) read(res *http.Response) *answer {
	g.Helper()
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		g.Fatalf("%s: %v", res.Request.URL, err)
	}
	return &answer{g, res, string(body)}
}

// want checks the status, and that the body has the texts.
func (a *answer) want(status int, texts ...string) {
	a.Helper()
	if a.StatusCode != status {
		a.Fatalf("%s %s answers %s, want %d\n%s", a.Request.Method, a.Request.URL, a.Status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.Errorf("%s %s has no %q in\n%s", a.Request.Method, a.Request.URL, text, a.body)
		}
	}
}

// wantNone checks that the body has none of the texts, and the header no cookie.
func (a *answer) wantNone(texts ...string) {
	a.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			a.Errorf("%s %s has %q in\n%s", a.Request.Method, a.Request.URL, text, a.body)
		}
	}
	if cookies := a.Header["Set-Cookie"]; cookies != nil {
		a.Errorf("%s %s sets the cookies %q", a.Request.Method, a.Request.URL, cookies)
	}
}

// cart returns what is stored of the guest, as another tab sees it.
func (g *guest) cart() (v app.View) {
	g.Helper()
	a := g.get("/cart")
	a.want(http.StatusOK)
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		g.Fatalf("%v in %s", err, a.body)
	}
	return v
}

// wantStored checks what is stored of the guest.
func (g *guest) wantStored(name string, ducks int, orders int64) {
	g.Helper()
	v := g.cart()
	if v.Name != name || v.Cart["duck"] != ducks || v.Cart["ghost"] != 0 || v.Orders != orders {
		g.Errorf("stored is %+v, want %d ducks and %d orders of %q", v, ducks, orders, name)
	}
}

// cookie returns the cookie that the guest has, nil if there is none.
func (g *guest) cookie() *http.Cookie {
	g.Helper()
	at, err := url.Parse(g.url)
	if err != nil {
		g.Fatal(err)
	}
	cookies := g.client.Jar.Cookies(at)
	if len(cookies) == 0 {
		return nil
	}
	return cookies[0]
}

// thief returns a guest who has the cookie that the other one has now.
func (g *guest) thief() *guest {
	g.Helper()
	thief, at := g.site.guest(), &url.URL{Scheme: "http", Host: strings.TrimPrefix(g.url, "http://")}
	thief.client.Jar.SetCookies(at, []*http.Cookie{g.cookie()})
	return thief
}

// lines reads a body line by line, without the ends of lines.
type lines struct {
	*site
	*bufio.Reader
}

// lines reads a response until the test ends, if not before.
func (s *site) lines(res *http.Response) lines {
	s.Cleanup(func() { _ = res.Body.Close() })
	return lines{s, bufio.NewReader(res.Body)}
}

func (l lines) next() string {
	l.Helper()
	line, err := l.ReadString('\n')
	if err != nil {
		l.Fatalf("after %q: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// want reads the next line.
func (l lines) want(line string) {
	l.Helper()
	if got := l.next(); got != line {
		l.Fatalf("the next line is %q, want %q", got, line)
	}
}

// wantEvent reads the next event.
func (l lines) wantEvent(name, data string) {
	l.Helper()
	got := map[string]string{}
	for line := l.next(); line != ""; line = l.next() {
		field, value, _ := strings.Cut(line, ":")
		got[field] = strings.TrimPrefix(value, " ")
	}
	if got["event"] != name || got["data"] != data {
		l.Fatalf("the next event is %v, want %q with %q", got, name, data)
	}
}

// wantEnd checks that there is no line left.
func (l lines) wantEnd() {
	l.Helper()
	if rest, err := io.ReadAll(l); err != nil || len(rest) > 0 {
		l.Fatalf("after the last line comes %q, %v", rest, err)
	}
}
