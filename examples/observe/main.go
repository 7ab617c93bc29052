// Command observe is a page whose sessions can be watched: Prometheus finds at /metrics
// what their store is asked, what happens to them, and how many live connections are
// open. With -traces it prints a span for each call of the store.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/duckgen/duckgen/runtime/memstore"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8082", "`host:port` to listen on")
	traces := flag.Bool("traces", false, "print a span for each call of the store")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *traces, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr string, traces bool, out io.Writer) error {
	tracers, err := newTracers(traces, out)
	if err != nil {
		return err
	}
	store := memstore.New()
	site, err := newSite(store, tracers)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The page is at http://%[1]s and what it has measured at http://%[1]s/metrics\n", listener.Addr())
	server := &http.Server{Handler: site, ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- errors.Join(server.Shutdown(patience), site.live.Shutdown(patience), store.Close(), tracers.Shutdown(patience))
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// newTracers returns what takes the spans, and prints them if they are wanted.
func newTracers(wanted bool, out io.Writer) (*trace.TracerProvider, error) {
	if !wanted {
		return trace.NewTracerProvider(trace.WithSampler(trace.NeverSample())), nil
	}
	printer, err := stdouttrace.New(stdouttrace.WithWriter(out))
	if err != nil {
		return nil, err
	}
	return trace.NewTracerProvider(trace.WithSyncer(printer)), nil
}
