// Package mysqlstore keeps sessions in MySQL 8 or MariaDB 10.11 and later, one row
// for each, for any number of processes.
//
// Entries are members of one JSON object, so sessions can be queried: SELECT
// JSON_VALUE(data, '$.user_id') FROM duckgen_sessions. What most commits do is one
// statement and one round trip. For all else a transaction locks the row, and the
// methods of [runtime.Record] judge it in the program, in two round trips, or three
// if a value is set by which sessions are revoked.
//
// The server may spell JSON in its own way: white space, and in MySQL also the order
// of members and the form of numbers, may differ from what was stored.
package mysqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// A Store is a [runtime.Store] in MySQL or MariaDB, also a [runtime.Indexer], a
// [runtime.Limiter], a [runtime.Lister], a [runtime.Watcher] and a [runtime.Sweeper].
// It is safe for concurrent use.
//
// No commit is sent twice. A cancelled operation may have taken place, but never
// half of it. Expired records are removed by and by: every sixteenth Create removes
// some of those that had expired a minute before its key's Now. A program that wants
// the space back while no new session comes calls Sweep.
type Store struct {
	db    *sql.DB
	owned bool   // Close closes the pool
	name  string // of the database in errors

	clientClock bool
	ahead       serverclock.Ahead
	heads       heads
	tidying     turns

	closing  sync.Once
	closed   context.Context // done by Close
	close    context.CancelFunc
	watching sync.WaitGroup
}

// An Option changes how a store works.
type Option func(*Store)

const (
	// maxConnections is how many connections a store has that Open has made.
	maxConnections = 16

	// connectionIdle is how long a connection is kept that nobody uses.
	connectionIdle = 30 * time.Second

	// silence is after how many seconds the server ends a connection that says nothing:
	// so long are the locks kept of a program that has vanished.
	silence = "60"
)

// Open connects to the database that a DSN describes, as [mysql.ParseDSN] reads it,
// by at most 16 connections, and makes the tables where they are missing. The context
// bounds the opening alone.
func Open(ctx context.Context, dsn string, options ...Option) (*Store, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errDSN
	}
	config.MultiStatements, config.InterpolateParams, config.ClientFoundRows = true, true, true
	config.MaxAllowedPacket = 0        // as the server says
	config.Logger = &mysql.NopLogger{} // the program is told every error
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	if config.Params["wait_timeout"] == "" {
		config.Params["wait_timeout"] = silence
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, errDSN
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	db.SetConnMaxIdleTime(connectionIdle)
	s := &Store{db: db, owned: true, name: config.Addr + "/" + config.DBName}
	if err := s.begin(ctx, options); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// New returns a store on an existing pool, which stays the caller's to close. Its DSN
// must have multiStatements=true and interpolateParams=true. New makes the tables
// where they are missing.
func New(ctx context.Context, db *sql.DB, options ...Option) (*Store, error) {
	s := &Store{db: db, name: "database"}
	if err := s.begin(ctx, options); err != nil {
		return nil, err
	}
	return s, nil
}

// begin looks whether the store may work on its pool.
func (s *Store) begin(ctx context.Context, options []Option) error {
	for _, change := range options {
		change(s)
	}
	s.closed, s.close = context.WithCancel(context.WithoutCancel(ctx))
	return s.lend(ctx, prepare)
}

// Close waits for watchers, and closes the pool if Open has made it. Closing again
// does nothing.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		s.close()
		s.watching.Wait()
		if s.owned {
			err = s.db.Close()
		}
	})
	return err
}

// Format implements [runtime.Formatter].
func (s *Store) Format() runtime.Format { return runtime.JSON }

// Load implements [runtime.Store]. It makes more than one round trip only where the
// first presentation of a renewed token, or the end of a reused one, has to be
// recorded.
func (s *Store) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	m := s.moment(key.Now)
	stored, now, err := s.stored(ctx, key.ID)
	if err != nil {
		return nil, err
	}
	loaded, verdict := stored.Read(m.judging(key, now))
	if loaded != stored {
		return s.loadRecording(ctx, &m, key)
	}
	if verdict != nil {
		return nil, verdict
	}
	return serverclock.Move(loaded, s.observe(&m, now)), nil
}

const selectStatement = "SELECT UTC_TIMESTAMP(6)," + columns + " FROM duckgen_sessions WHERE id=?"

// stored returns the stored record, nil for none, and the time of the server.
func (s *Store) stored(ctx context.Context, id runtime.ID) (r *runtime.Record, now time.Time, err error) {
	err = s.query(ctx, batchOf(selectStatement, id[:]), func(rows *sql.Rows) (err error) {
		var read row
		var at instant
		if err := rows.Scan(read.targets(&at)...); err != nil {
			return err
		}
		now = at.Time
		if r, err = read.record(id); err == nil {
			s.heads.put(id, headOf(read.version, r))
		}
		return err
	})
	return r, now, err
}

// loadRecording is a Load that writes. It judges once more, because the record may
// have changed.
func (s *Store) loadRecording(ctx context.Context, m *moment, key runtime.Key) (loaded *runtime.Record, err error) {
	err = s.step(ctx, m, key, func(judged runtime.Key, _ time.Duration, old *runtime.Record) (o outcome, err error) {
		loaded, err = old.Read(judged)
		return outcome{next: loaded}, err
	})
	if err != nil {
		return nil, err
	}
	return serverclock.Move(loaded, -s.ahead.Get()), nil
}

// Create implements [runtime.Store]. The mark of an ended session holds its id as a
// live session does.
func (s *Store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	if err := checkEntries(r.Entries); err != nil {
		return s.wrap(err)
	}
	m := s.moment(key.Now)
	done, err := s.createNew(ctx, &m, key, r)
	if !done {
		err = s.create(ctx, &m, key, r)
	}
	if err == nil {
		s.tidySome(ctx, &m)
	}
	return err
}

// create stores a session also in the place of one that is over.
func (s *Store) create(ctx context.Context, m *moment, key runtime.Key, r *runtime.Record) error {
	return s.step(ctx, m, key, func(judged runtime.Key, by time.Duration, old *runtime.Record) (outcome, error) {
		if old != nil && judged.Now.Before(old.Expires) {
			return outcome{next: old}, runtime.ErrExists
		}
		return outcome{next: serverclock.Move(r, by), sets: r.Revocable()}, nil
	})
}

// Update implements [runtime.Store]. An ordinary delta is one statement as long as the
// program remembers the session as it is.
func (s *Store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (result *runtime.Result, err error) {
	if err := checkDelta(d); err != nil {
		return nil, s.wrap(err)
	}
	m := s.moment(key.Now)
	if result, err = s.updateOrdinary(ctx, &m, key, d); err != nil || result != nil {
		return result, err
	}
	err = s.step(ctx, &m, key, func(judged runtime.Key, by time.Duration, old *runtime.Record) (o outcome, err error) {
		o.next, result, err = old.Apply(judged, serverclock.MoveDelta(d, by))
		if err == nil {
			o.sets = d.IndexValues(old.Kind)
		}
		return o, err
	})
	if err != nil {
		return nil, err
	}
	serverclock.MoveResult(result, -s.ahead.Get())
	return result, nil
}

// Delete implements [runtime.Store].
func (s *Store) Delete(ctx context.Context, key runtime.Key) error {
	m := s.moment(key.Now)
	return s.step(ctx, &m, key, func(judged runtime.Key, _ time.Duration, old *runtime.Record) (o outcome, err error) {
		o.next, err = old.End(judged)
		return o, err
	})
}
