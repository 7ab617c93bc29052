package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/duckgen/duckgen/runtime/memstore"
)

// patience is how long running requests may take once a program is to end.
const patience = 10 * time.Second

// A Serve serves a kiosk to the connections of a listener until ctx ends. It
// closes the listener.
type Serve func(ctx context.Context, l net.Listener, k *Kiosk) error

// HTTP serves what a router of net/http makes of a kiosk.
func HTTP(routes func(*Kiosk) http.Handler) Serve {
	return func(ctx context.Context, l net.Listener, k *Kiosk) error {
		server := &http.Server{Handler: routes(k), ReadHeaderTimeout: 5 * time.Second}
		server.RegisterOnShutdown(k.Close)
		stopped := make(chan error, 1)
		context.AfterFunc(ctx, func() {
			patient, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			stopped <- errors.Join(server.Shutdown(patient), k.Live.Shutdown(patient))
		})
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return <-stopped
	}
}

// Main is the function main of a program: it serves until it is interrupted.
func Main(serve Serve) {
	addr := flag.String("addr", "127.0.0.1:8090", "`host:port` to listen on")
	flag.Parse()
	if err := run(*addr, serve); err != nil {
		log.Fatal(err)
	}
}

func run(addr string, serve Serve) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	k, err := New(memstore.New())
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("The kiosk is open at http://%s (Ctrl+C closes it)\n", l.Addr())
	return serve(ctx, l, k)
}
