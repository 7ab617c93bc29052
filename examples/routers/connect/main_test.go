package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/apptest"
	kioskv1 "github.com/duckgen/duckgen/examples/routers/connect/kiosk/v1"
	"github.com/duckgen/duckgen/examples/routers/connect/kiosk/v1/kioskv1connect"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func TestTheKiosk(t *testing.T) { apptest.Run(t, app.HTTP(routes), apptest.Only(apptest.Command)) }

// protocols are what a client may speak.
var protocols = map[string][]connect.ClientOption{
	"connect":      nil,
	"connect-json": {connect.WithProtoJSON()},
	"connect-get":  {connect.WithHTTPGet()},
	"grpc":         {connect.WithGRPC()},
	"grpc-web":     {connect.WithGRPCWeb()},
}

// eachProtocol runs a test with a service of its own for each protocol.
func eachProtocol(t *testing.T, test func(s *shop)) {
	for name, options := range protocols {
		t.Run(name, func(t *testing.T) { test(open(t, options)) })
	}
}

// A shop is the service, over TLS, as HTTP/2 is there without further ado.
type shop struct {
	*testing.T
	server  *httptest.Server
	options []connect.ClientOption
	store   *shelf
	gate    chan struct{} // an order goes on by one step for each value
}

// A shelf is a store that can be made to fail.
type shelf struct {
	runtime.Store
	down atomic.Bool
}

func (s *shelf) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if s.down.Load() {
		return nil, errors.New("nobody answers")
	}
	return s.Store.Load(ctx, key)
}

func (s *shelf) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if s.down.Load() {
		return nil, errors.New("nobody answers")
	}
	return s.Store.Update(ctx, key, d)
}

func open(t *testing.T, options []connect.ClientOption) *shop {
	t.Helper()
	memory := memstore.New()
	t.Cleanup(func() { _ = memory.Close() })
	s := &shop{T: t, options: options, store: &shelf{Store: memory}, gate: make(chan struct{})}
	k, err := app.New(s.store)
	if err != nil {
		t.Fatal(err)
	}
	k.Pause = func(ctx context.Context) {
		select {
		case <-s.gate:
		case <-ctx.Done():
		}
	}
	s.server = httptest.NewUnstartedServer(routes(k))
	s.server.EnableHTTP2 = true
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	t.Cleanup(k.Close)
	return s
}

// A guest is a client with cookies of its own.
type guest struct {
	*shop
	kioskv1connect.KioskServiceClient
}

func (s *shop) guest() *guest {
	s.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	client := &http.Client{Transport: s.server.Client().Transport, Jar: jar}
	return &guest{s, kioskv1connect.NewKioskServiceClient(client, s.server.URL, s.options...)}
}

// known returns a guest who has signed in.
func (s *shop) known(name string) *guest {
	s.Helper()
	g := s.guest()
	if _, err := g.SignIn(s.Context(), &kioskv1.SignInRequest{Name: name}); err != nil {
		s.Fatal(err)
	}
	return g
}

func (g *guest) add(kind string) error {
	_, err := g.Add(g.Context(), &kioskv1.AddRequest{Kind: kind})
	return err
}

// want checks what is stored.
func (g *guest) want(name string, ducks, orders int64) {
	g.Helper()
	got, err := g.Look(g.Context(), &kioskv1.LookRequest{})
	if err != nil {
		g.Fatal(err)
	}
	if got.Name != name || got.Cart["duck"] != ducks || got.Orders != orders || len(got.Cart) > int(ducks) {
		g.Errorf("stored are name %q, cart %v, %d orders, want %q, %d ducks, %d orders", got.Name, got.Cart, got.Orders, name, ducks, orders)
	}
}

func wantCode(s *shop, err error, want connect.Code) {
	s.Helper()
	if got := connect.CodeOf(err); err == nil || got != want {
		s.Errorf("the call ends with %v, want %s", err, want)
	}
}

func TestAVisit(t *testing.T) {
	eachProtocol(t, func(s *shop) {
		g := s.guest()
		g.want("", 0, 0)
		if err := g.add("duck"); err != nil {
			s.Fatal(err)
		}
		if _, err := g.SignIn(s.Context(), &kioskv1.SignInRequest{Name: "Ada"}); err != nil {
			s.Fatal(err)
		}
		g.want("Ada", 1, 0)
		wantCode(s, g.add("unicorn"), connect.CodeNotFound)
		if _, err := g.SignOut(s.Context(), &kioskv1.SignOutRequest{}); err != nil {
			s.Fatal(err)
		}
		g.want("", 0, 0)
	})
}

func TestAStreamBeginsOnceTheSessionIsStored(t *testing.T) {
	eachProtocol(t, func(s *shop) {
		g := s.known("Ada")
		if err := g.add("duck"); err != nil {
			s.Fatal(err)
		}
		lines, err := g.Order(s.Context(), &kioskv1.OrderRequest{})
		if err != nil {
			s.Fatal(err)
		}
		defer lines.Close()
		for _, want := range []string{"taken", "packed: 1 duck", "done"} {
			if !lines.Receive() || lines.Msg().Line != want {
				s.Fatalf("the next line is %v, %v, want %q", lines.Msg(), lines.Err(), want)
			}
			if want == "taken" {
				g.want("Ada", 0, 1) // while the call is under way
				s.gate <- struct{}{}
			}
		}
		if lines.Receive() || lines.Err() != nil {
			s.Errorf("the stream ends with %v, %v", lines.Msg(), lines.Err())
		}
	})
}

func TestAStreamOfEvents(t *testing.T) {
	eachProtocol(t, func(s *shop) {
		ctx, leave := context.WithCancel(s.Context())
		defer leave()
		events, err := s.known("Ada").Follow(ctx, &kioskv1.FollowRequest{})
		if err != nil {
			s.Fatal(err)
		}
		defer events.Close()
		if !events.Receive() || events.Msg().Data != "Ada is here" {
			s.Fatalf("the first event is %v, %v", events.Msg(), events.Err())
		}
		order, err := s.known("Bob").Order(ctx, &kioskv1.OrderRequest{})
		if err != nil {
			s.Fatal(err)
		}
		defer order.Close()
		if !events.Receive() || events.Msg().Data != "Bob orders 0" {
			s.Errorf("the second event is %v, %v", events.Msg(), events.Err())
		}
	})
}

func TestNothingOfAFailedCallIsStored(t *testing.T) {
	eachProtocol(t, func(s *shop) {
		g := s.known("Ada")
		_, err := g.Spill(s.Context(), &kioskv1.SpillRequest{})
		wantCode(s, err, connect.CodeUnknown)
		_, err = g.Spill(s.Context(), &kioskv1.SpillRequest{Panics: true})
		wantCode(s, err, connect.CodeInternal)
		g.want("Ada", 0, 0)
	})
}

func TestAnOutageIsUnavailable(t *testing.T) {
	eachProtocol(t, func(s *shop) {
		g := s.known("Ada")
		s.store.down.Store(true)
		wantCode(s, g.add("duck"), connect.CodeUnavailable)
		lines, err := g.Order(s.Context(), &kioskv1.OrderRequest{})
		if err == nil {
			if lines.Receive() {
				s.Errorf("the stream has %v", lines.Msg())
			}
			err = errors.Join(lines.Err(), lines.Close())
		}
		wantCode(s, err, connect.CodeUnavailable)
		s.store.down.Store(false)
		g.want("Ada", 0, 0)
	})
}
