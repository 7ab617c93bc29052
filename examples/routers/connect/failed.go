package main

import (
	"context"

	"connectrpc.com/connect"

	"github.com/duckgen/duckgen/examples/routers/app/session"
)

// nothingOfFailed is an interceptor: what a call has changed counts only if it succeeds.
type nothingOfFailed struct{}

// WrapUnary implements [connect.Interceptor].
func (nothingOfFailed) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, call connect.AnyRequest) (connect.AnyResponse, error) {
		answer, err := next(ctx, call)
		if err != nil {
			session.GuestFrom(ctx).Discard()
		}
		return answer, err
	}
}

// WrapStreamingHandler implements [connect.Interceptor]. What the first message has
// stored stays.
func (nothingOfFailed) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, stream connect.StreamingHandlerConn) error {
		err := next(ctx, stream)
		if err != nil {
			session.GuestFrom(ctx).Discard()
		}
		return err
	}
}

// WrapStreamingClient implements [connect.Interceptor].
func (nothingOfFailed) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}
