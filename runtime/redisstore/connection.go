package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// connections are those that a store has made and that are open.
type connections struct {
	mu   sync.Mutex
	open map[*connection]bool
}

type connection struct {
	net.Conn
	of    *connections
	since time.Time
}

// Close implements [net.Conn].
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

func (c *connections) add(conn net.Conn) net.Conn {
	added := &connection{conn, c, time.Now()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[*connection]bool{}
	}
	c.open[added] = true
	return added
}

// giveUp closes those that were open at a time. The clients connect again with
// their next command, where the name of the server may lead elsewhere by now.
func (c *connections) giveUp(at time.Time) {
	if c == nil {
		return
	}
	c.mu.Lock()
	open := slices.Collect(maps.Keys(c.open))
	c.mu.Unlock()
	for _, conn := range open {
		if !conn.since.After(at) {
			_ = conn.Close() // it is of no more use either way
		}
	}
}

// connect makes a client and looks whether it may be used.
func (c *connections) connect(ctx context.Context, settings rueidis.ClientOption) (rueidis.Client, error) {
	opening, stop := context.WithCancel(context.Background())
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	dial := settings.DialCtxFn
	if dial == nil {
		dial = dialTCP
	}
	var open atomic.Bool
	settings.DialCtxFn = func(ctx context.Context, address string, d *net.Dialer, t *tls.Config) (net.Conn, error) {
		if !open.Load() {
			ctx = opening
		}
		conn, err := dial(ctx, address, d, t)
		if err != nil {
			return nil, err
		}
		return c.add(conn), nil
	}
	client, err := rueidis.NewClient(settings)
	if err == nil {
		err = client.Do(ctx, client.B().Ping().Build()).Error()
		if err != nil {
			client.Close()
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	open.Store(true)
	return client, nil
}

func dialTCP(ctx context.Context, address string, d *net.Dialer, t *tls.Config) (net.Conn, error) {
	if t == nil {
		return d.DialContext(ctx, "tcp", address)
	}
	secure := tls.Dialer{NetDialer: d, Config: t}
	return secure.DialContext(ctx, "tcp", address)
}

// withoutSecret drops an error's text where it repeats the password.
func withoutSecret(err error, password string) error {
	if password != "" && strings.Contains(err.Error(), password) {
		return errors.New("the server refuses the connection, and its answer repeats the password")
	}
	return err
}
