package runtime

import (
	"context"
	"fmt"
)

// request is a context that carries a session: everything that every request
// needs, in one allocation.
type request[S any] struct {
	exchange
	typed S
}

// exchange is the part of a request that does not depend on the session's type.
type exchange struct {
	context.Context
	outer  *exchange // of another manager around this one
	writer writer    // has the session, and commits it
}

// exchangeKey finds the innermost exchange in a context.
type exchangeKey struct{}

// Value answers with the session, or with what the outer context has.
func (x *request[S]) Value(key any) any {
	switch key {
	case (*S)(nil):
		return &x.typed
	case exchangeKey{}:
		return &x.exchange
	case requestKey{}:
		return x.session().request
	}
	return x.Context.Value(key)
}

func (x *exchange) session() *Session { return &x.writer.session }

// Format names the session's type. Without it a context that is printed would
// show the bytes of the token.
func (x *exchange) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%v with %s", x.Context, x.session().engine.name)
}

func (x *exchange) bind(ctx context.Context, e *engine) {
	x.Context = ctx
	x.outer, _ = ctx.Value(exchangeKey{}).(*exchange)
	s := x.session()
	s.engine, s.ctx = e, ctx
}

// exchangeOf returns this manager's exchange in the context, nil for none.
func (e *engine) exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	for x != nil && x.session().engine != e {
		x = x.outer
	}
	return x
}
