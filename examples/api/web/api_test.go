package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// A service is the API on a server of its own.
type service struct {
	*testing.T
	url   string
	store *brittle
	late  time.Duration // how far its clock is ahead
}

func start(t *testing.T) *service {
	t.Helper()
	memory := memstore.New()
	t.Cleanup(func() { memory.Close() })
	s := &service{T: t, store: &brittle{Store: memory}}
	check := func(name, password string) int64 {
		return map[string]int64{"ada lovelace": 1, "eve eavesdrop": 2}[name+" "+password]
	}
	api, err := New(s.store, check, func(c *runtime.Config) {
		c.OnError = func(context.Context, error) {}
		c.Now = func() time.Time { return time.Now().Add(s.late) }
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// A brittle store is down when a test says so.
type brittle struct {
	runtime.Store
	down bool
}

func (b *brittle) Unwrap() runtime.Store { return b.Store }

func (b *brittle) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if b.down {
		return nil, errors.New("down")
	}
	return b.Store.Load(ctx, key)
}

func (b *brittle) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if b.down {
		return nil, errors.New("down")
	}
	return b.Store.Update(ctx, key, d)
}

// A client keeps the token that an answer's header has.
type client struct {
	*service
	token string // with Bearer
}

func (s *service) client() *client { return &client{service: s} }

// An answered is an answer with its body.
type answered struct {
	*http.Response
	body string
}

func (c *client) do(method, path, body string) answered {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	if c.token != "" {
		r.Header.Set("Authorization", c.token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	if lines := res.Header["Authorization"]; len(lines) > 0 {
		c.token = lines[0]
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	return answered{res, strings.TrimSpace(string(text))}
}

// is checks the answer to a request.
func (c *client) is(method, path, body string, status int, want string) answered {
	c.Helper()
	res := c.do(method, path, body)
	if res.StatusCode != status || want != "" && res.body != want {
		c.Errorf("%s %s %s: %d %s, not %d %s", method, path, body, res.StatusCode, res.body, status, want)
	}
	if res.StatusCode >= 400 {
		c.isProblem(res)
	}
	return res
}

func (c *client) isProblem(res answered) {
	c.Helper()
	var p problem
	err := json.Unmarshal([]byte(res.body), &p)
	if err != nil || p.Status != res.StatusCode || p.Title == "" || res.Header.Get("Content-Type") != "application/problem+json" {
		c.Errorf("%d is answered with %s (%v)", res.StatusCode, res.body, err)
	}
}

func (c *client) signIn(device string) {
	c.Helper()
	c.is("POST", "/session", `{"name":"ada","password":"lovelace","device":"`+device+`"}`, http.StatusNoContent, "")
}

func (c *client) devices() (list []device) {
	c.Helper()
	var body struct{ Devices []device }
	if err := json.Unmarshal([]byte(c.is("GET", "/devices", "", http.StatusOK, "").body), &body); err != nil {
		c.Fatal(err)
	}
	return body.Devices
}

func TestTheCartOfAStrangerStaysAtTheSignIn(t *testing.T) {
	c := start(t).client()
	c.is("GET", "/cart", "", http.StatusOK, `{"cart":{}}`)
	if c.token != "" {
		t.Error("reading begins a session")
	}
	c.is("PATCH", "/cart", `{"tea":2}`, http.StatusOK, `{"cart":{"tea":2}}`)
	before := c.token
	c.signIn("phone")
	if c.token == before || !strings.HasPrefix(c.token, "Bearer ") {
		t.Errorf("the token %q became %q", before, c.token)
	}
	c.is("GET", "/cart", "", http.StatusOK, `{"cart":{"tea":2}}`)
	old := &client{service: c.service, token: before}
	old.is("GET", "/cart", "", http.StatusOK, `{"cart":{}}`)
}

func TestRequestsAtOnceLoseNothing(t *testing.T) {
	c := start(t).client()
	c.signIn("phone")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { (&client{service: c.service, token: c.token}).do("PATCH", "/cart", `{"tea":1}`) })
	}
	all.Wait()
	c.is("GET", "/cart", "", http.StatusOK, `{"cart":{"tea":20}}`)
}

func TestDevicesAreListedAndSignedOut(t *testing.T) {
	s := start(t)
	phone, laptop, tablet, eve := s.client(), s.client(), s.client(), s.client()
	phone.signIn("phone")
	laptop.signIn("laptop")
	tablet.signIn("tablet")
	eve.is("POST", "/session", `{"name":"eve","password":"eavesdrop"}`, http.StatusNoContent, "")
	handles := map[string]string{}
	for _, d := range phone.devices() {
		handles[d.Name] = d.Handle
		if d.This != (d.Name == "phone") || d.SignedInAt.IsZero() || d.LastUsedAt.IsZero() {
			t.Errorf("%+v", d)
		}
	}
	if len(handles) != 3 {
		t.Errorf("the devices are %v", handles)
	}
	eve.is("DELETE", "/devices/"+handles["laptop"], "", http.StatusNotFound, "")
	phone.is("DELETE", "/devices/"+handles["laptop"], "", http.StatusNoContent, "")
	laptop.is("GET", "/devices", "", http.StatusUnauthorized, "")
	if n := len(phone.devices()); n != 2 {
		t.Errorf("%d devices are left", n)
	}
	phone.is("DELETE", "/devices", "", http.StatusOK, `{"ended":1}`)
	tablet.is("GET", "/devices", "", http.StatusUnauthorized, "")
	eve.is("GET", "/devices", "", http.StatusOK, "")
	phone.is("DELETE", "/session", "", http.StatusNoContent, "")
	phone.is("GET", "/devices", "", http.StatusUnauthorized, "")
}

func TestOtherDevicesAreSignedOutOnlyAfterARecentSignIn(t *testing.T) {
	c := start(t).client()
	c.signIn("phone")
	c.late = recent
	c.is("GET", "/devices", "", http.StatusOK, "")
	res := c.is("DELETE", "/devices", "", http.StatusUnauthorized, "")
	want := `Bearer error="insufficient_user_authentication", max_age="600"`
	if got := res.Header.Get("WWW-Authenticate"); got != want {
		t.Errorf("challenged by %q", got)
	}
	c.signIn("phone")
	c.is("DELETE", "/devices", "", http.StatusOK, `{"ended":0}`)
}

func TestWrongRequestsAreAnsweredWithProblems(t *testing.T) {
	c := start(t).client()
	c.is("POST", "/session", `{"name":"ada","password":"babbage"}`, http.StatusForbidden, "")
	c.is("POST", "/session", `{"nom":"ada"}`, http.StatusBadRequest, "")
	c.is("PATCH", "/cart", `not JSON`, http.StatusBadRequest, "")
	c.is("PATCH", "/cart", `{"`+strings.Repeat("x", maxBody)+`":1}`, http.StatusBadRequest, "")
	res := c.is("GET", "/devices", "", http.StatusUnauthorized, "")
	if got := res.Header.Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("challenged by %q", got)
	}
	if c.token != "" {
		t.Error("what was refused has begun a session")
	}
}

func TestAFullCartIsAnsweredWithAProblem(t *testing.T) {
	c := start(t).client()
	items := map[string]int{}
	for i := range 51 {
		items[strings.Repeat("x", i+1)] = 1
	}
	body, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	c.is("PATCH", "/cart", string(body), http.StatusRequestEntityTooLarge, "")
	c.is("GET", "/cart", "", http.StatusOK, `{"cart":{}}`)
}

func TestAnOutageIsNoSignOut(t *testing.T) {
	c := start(t).client()
	c.signIn("phone")
	before := c.token
	c.store.down = true
	for _, request := range [][3]string{{"GET", "/devices", ""}, {"PATCH", "/cart", `{"tea":1}`}} {
		res := c.is(request[0], request[1], request[2], http.StatusServiceUnavailable, "")
		if res.Header.Get("Retry-After") != "1" || c.token != before {
			t.Errorf("%v: Retry-After %q, token %q", request, res.Header.Get("Retry-After"), c.token)
		}
	}
	c.store.down = false
	c.is("GET", "/cart", "", http.StatusOK, `{"cart":{}}`)
	if n := len(c.devices()); n != 1 {
		t.Errorf("%d devices", n)
	}
}
