// Command shop is a small shop whose visitors have typed sessions. It serves
// plain HTTP on this machine and needs no other server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/duckgen/duckgen/examples/shop/web"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/inspect"
	"github.com/duckgen/duckgen/runtime/sqlitestore"
)

// shutdownTime is how long running requests may take once the program is told
// to stop.
const shutdownTime = 10 * time.Second

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`host:port` to listen on; another port is chosen where that one is taken")
	https := flag.Bool("https", false, "browsers come over HTTPS, by a proxy in front of this server")
	bound := flag.Bool("bound", false, "bind sessions to the device of a browser that can; needs -https")
	db := flag.String("db", "shop.db", "SQLite `file` that keeps the sessions")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *db, *https, *bound, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

// run serves the shop until ctx ends.
func run(ctx context.Context, addr, db string, https, bound bool, out io.Writer) error {
	if !https && !isLoopback(addr) {
		return fmt.Errorf("%s can be reached from other machines, and plain HTTP would show them the session's cookie: "+
			"listen on 127.0.0.1, or put a proxy that speaks HTTPS in front and say -https", addr)
	}
	if bound && !https {
		return errors.New("browsers bind sessions over HTTPS alone: put a proxy that speaks it in front and say -https")
	}
	store, err := sqlitestore.Open(ctx, db)
	if err != nil {
		return err
	}
	defer store.Close()
	var inspector *inspect.Inspector
	if !https { // behind a proxy others come
		inspector = inspect.New()
	}
	shop, err := web.New(store, inspector, func(c *runtime.Config) {
		// A Secure cookie is sent over HTTPS alone. That is the default and right
		// in production; over plain HTTP the visitor would have a new session at
		// every request.
		c.Cookie.Secure = https
		if bound {
			c.Bound = runtime.BoundAlways // signing in over a live connection could invite no browser
		}
	})
	if err != nil {
		return err
	}
	listener, err := listen(addr, out)
	if err != nil {
		return err
	}
	if inspector != nil {
		fmt.Fprintf(out, "What it does with its sessions shows http://%s/debug/sessions/\n", listener.Addr())
	}
	fmt.Fprintf(out, "The shop is open at http://%s (Ctrl+C closes it)\n", listener.Addr())
	return serve(ctx, listener, shop)
}

// isLoopback reports whether only this machine reaches the address.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// listen takes a free port of the same host where the wanted one is taken.
func listen(addr string, out io.Writer) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err == nil {
		return listener, nil
	}
	host, _, splitErr := net.SplitHostPort(addr)
	if splitErr != nil {
		return nil, err
	}
	listener, freeErr := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if freeErr != nil {
		return nil, err
	}
	fmt.Fprintf(out, "%v: using a free port instead\n", err)
	return listener, nil
}

// serve answers requests until ctx ends, lets those that run finish, and sends
// live pages to connect again.
func serve(ctx context.Context, listener net.Listener, shop *web.Shop) error {
	server := &http.Server{
		Handler:           shop,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		patience, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		stopped <- errors.Join(server.Shutdown(patience), shop.Shutdown(patience))
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
