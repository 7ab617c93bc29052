package main

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/otel"
)

const page = `<!doctype html>
<html lang="en" data-live="/lively">
<title>Sessions and their metrics</title>
<script type="module" src="/lively/client.js"></script>
<p>Visits: <span data-live-key="visits">%d</span>, by %s</p>
<form method="post" action="/visit" data-live-submit="visit"><button>Count one more</button></form>
<form method="post" action="/sign-in"><input name="name" aria-label="Name"><button>Sign in</button></form>
<p><a href="/metrics">What was measured</a></p>
`

// A site is a page, its live connections, and what both have measured.
type site struct {
	http.Handler
	live *lively.Endpoint[session.VisitorSession]
}

func newSite(store runtime.Store, tracers trace.TracerProvider) (*site, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		return nil, err
	}
	telemetry, err := otel.New(func(c *otel.Config) {
		c.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
		c.TracerProvider = tracers
	})
	if err != nil {
		return nil, err
	}
	plain := func(c *runtime.Config) { c.Cookie.Secure = false } // HTTP on this machine
	sessions, err := session.NewVisitorSessions(telemetry.Store(store, "memory"), plain, telemetry.Configure)
	if err != nil {
		return nil, err
	}
	live := lively.New(sessions, session.VisitorFrom, telemetry.ConfigureLive("page"))
	live.Handle("visit", visitLive)
	telemetry.Live("page", live)

	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", show)
	pages.HandleFunc("POST /visit", visit)
	pages.HandleFunc("POST /sign-in", signIn)
	pages.Handle("GET /lively", live)
	pages.Handle("GET /lively/client.js", lively.Client())
	pages.Handle("POST /lively/sync", sessions.SyncHandler())

	all := http.NewServeMux()
	all.Handle("/", sessions.Middleware(pages))
	all.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return &site{all, live}, nil
}

func show(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	name := s.Name()
	if name == "" {
		name = "nobody"
	}
	fmt.Fprintf(w, page, s.Visits(), html.EscapeString(name))
}

func visit(w http.ResponseWriter, r *http.Request) {
	session.VisitorFrom(r.Context()).AddVisits(1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func visitLive(ctx context.Context, c *lively.Conn, _ lively.Event, s *session.VisitorSession) error {
	s.AddVisits(1)
	return c.Patch(ctx, lively.Text("visits", strconv.FormatInt(s.Visits(), 10)))
}

func signIn(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	s.SetUserID(1)
	s.SetName(r.FormValue("name"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
