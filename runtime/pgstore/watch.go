package pgstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/duckgen/duckgen/runtime"
)

const (
	// quietTime is how long a connection that hears nothing is believed to be
	// alive.
	quietTime = 15 * time.Second

	// answerTime is how long the server may take to connect or to answer.
	answerTime = 5 * time.Second

	// reconnectPause is the time between attempts to connect again.
	reconnectPause = 500 * time.Millisecond
)

// WithWatchURL names the server for Watch, which needs a connection that is its own:
// a pooler that lends one for each transaction, as PgBouncer may, tells nothing. All
// other operations may go through it.
func WithWatchURL(url string) Option {
	return func(s *Store) { s.watchURL = url }
}

// errDeaf says that a notification has not come back.
var errDeaf = errors.New("the server's notifications do not arrive: behind a pooler that lends a connection for each " +
	"transaction, give the URL of the server itself by WithWatchURL")

// Watch implements [runtime.Watcher] by LISTEN, on a connection of its own, which
// has proved that it hears. BeforeConnect and AfterConnect of the pool are called for
// it as well. A lost connection is noticed within 20 s and made again; what was
// missed meanwhile is told as ChangesMissed.
func (s *Store) Watch(ctx context.Context, tell func(runtime.Change)) error {
	if err := s.ready(ctx); err != nil {
		return s.wrap(err)
	}
	conn, err := s.listen(ctx)
	if err != nil {
		return s.wrap(cause(ctx, err))
	}
	s.watching.Go(func() {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.closed, cancel)()
		for conn != nil {
			s.hear(ctx, conn, tell)
			hangUp(conn)
			if conn = s.listenAgain(ctx); conn != nil {
				tell(runtime.Change{Kind: runtime.ChangesMissed})
			}
		}
	})
	return nil
}

// listen returns a connection that hears of changes from now on.
func (s *Store) listen(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := s.connectWatcher(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.proveHearing(ctx, conn); err != nil {
		hangUp(conn)
		return nil, err
	}
	return conn, nil
}

// connectWatcher connects as the pool does.
func (s *Store) connectWatcher(ctx context.Context) (*pgx.Conn, error) {
	pool := s.pool.Config()
	config := pool.ConnConfig
	if s.watchConfig != nil {
		config = s.watchConfig.Copy()
	}
	if pool.BeforeConnect != nil {
		if err := pool.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil || pool.AfterConnect == nil {
		return conn, err
	}
	if err := pool.AfterConnect(ctx, conn); err != nil {
		hangUp(conn)
		return nil, err
	}
	return conn, nil
}

// proveHearing begins to listen, and lets another connection send what is to be
// heard. What comes before it has happened before Watch returns, or while nobody
// listened.
func (s *Store) proveHearing(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.channel}.Sanitize()); err != nil {
		return err
	}
	proof := "heard " + rand.Text()
	if _, err := s.pool.Exec(ctx, "SELECT pg_notify($1, $2)", s.channel, proof); err != nil {
		return err
	}
	for {
		heard, err := conn.WaitForNotification(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return errDeaf
		case err != nil:
			return err
		case heard.Payload == proof:
			return nil
		}
	}
}

// listenAgain tries until it succeeds or ctx is done, and returns nil then.
func (s *Store) listenAgain(ctx context.Context) *pgx.Conn {
	for ctx.Err() == nil {
		if conn, err := s.listen(ctx); err == nil {
			return conn
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnectPause):
		}
	}
	return nil
}

// hear tells what the connection hears until that fails or ctx is done.
func (s *Store) hear(ctx context.Context, conn *pgx.Conn, tell func(runtime.Change)) {
	for {
		quiet, cancel := context.WithTimeout(ctx, quietTime)
		heard, err := conn.WaitForNotification(quiet)
		isQuiet := err != nil && quiet.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			if change, ok := parseChange(heard.Payload); ok {
				tell(change)
			}
		case !isQuiet || !answers(ctx, conn):
			return
		}
	}
}

func answers(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return conn.Ping(ctx) == nil
}

// hangUp closes the connection, without waiting long for a server that is away.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it is of no more use either way
}

// parseChange reads what duckgen_tell says.
func parseChange(payload string) (c runtime.Change, ok bool) {
	words := strings.Fields(payload)
	switch {
	case len(words) == 2 && words[0] == "ended":
		c.Kind = runtime.SessionEnded
	case len(words) == 3 && words[0] == "renewed":
		c.Kind = runtime.SessionRenewed
		if !decodeHex(c.Proof[:], words[2]) {
			return c, false
		}
	default:
		return c, false
	}
	return c, decodeHex(c.ID[:], strings.ReplaceAll(words[1], "-", ""))
}

func decodeHex(to []byte, text string) (ok bool) {
	if len(text) != hex.EncodedLen(len(to)) {
		return false
	}
	_, err := hex.Decode(to, []byte(text))
	return err == nil
}
