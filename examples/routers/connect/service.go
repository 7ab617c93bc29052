package main

import (
	"context"
	"errors"
	"io"
	"net/http"

	"connectrpc.com/connect"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/session"
	kioskv1 "github.com/duckgen/duckgen/examples/routers/connect/kiosk/v1"
	"github.com/duckgen/duckgen/examples/routers/connect/kiosk/v1/kioskv1connect"
	"github.com/duckgen/duckgen/runtime/connectsession"
)

func routes(k *app.Kiosk) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "The kiosk takes calls.\n") })
	path, calls := kioskv1connect.NewKioskServiceHandler(&service{kiosk: k},
		connect.WithInterceptors(connectsession.Interceptor(session.GuestFrom)), connect.WithRecover(sorry))
	mux.Handle(path, k.Sessions.Middleware(calls))
	return mux
}

// sorry is the error of a call that panics.
func sorry(ctx context.Context, _ connect.Spec, _ http.Header, _ any) error {
	return connect.NewError(connect.CodeInternal, errors.New("that went wrong"))
}

// service implements [kioskv1connect.KioskServiceHandler].
type service struct{ kiosk *app.Kiosk }

func (s *service) Look(ctx context.Context, _ *kioskv1.LookRequest) (*kioskv1.LookResponse, error) {
	v := app.Look(session.GuestFrom(ctx))
	cart := make(map[string]int64, len(v.Cart))
	for kind, pieces := range v.Cart {
		cart[kind] = int64(pieces)
	}
	return &kioskv1.LookResponse{Name: v.Name, Cart: cart, Orders: v.Orders, Visits: v.Visits}, nil
}

func (s *service) SignIn(ctx context.Context, call *kioskv1.SignInRequest) (*kioskv1.SignInResponse, error) {
	app.SignIn(session.GuestFrom(ctx), call.Name)
	return &kioskv1.SignInResponse{}, nil
}

func (s *service) SignOut(ctx context.Context, _ *kioskv1.SignOutRequest) (*kioskv1.SignOutResponse, error) {
	app.SignOut(session.GuestFrom(ctx))
	return &kioskv1.SignOutResponse{}, nil
}

func (s *service) Add(ctx context.Context, call *kioskv1.AddRequest) (*kioskv1.AddResponse, error) {
	if !app.Add(session.GuestFrom(ctx), call.Kind) {
		return nil, connect.NewError(connect.CodeNotFound, errors.New(app.Apology(ctx, "there is no such thing")))
	}
	return &kioskv1.AddResponse{}, nil
}

// Order streams. The first message stores the session; if that fails, it returns an
// error, and the answer is not the call's any more.
func (s *service) Order(ctx context.Context, _ *kioskv1.OrderRequest, to *connect.ServerStream[kioskv1.OrderResponse]) error {
	return s.kiosk.Deliver(ctx, app.Take(session.GuestFrom(ctx)), func(line string) error {
		return to.Send(&kioskv1.OrderResponse{Line: line})
	})
}

func (s *service) Follow(ctx context.Context, _ *kioskv1.FollowRequest, to *connect.ServerStream[kioskv1.FollowResponse]) error {
	return s.kiosk.Follow(ctx, app.Enter(session.GuestFrom(ctx)), func(name, data string) error {
		return to.Send(&kioskv1.FollowResponse{Name: name, Data: data})
	})
}

func (s *service) Spill(ctx context.Context, call *kioskv1.SpillRequest) (*kioskv1.SpillResponse, error) {
	err := app.Spill(session.GuestFrom(ctx))
	if call.Panics {
		panic(err)
	}
	return nil, err
}
