package otel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/observe"
)

// Store returns the store with each call measured and in a span. It offers what the
// store offers; the counts of an [observe.Cacher] are reported, too. The system is the
// db.system.name, for which the conventions have "postgresql", "mysql", "mariadb",
// "redis" and "sqlite".
func (t *Telemetry) Store(s runtime.Store, system string) runtime.Store {
	if counts, ok := runtime.Ability[observe.Cacher](s); ok {
		t.addCache(system, counts)
	}
	o := &observer{telemetry: t, system: semconv.DBSystemNameKey.String(system)}
	o.operations = newMemo(o.operation)
	o.outcomes = newMemo(o.outcome)
	return observe.Store(s, o)
}

// An observer measures the calls of one store.
type observer struct {
	telemetry  *Telemetry
	system     attribute.KeyValue
	operations *memo[observe.Op, operation]
	outcomes   *memo[outcomeKey, []metric.RecordOption]
}

// An operation is what all calls of a method have in common.
type operation struct {
	span    string
	start   []trace.SpanStartOption
	record  []metric.RecordOption
	add     []metric.AddOption
	several bool // it is about several sessions
	carries bool // entries
}

func (o *observer) operation(op observe.Op) operation {
	attributes := []attribute.KeyValue{o.system, semconv.DBOperationName(string(op))}
	set := metric.WithAttributeSet(attribute.NewSet(attributes...))
	r := operation{
		span:   string(op) + " sessions",
		start:  []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...)},
		record: []metric.RecordOption{set},
		add:    []metric.AddOption{set},
	}
	switch op {
	case observe.Find, observe.All:
		r.several, r.carries = true, true
	case observe.Revoke, observe.RevokeAll, observe.Trim, observe.Sweep:
		r.several = true
	case observe.Load, observe.Create, observe.Update, observe.ByID:
		r.carries = true
	}
	return r
}

type outcomeKey struct {
	op      observe.Op
	outcome string
	failed  bool
}

func (o *observer) outcome(k outcomeKey) []metric.RecordOption {
	attributes := []attribute.KeyValue{o.system, semconv.DBOperationName(string(k.op)), outcomeName.String(k.outcome)}
	if k.failed {
		attributes = append(attributes, semconv.ErrorTypeKey.String(k.outcome))
	}
	return []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attributes...))}
}

// Begin begins the span of a call.
func (o *observer) Begin(ctx context.Context, op observe.Op) context.Context {
	r := o.operations.get(op)
	ctx, _ = o.telemetry.tracer.Start(ctx, r.span, r.start...)
	return ctx
}

// End ends it and measures the call.
func (o *observer) End(ctx context.Context, c observe.Call) {
	k := outcomeKey{c.Op, c.Outcome(), c.Failed()}
	o.measure(ctx, c, k)
	span := trace.SpanFromContext(ctx)
	if span.IsRecording() {
		o.describe(span, c, k)
	}
	span.End()
}

func (o *observer) measure(ctx context.Context, c observe.Call, k outcomeKey) {
	t, r := o.telemetry, o.operations.get(c.Op)
	t.duration.Record(ctx, c.Took.Seconds(), o.outcomes.get(k)...)
	if r.carries && c.Err == nil {
		t.size.Record(ctx, int64(c.Bytes), r.record...)
	}
	if r.several {
		t.sessions.Add(ctx, int64(c.Sessions), r.add...)
	}
}

// describe adds to a span what is known at its end.
func (o *observer) describe(span trace.Span, c observe.Call, k outcomeKey) {
	span.SetAttributes(outcomeName.String(k.outcome))
	if c.Op == observe.Find || c.Op == observe.All {
		span.SetAttributes(semconv.DBResponseReturnedRows(c.Sessions))
	}
	if o.telemetry.handles && c.ID != (runtime.ID{}) {
		span.SetAttributes(semconv.SessionID(c.ID.String()))
	}
	if k.failed {
		span.SetAttributes(semconv.ErrorTypeKey.String(k.outcome))
		span.SetStatus(codes.Error, o.text(c.Err))
	}
}

// text describes an error.
func (o *observer) text(err error) string {
	if o.telemetry.handles {
		return err.Error()
	}
	return ""
}
