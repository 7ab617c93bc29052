package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// browser posts as a page of the server does.
type browser struct {
	t      *testing.T
	url    string
	client *http.Client
}

// serve returns where the example is.
func serve(t *testing.T) (url string) {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	sessions, err := session.NewVisitorSessions(store, func(c *runtime.Config) { c.Cookie.Secure = false })
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler(sessions, 0))
	t.Cleanup(func() {
		server.CloseClientConnections() // streams that a page still reads
		server.Close()
	})
	return server.URL
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, serve(t), &http.Client{Jar: jar}}
}

func (b *browser) post(path string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), "POST", b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Origin", b.url)
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

func (b *browser) read(res *http.Response) string {
	b.t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(body)
}

// signIn returns the answer to the fetch that the stream has asked for.
func (b *browser) signIn() *http.Response {
	b.t.Helper()
	body := b.read(b.post("/sign-in"))
	order := regexp.MustCompile(`fetch\("(/lively/sync\?ticket=[^"]+)"`).FindStringSubmatch(body)
	if order == nil || !strings.Contains(body, "Just a moment") {
		b.t.Fatalf("the stream has no order to fetch the cookie:\n%s", body)
	}
	res := b.post(order[1])
	_ = res.Body.Close()
	return res
}

func TestASignInWithinAStreamSetsAnHttpOnlyCookie(t *testing.T) {
	b := newBrowser(t)
	res := b.signIn()
	cookies := res.Cookies()
	if res.StatusCode != http.StatusNoContent || len(cookies) != 1 || !cookies[0].HttpOnly {
		t.Errorf("the fetch: status %d, cookies %v, want one that is HttpOnly", res.StatusCode, cookies)
	}
}

func TestASignOutEndsTheStream(t *testing.T) {
	b := newBrowser(t)
	b.signIn()
	feed := b.post("/feed")
	defer feed.Body.Close()
	stream := bufio.NewReader(feed.Body)
	for line := ""; !strings.Contains(line, "Signed in: Ada"); {
		var err error
		if line, err = stream.ReadString('\n'); err != nil {
			t.Fatalf("the stream does not show who has signed in: %v", err)
		}
	}
	_ = b.post("/sign-out").Body.Close()
	rest, err := io.ReadAll(stream)
	if err != nil || !strings.Contains(string(rest), "location.reload()") {
		t.Errorf("the stream ends with %v:\n%s", err, rest)
	}
}

func TestAPageOfAnotherOriginGetsNoStream(t *testing.T) {
	b := newBrowser(t)
	r, err := http.NewRequestWithContext(t.Context(), "POST", b.url+"/feed", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", (&url.URL{Scheme: "https", Host: "evil.example"}).String())
	res, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d, want 403", res.StatusCode)
	}
}
