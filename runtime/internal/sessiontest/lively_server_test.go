package sessiontest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// line is a live connection that has one line for each message, over a
// connection taken over from a real server.
type line struct{ conn net.Conn }

func (l line) ExecuteJS(_ context.Context, code string) error {
	_, err := fmt.Fprintln(l.conn, "script", code)
	return err
}

func (l line) SyncBrowserState(_ context.Context, url string) error {
	_, err := fmt.Fprintln(l.conn, "sync", url)
	return err
}

// serveLines takes the connection over and runs an event for each line: "name x"
// sets the name, "user" signs in, "destroy" destroys.
func (s *site) serveLines(w http.ResponseWriter, r *http.Request) {
	v := VisitorFrom(r.Context())
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "lines")
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.t.Error(err)
		return
	}
	defer conn.Close()
	for lines := bufio.NewScanner(rw); lines.Scan(); {
		err := s.LivelyEvent(r.Context(), line{conn}, v, func(ctx context.Context) error {
			v := VisitorFrom(ctx)
			switch verb, rest, _ := strings.Cut(lines.Text(), " "); verb {
			case "name":
				v.SetName(rest)
			case "user":
				v.SetUserID(7)
			case "destroy":
				v.Destroy()
			}
			return nil
		})
		if _, err := fmt.Fprintln(conn, "done", err); err != nil {
			return
		}
	}
}

// soon bounds what a page waits for.
const soon = time.Minute

// page is a browser with a real cookie jar, and its connection.
type page struct {
	t      *testing.T
	url    string
	client *http.Client
	conn   io.ReadWriteCloser
	lines  *bufio.Scanner
}

func (s *site) open() *page {
	mux := http.NewServeMux()
	mux.HandleFunc("/lines", s.serveLines)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		v := VisitorFrom(r.Context())
		fmt.Fprint(w, v.Name(), " ", v.UserID())
	})
	mux.Handle("/lively/sync", s.SyncHandler())
	server := httptest.NewServer(s.Middleware(mux))
	s.t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &page{t: s.t, url: server.URL, client: &http.Client{Jar: jar}}
}

// connect opens the connection with the cookies of the jar.
func (p *page) connect() {
	p.t.Helper()
	r, err := http.NewRequest("GET", p.url+"/lines", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "lines")
	res, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	conn, ok := res.Body.(io.ReadWriteCloser)
	if res.StatusCode != http.StatusSwitchingProtocols || !ok {
		p.t.Fatalf("status %d, want a connection that was taken over", res.StatusCode)
	}
	p.t.Cleanup(func() { conn.Close() })
	p.conn, p.lines = conn, bufio.NewScanner(conn)
}

// event sends one event and returns what the page was told, "" for nothing.
func (p *page) event(text string) (told string) {
	p.t.Helper()
	late := time.AfterFunc(soon, func() { p.conn.Close() })
	defer late.Stop()
	if _, err := fmt.Fprintln(p.conn, text); err != nil {
		p.t.Fatal(err)
	}
	for p.lines.Scan() {
		if rest, ok := strings.CutPrefix(p.lines.Text(), "done "); ok {
			if rest != "<nil>" {
				p.t.Errorf("event %q: %s", text, rest)
			}
			return told
		}
		told += p.lines.Text()
	}
	p.t.Fatalf("event %q: the connection ended: %v", text, p.lines.Err())
	return ""
}

// send returns status and body of a request of the page.
func (p *page) send(method, path string) (int, string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), soon)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Origin", p.url) // plain HTTP has no Sec-Fetch-Site
	res, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// obey fetches the sync URL that an event told.
func (p *page) obey(told string) {
	p.t.Helper()
	path, ok := strings.CutPrefix(told, "sync ")
	if !ok {
		p.t.Fatalf("the page was told %q, want a sync URL", told)
	}
	if status, _ := p.send(http.MethodPost, path); status != http.StatusNoContent {
		p.t.Errorf("sync: status %d, want 204", status)
	}
}

func (p *page) shows(want string) {
	p.t.Helper()
	if _, got := p.send(http.MethodGet, "/"); got != want {
		p.t.Errorf("the page shows %q, want %q", got, want)
	}
}

func TestL1ConnectionOverARealServer(t *testing.T) {
	s := newSite(t, func(c *runtime.Config) { c.Cookie.Secure, c.Now = false, time.Now })
	p := s.open()
	p.connect()
	p.obey(p.event("name Ada"))
	p.shows("Ada 0")
	p.connect()
	if told := p.event("name Grace"); told != "" {
		t.Errorf("the page was told %q by a change that needs no cookie", told)
	}
	p.shows("Grace 0")
	p.obey(p.event("user"))
	p.shows("Grace 7")
	p.connect()
	p.obey(p.event("destroy"))
	p.shows(" 0")
	server, err := http.NewRequest("GET", p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.client.Jar.Cookies(server.URL); len(got) != 0 {
		t.Errorf("cookies %v after the destruction", got)
	}
}
