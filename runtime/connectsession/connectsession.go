// Package connectsession is for services of Connect with sessions. These have the
// middleware of net/http around them, and the context of a call has the session:
//
//	path, calls := kioskv1connect.NewKioskServiceHandler(service,
//		connect.WithInterceptors(connectsession.Interceptor(session.VisitorFrom)))
//	mux.Handle(path, sessions.Middleware(calls))
//
// But the middleware judges by the status, which is 200 for a stream and for a call of
// gRPC also if it fails. The interceptor knows better.
package connectsession

import (
	"context"

	"connectrpc.com/connect"
)

// A Session is one that duckgen generates.
type Session interface{ Discard() }

// Interceptor discards what a call has changed in the session that from returns, but not
// stored yet, if the call returns an error. What Save has stored stays, and so does what
// was changed before the first message of a stream. With connect.WithRecover after
// the interceptor, a call that panics is one of these.
func Interceptor[S Session](from func(context.Context) S) connect.Interceptor {
	return interceptor(func(ctx context.Context, err error) {
		if err != nil {
			from(ctx).Discard()
		}
	})
}

// interceptor is called with the error of each call.
type interceptor func(context.Context, error)

// WrapUnary implements [connect.Interceptor].
func (ended interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, call connect.AnyRequest) (connect.AnyResponse, error) {
		answer, err := next(ctx, call)
		ended(ctx, err)
		return answer, err
	}
}

// WrapStreamingHandler implements [connect.Interceptor].
func (ended interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, stream connect.StreamingHandlerConn) error {
		err := next(ctx, stream)
		ended(ctx, err)
		return err
	}
}

// WrapStreamingClient implements [connect.Interceptor]. A client has no session.
func (interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}
