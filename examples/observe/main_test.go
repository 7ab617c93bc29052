package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/tinylib/msgp/msgp"
)

// A program is one that runs, and a browser that visits it.
type program struct {
	t       *testing.T
	url     string
	browser *http.Client
	end     func() (printed string) // ends it and returns what it has printed since it was open
}

func start(t *testing.T, traces bool) *program {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, "127.0.0.1:0", traces, in)
		in.CloseWithError(err)
		done <- err
	}()
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	printed := make(chan string, 1)
	go func() {
		rest, _ := io.ReadAll(lines)
		printed <- string(rest)
	}()
	p := &program{t: t, url: regexp.MustCompile(`http://[0-9.:]+`).FindString(first)}
	p.end = func() string {
		stop()
		if err := <-done; err != nil {
			t.Errorf("closing the program: %v", err)
		}
		return <-printed
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.browser = &http.Client{Jar: jar, Timeout: time.Minute}
	return p
}

func (p *program) read(res *http.Response, err error) string {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("%s answers %s, %v:\n%s", res.Request.URL, res.Status, err, body)
	}
	return string(body)
}

// connect opens a live connection of the browser.
func (p *program) connect() *websocket.Conn {
	p.t.Helper()
	c, _, err := websocket.Dial(p.t.Context(), p.url+"/lively", &websocket.DialOptions{
		HTTPClient: p.browser, HTTPHeader: http.Header{"Origin": {p.url}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// metrics returns the lines that are of this library, without what tells which.
func (p *program) metrics() string {
	p.t.Helper()
	text := p.read(p.browser.Get(p.url + "/metrics"))
	return regexp.MustCompile(`,?otel_scope_\w+="[^"]*"`).ReplaceAllString(text, "")
}

// await reads the metrics until they have the line.
func (p *program) await(line string) {
	p.t.Helper()
	late := time.Now().Add(time.Minute)
	for text := ""; ; text = p.metrics() {
		if slices.Contains(strings.Split(text, "\n"), line) {
			return
		}
		if time.Now().After(late) {
			p.t.Fatalf("no %q comes in\n%s", line, text)
		}
	}
}

// count sends the event of the page's button.
func (p *program) count(c *websocket.Conn) {
	p.t.Helper()
	frame, err := msgp.AppendIntf(nil, []any{100, "", "", "visit", nil, false})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := c.Write(p.t.Context(), websocket.MessageBinary, frame); err != nil {
		p.t.Fatal(err)
	}
	p.await(`duckgen_live_event_duration_seconds_count{duckgen_live_endpoint="page",duckgen_live_event="visit",duckgen_live_outcome="done"} 1`)
}

func (p *program) use() {
	p.t.Helper()
	p.read(p.browser.Get(p.url))
	p.read(p.browser.PostForm(p.url+"/visit", nil))
	page := p.read(p.browser.PostForm(p.url+"/sign-in", url.Values{"name": {"Ada"}}))
	if !strings.Contains(page, `<span data-live-key="visits">1</span>, by Ada`) {
		p.t.Errorf("the page is\n%s", page)
	}
}

func TestPrometheusFindsWhatVisitorsDo(t *testing.T) {
	p := start(t, false)
	defer p.end()
	p.use()
	c := p.connect()
	defer c.CloseNow()
	p.await(`duckgen_live_connections{duckgen_live_endpoint="page"} 1`)
	p.count(c)
	got := p.metrics()
	for _, line := range []string{
		`db_client_operation_duration_seconds_count{db_operation_name="create",db_system_name="memory",duckgen_store_outcome="ok"} 1`,
		`db_client_operation_duration_seconds_count{db_operation_name="update",db_system_name="memory",duckgen_store_outcome="ok"} 2`,
		`duckgen_session_events_total{duckgen_event_kind="created",duckgen_session_type="session.Visitor"} 1`,
		`duckgen_session_events_total{duckgen_event_kind="signed_in",duckgen_session_type="session.Visitor"} 1`,
		`# TYPE duckgen_store_entries_size_bytes histogram`,
	} {
		if !slices.Contains(strings.Split(got, "\n"), line) {
			t.Errorf("there is no %s in\n%s", line, got)
		}
	}
}

func TestSpansArePrintedIfWanted(t *testing.T) {
	p := start(t, true)
	p.use()
	printed := p.end()
	for _, name := range []string{"create sessions", "load sessions", "update sessions"} {
		if !strings.Contains(printed, `"Name":"`+name+`"`) {
			t.Errorf("there is no span %q in\n%s", name, printed)
		}
	}
}

// The alarms that the documents advise ask for metrics and labels that there are.
func TestTheAlarmsAskForWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, alarms, _ := strings.Cut(string(text), "```promql\n")
	alarms, _, _ = strings.Cut(alarms, "```")
	names := regexp.MustCompile(`\b(db|error|duckgen)_\w+`).FindAllString(alarms, -1)
	if len(names) == 0 {
		t.Fatal("the documents advise no alarms")
	}
	p := start(t, false)
	defer p.end()
	p.use()
	c := p.connect()
	defer c.CloseNow()
	p.count(c)
	res, err := p.browser.PostForm(p.url+"/sign-in", url.Values{"name": {strings.Repeat("a", 200)}})
	if err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatalf("a long name is answered %v, %v", res, err)
	}
	res.Body.Close()
	got := p.metrics()
	for _, name := range names {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(got) {
			t.Errorf("nothing is called %s in\n%s", name, got)
		}
	}
}
