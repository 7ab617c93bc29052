package otel_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/otel"
)

func TestEventsAreCountedAndHandedOn(t *testing.T) {
	telemetry, reported := newTelemetry(t)
	var heard []runtime.EventKind
	hear := func(c *runtime.Config) {
		c.OnEvent = func(_ context.Context, e runtime.Event) { heard = append(heard, e.Kind) }
	}
	signIn := func(_ http.ResponseWriter, r *http.Request) { session.VisitorFrom(r.Context()).SetUserID(7) }
	h := newHandler(t, newStore(t), signIn, hear, telemetry.Configure)
	serve(h, nil)
	serve(h, nil)
	serve(h, &http.Cookie{Name: cookieName, Value: "none"})
	reported.want(map[string]int64{
		"duckgen.session.events {event} duckgen.event.kind=created,duckgen.session.type=session.Visitor":          3,
		"duckgen.session.events {event} duckgen.event.kind=signed_in,duckgen.session.type=session.Visitor":        3,
		"duckgen.session.events {event} duckgen.event.kind=malformed_cookie,duckgen.session.type=session.Visitor": 1,
	})
	if len(heard) != 7 {
		t.Errorf("who listened before hears of %q, want 7 events", heard)
	}
}

func TestErrorsAreCountedAndHandedOn(t *testing.T) {
	telemetry, reported := newTelemetry(t, withoutSpans)
	var heard []error
	c := runtime.Config{OnError: func(_ context.Context, err error) { heard = append(heard, err) }}
	telemetry.Configure(&c)
	failed := func(op string, err error) error {
		return &runtime.Error{Op: op, Session: "session.Visitor", Handle: "ab", Err: err}
	}
	errs := []error{
		failed("load", errNoRoute),
		failed("load", context.DeadlineExceeded),
		failed("save", runtime.ErrEnded),
		failed("save", runtime.ErrTooLate),
		failed("save", errors.Join(runtime.ErrOutcomeUnknown, context.DeadlineExceeded)),
		failed("save", runtime.ErrUnbound),
		failed("save", runtime.ErrUnbound),
		errNoRoute,
	}
	for _, err := range errs {
		c.OnError(t.Context(), err)
	}
	visitor := ",duckgen.session.type=session.Visitor,error.type="
	reported.want(map[string]int64{
		"duckgen.session.errors {error} duckgen.session.operation=load" + visitor + "error":                1,
		"duckgen.session.errors {error} duckgen.session.operation=load" + visitor + "timeout":              1,
		"duckgen.session.errors {error} duckgen.session.operation=save" + visitor + "ended":                1,
		"duckgen.session.errors {error} duckgen.session.operation=save" + visitor + "too_late":             1,
		"duckgen.session.errors {error} duckgen.session.operation=save" + visitor + "outcome_unknown":      1,
		"duckgen.session.errors {error} duckgen.session.operation=save" + visitor + "unbound":              2,
		"duckgen.session.errors {error} duckgen.session.operation=,duckgen.session.type=,error.type=error": 1,
	})
	if len(heard) != len(errs) {
		t.Errorf("who listened before hears of %d errors, want %d", len(heard), len(errs))
	}
}

// A configuration that leaves events and errors to their defaults logs them as before.
func TestWhatIsCountedIsStillLogged(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	telemetry, _ := newTelemetry(t)
	for name, configure := range map[string]func(*runtime.Config){
		"defaults": func(*runtime.Config) {},
		"nil":      func(c *runtime.Config) { c.OnEvent, c.OnError = nil, nil },
	} {
		log.Reset()
		h := newHandler(t, failing{newStore(t), errNoRoute, nil}, readName, configure, telemetry.Configure)
		serve(h, &http.Cookie{Name: cookieName, Value: "none"})
		serve(h, &http.Cookie{Name: cookieName, Value: token(t)})
		for _, line := range []string{"malformed_cookie", "no route"} {
			if !strings.Contains(log.String(), line) {
				t.Errorf("%s: the log has no %s:\n%s", name, line, log.String())
			}
		}
	}
}

// token returns one that a browser may have.
func token(t *testing.T) string {
	return serve(newHandler(t, newStore(t), setName), nil).Cookies()[0].Value
}

// A fussy meter makes no counters.
type (
	fussyProvider struct{ noop.MeterProvider }
	fussyMeter    struct{ noop.Meter }
)

var errNoCounter = errors.New("no counter")

func (fussyProvider) Meter(string, ...metric.MeterOption) metric.Meter { return fussyMeter{} }

func (fussyMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errNoCounter
}

func TestAMeterThatFailsIsAnError(t *testing.T) {
	_, err := otel.New(func(c *otel.Config) { c.MeterProvider = fussyProvider{} })
	if !errors.Is(err, errNoCounter) {
		t.Errorf("the error is %v, want %v", err, errNoCounter)
	}
}
