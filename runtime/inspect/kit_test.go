package inspect_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/inspect"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A site is a program that is inspected.
type site struct {
	*sessiontest.VisitorSessions
	t      *testing.T
	mux    *http.ServeMux
	server *httptest.Server
	down   atomic.Bool // the store
}

// A fallible store fails while its site says so.
type fallible struct {
	runtime.Store
	down *atomic.Bool
}

var errDown = errors.New("the store is down")

func (s fallible) Unwrap() runtime.Store { return s.Store }

func (s fallible) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if s.down.Load() {
		return nil, errDown
	}
	return s.Store.Load(ctx, key)
}

const mount = "/debug/sessions/"

func newSite(t *testing.T, configure ...func(*inspect.Config)) *site {
	t.Helper()
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	s := &site{t: t, mux: http.NewServeMux()}
	in := inspect.New(configure...)
	sessions, err := sessiontest.NewVisitorSessions(in.Store(fallible{store, &s.down}), in.Configure, func(c *runtime.Config) {
		c.Cookie.Secure = false
		c.Keys = [][]byte{newKey()}
		c.OnEvent = func(context.Context, runtime.Event) {}
		c.OnError = func(context.Context, error) {}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.VisitorSessions = sessions
	s.mux.Handle(mount, in)
	s.server = httptest.NewUnstartedServer(sessions.Middleware(s.mux))
	s.server.Config.ErrorLog = quiet
	s.server.Start()
	t.Cleanup(s.server.Close)
	t.Cleanup(s.server.CloseClientConnections)
	return s
}

// handle has a path do something with the session.
func (s *site) handle(path string, do func(v *sessiontest.VisitorSession)) {
	s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		do(sessiontest.VisitorFrom(r.Context()))
		_, _ = io.WriteString(w, "done")
	})
}

func newKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return key
}

// A browser keeps cookies.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar}}
}

func (b *browser) get(path string) (status int, body string) {
	b.t.Helper()
	res, err := b.client.Get(b.server.URL + path)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(all)
}

// token is what the browser's cookie holds.
func (b *browser) token() string {
	b.t.Helper()
	req := httptest.NewRequest("GET", b.server.URL, nil)
	cookies := b.client.Jar.Cookies(req.URL)
	if len(cookies) != 1 {
		b.t.Fatalf("the browser has the cookies %v", cookies)
	}
	return cookies[0].Value
}

// A entry is what the page gets, as far as the tests look.
type entry struct {
	ID      uint64
	Took    float64
	Ended   bool
	Kind    string
	Name    string
	Session string
	Handles []string
	Status  int
	Reads   []string
	Writes  []string
	Calls   []struct {
		Op, Outcome string
		Bytes       int
		Took        float64
	}
	Notices []struct {
		Kind, Text string
		Error      bool
	}
	Left int
}

// String leaves out what is never the same.
func (e entry) String() string {
	text := fmt.Sprintf("%s %s %d reads %v writes %v calls [", e.Kind, e.Name, e.Status, e.Reads, e.Writes)
	for _, c := range e.Calls {
		text += fmt.Sprintf("%s %s;", c.Op, c.Outcome)
	}
	text += "] notices ["
	for _, n := range e.Notices {
		text += n.Kind + " " + n.Text + ";"
	}
	return text + "]"
}

// listen opens the stream of a page.
func (b *browser) listen() *stream {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.t.Context(), 10*time.Second)
	b.t.Cleanup(stop)
	req, err := http.NewRequestWithContext(ctx, "GET", b.server.URL+mount+"events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("the stream is answered %s", res.Status)
	}
	return &stream{t: b.t, lines: bufio.NewScanner(res.Body), known: map[uint64]entry{}}
}

// A stream is what a page knows.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	raw   strings.Builder
	known map[uint64]entry
}

// next takes a batch in. It reports whether there was one.
func (s *stream) next() bool {
	s.t.Helper()
	for s.lines.Scan() {
		s.raw.WriteString(s.lines.Text())
		data, ok := strings.CutPrefix(s.lines.Text(), "data: ")
		if !ok {
			continue
		}
		var b struct{ Entries []entry }
		if err := json.Unmarshal([]byte(data), &b); err != nil {
			s.t.Fatal(err)
		}
		for _, e := range b.Entries {
			s.known[e.ID] = e
		}
		return true
	}
	return false
}

// entries returns what is known, in the order in which it began.
func (s *stream) entries() (list []entry) {
	for _, e := range s.known {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b entry) int { return int(a.ID) - int(b.ID) })
	return list
}

// want waits until something has happened that the text describes, as long as the
// stream goes on.
func (s *stream) want(text string) entry {
	s.t.Helper()
	for more := true; more; more = s.next() {
		for _, e := range s.entries() {
			if e.Ended && e.String() == text {
				return e
			}
		}
	}
	s.t.Fatalf("the page does not hear of\n%s\nbut of\n%v", text, s.entries())
	return entry{}
}

// decode returns the bytes of a token: those of the id and of the secret.
func decode(t *testing.T, token string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 48 {
		t.Fatalf("%q is no token", token)
	}
	return b
}
