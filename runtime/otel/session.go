package otel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/observe"
)

// Configure counts the events and errors of sessions, and hands them to the OnEvent
// and OnError that are there, or to their defaults, which log. What sets these has to
// come before it.
func (t *Telemetry) Configure(c *runtime.Config) {
	defaults, _ := runtime.Configure()
	onEvent, onError := c.OnEvent, c.OnError
	if onEvent == nil {
		onEvent = defaults.OnEvent
	}
	if onError == nil {
		onError = defaults.OnError
	}
	c.OnEvent = func(ctx context.Context, e runtime.Event) {
		t.events.add(ctx, eventKey{e.Session, e.Kind})
		onEvent(ctx, e)
	}
	c.OnError = func(ctx context.Context, err error) {
		t.errors.add(ctx, keyOf(err))
		onError(ctx, err)
	}
}

type eventKey struct {
	session string
	kind    runtime.EventKind
}

func (k eventKey) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{typeName.String(k.session), kindName.String(string(k.kind))}
}

type errorKey struct{ session, op, kind string }

func (k errorKey) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{typeName.String(k.session), operationName.String(k.op), semconv.ErrorTypeKey.String(k.kind)}
}

func keyOf(err error) errorKey {
	k := errorKey{kind: errorType(err)}
	if e, ok := errors.AsType[*runtime.Error](err); ok {
		k.session, k.op = e.Session, e.Op
	}
	return k
}

// errorType names what a session answers by itself, and else the outcome of the store.
func errorType(err error) string {
	for _, k := range errorTypes {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	c := observe.Call{Err: err}
	return c.Outcome()
}

var errorTypes = []struct {
	err  error
	name string
}{
	{runtime.ErrOutcomeUnknown, "outcome_unknown"},
	{runtime.ErrTooLate, "too_late"},
	{runtime.ErrUnbound, "unbound"},
}
