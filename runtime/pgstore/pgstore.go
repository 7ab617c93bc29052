// Package pgstore keeps sessions in Postgres 14 or later, one row for each, for
// any number of processes.
//
// Entries are members of one jsonb object and counters of another, so sessions
// can be queried: SELECT data->>'user_id', counters->>'views' FROM
// duckgen_sessions. Every operation is one statement and one round trip, which
// calls a function in the database: it locks the row, judges the key as the
// methods of [runtime.Record] do, and writes what has changed. See package pgschema.
//
// Postgres spells jsonb in its own way: white space, the order of members and
// the form of numbers may differ from what was stored, and sizes are those of
// its spelling. Keys of entries must be UTF-8 without NUL, which those that
// package codec makes are.
package pgstore

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/serverclock"
)

// A Store is a [runtime.Store] in Postgres, also a [runtime.Indexer], a
// [runtime.Limiter], a [runtime.Lister], a [runtime.Watcher] and a [runtime.Sweeper]. It is safe for concurrent use.
//
// No operation is sent twice. A cancelled one may have taken place, but never
// half of it. Expired records are removed by and by: each Create removes a few of
// those that had expired a minute before its key's Now. A program that wants the
// space back while no new session comes calls Sweep.
type Store struct {
	pool    *pgxpool.Pool
	owned   bool   // Close closes the pool
	name    string // of the database in errors
	channel string // on which changes are told

	watchURL    string
	watchConfig *pgx.ConnConfig // nil: as the pool connects

	clientClock bool
	ahead       serverclock.Ahead

	closing  sync.Once
	closed   context.Context // done by Close
	close    context.CancelFunc
	watching sync.WaitGroup
}

// An Option changes how a store works.
type Option func(*Store)

func (s *Store) change(options []Option) {
	for _, change := range options {
		change(s)
	}
}

// Open connects to the database that a URL or a list of settings describes, as
// [pgxpool.ParseConfig] reads them, and makes the tables where they are missing.
// The context bounds the opening alone.
func Open(ctx context.Context, url string, options ...Option) (*Store, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	s := &Store{name: databaseName(config), owned: true}
	s.change(options)
	if s.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), config); err != nil {
		return nil, s.wrap(err)
	}
	if err := s.begin(ctx); err != nil {
		s.pool.Close()
		return nil, s.wrap(err)
	}
	return s, nil
}

func parseURL(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil || strings.Contains(config.ConnConfig.Database, "@") { // the end of a password with a '/'
		return nil, errURL
	}
	return config, nil
}

// New returns a store on an existing pool, which stays the caller's to close. It
// makes the tables where they are missing, in the first schema of the
// connection's search_path.
func New(ctx context.Context, pool *pgxpool.Pool, options ...Option) (*Store, error) {
	s := &Store{name: databaseName(pool.Config()), pool: pool}
	s.change(options)
	if err := s.begin(ctx); err != nil {
		return nil, s.wrap(err)
	}
	return s, nil
}

// begin looks whether the store may work on its pool.
func (s *Store) begin(ctx context.Context) (err error) {
	switch s.pool.Config().ConnConfig.DefaultQueryExecMode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return errTextMode
	}
	if s.watchURL != "" {
		config, err := parseURL(s.watchURL)
		if err != nil {
			return err
		}
		s.watchConfig = config.ConnConfig
	}
	if s.channel, err = prepare(ctx, s.pool); err != nil {
		return err
	}
	s.closed, s.close = context.WithCancel(context.WithoutCancel(ctx))
	return nil
}

// Close waits for running operations, and closes the pool if Open has made it.
// Closing again does nothing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.close()
		s.watching.Wait()
		if s.owned {
			s.pool.Close()
		}
	})
	return nil
}

// Format implements [runtime.Formatter].
func (s *Store) Format() runtime.Format { return runtime.JSON }

var selectStatement = "SELECT statement_timestamp(), " + columns("") + " FROM duckgen_sessions WHERE id = $1"

// Load implements [runtime.Store]. It makes a second round trip only where the
// first presentation of a renewed token, or the end of a reused one, has to be
// recorded.
func (s *Store) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	m := s.moment(key.Now)
	stored, now, err := s.stored(ctx, key.ID)
	if err != nil {
		return nil, err
	}
	judged := key
	judged.Now = m.judgingAt(now)
	loaded, verdict := stored.Read(judged)
	if loaded != stored {
		return s.loadRecording(ctx, &m, key)
	}
	if verdict != nil {
		return nil, verdict
	}
	return serverclock.Move(loaded, s.observe(&m, now)), nil
}

// stored returns the stored record, nil for none, and the time of the server.
func (s *Store) stored(ctx context.Context, id runtime.ID) (r *runtime.Record, now time.Time, err error) {
	err = s.rows(ctx, func(values [][]byte, types *pgtype.Map) (err error) {
		if now, err = decodeTime(values[0]); err == nil {
			r, err = decodeRecord(id, values, types)
		}
		return err
	}, selectStatement, inBinary, uuid(id))
	return r, now, err
}

var loadStatement = withClock + "SELECT c.now, verdict, " + columns("(r).") +
	" FROM c, duckgen_load($4::uuid, $5::bytea, $6::bytea, $7::boolean, c.now, c.arrived, $8::boolean, $9::boolean)"

// loadRecording is a Load that writes. It judges once more, because the record
// may have changed.
func (s *Store) loadRecording(ctx context.Context, m *moment, key runtime.Key) (loaded *runtime.Record, err error) {
	var said verdict
	var now time.Time
	args := m.arguments(key, uuid(key.ID), key.Proof[:], family(key.Family), key.Ticket, key.Held, key.Live)
	err = s.rows(ctx, func(values [][]byte, types *pgtype.Map) (err error) {
		said = verdict(values[1])
		if now, err = decodeTime(values[0]); err == nil {
			loaded, err = decodeRecord(key.ID, values, types)
		}
		return err
	}, loadStatement, append([]any{inBinary}, args...)...)
	if err != nil {
		return nil, err
	}
	if err := s.judged(key.ID, said); err != nil {
		return nil, err
	}
	return serverclock.Move(loaded, s.observe(m, now)), nil
}

// Create implements [runtime.Store]. The mark of an ended session holds its id
// as a live session does.
func (s *Store) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	m := s.moment(key.Now)
	args, err := createArguments(&m, key, r)
	if err != nil {
		return s.wrap(err)
	}
	var said string
	if err := s.query(ctx, func(r pgx.Row) error { return r.Scan(&said) }, createStatement, args...); err != nil {
		return err
	}
	return s.judged(key.ID, verdict(said))
}

const updateStatement = withClock + "SELECT verdict, coalesce(field, ''), coalesce(won, false), coalesce(current, false), replaced, " +
	"created, renewed, signed_in, used, deadline, expires, persistent, c.now " +
	"FROM c, duckgen_update($4::uuid, $5::bytea, $6::bytea, $7::boolean, c.now, c.arrived, $8::boolean, $9::boolean, c.late, " +
	"$10::timestamptz, $11::timestamptz, $12::timestamptz, $13::jsonb)"

// Update implements [runtime.Store]. It makes a second round trip where the
// first has found that more goes on in the session than an ordinary delta knows
// of, and has changed nothing.
func (s *Store) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	if err := checkDelta(d); err != nil {
		return nil, s.wrap(err)
	}
	m := s.moment(key.Now)
	if o, ok := ordinaryOf(key, d); ok {
		result, err := s.updateOrdinary(ctx, &m, key, d, &o)
		if err != nil || result != nil {
			return result, err
		}
	}
	delta := appendDelta(make([]byte, 0, 256), d, m.ahead)
	var said, field string
	var result runtime.Result
	var times resultTimes
	err := s.query(ctx, func(r pgx.Row) error {
		return r.Scan(&said, &field, &result.Won, &result.Current, &result.Replaced,
			&times.created, &times.renewed, &times.signedIn, &times.used, &times.deadline, &times.expires, &times.persistent, &times.now)
	}, updateStatement, m.arguments(key, uuid(key.ID), key.Proof[:], family(key.Family), key.Ticket,
		key.Held, key.Live, m.time(d.Deadline), m.time(d.Used), m.time(d.Active), delta)...)
	if err != nil {
		return nil, err
	}
	if err := s.judgedDelta(key.ID, verdict(said), d, field); err != nil {
		return nil, err
	}
	times.fill(&result)
	serverclock.MoveResult(&result, s.observe(&m, instant(times.now)))
	return &result, nil
}

// Delete implements [runtime.Store].
func (s *Store) Delete(ctx context.Context, key runtime.Key) error {
	m := s.moment(key.Now)
	var said string
	err := s.query(ctx, func(r pgx.Row) error { return r.Scan(&said) },
		withClock+"SELECT duckgen_delete($4::uuid, $5::bytea, $6::bytea, $7::boolean, c.now, c.arrived, $8::boolean) FROM c",
		m.arguments(key, uuid(key.ID), key.Proof[:], family(key.Family), key.Ticket, key.Held)...)
	if err != nil {
		return err
	}
	return s.judged(key.ID, verdict(said))
}

// Sweep implements [runtime.Sweeper]. It may run at any time, also in several
// processes at once: each passes over what another is removing.
func (s *Store) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	m := s.moment(now)
	for seen := sweepStep; seen == sweepStep; {
		var n int
		err := s.query(ctx, func(r pgx.Row) error { return r.Scan(&seen, &n) },
			"SELECT seen, removed FROM duckgen_sweep(coalesce($1::timestamptz, statement_timestamp()), $2::integer)", m.judging(), sweepStep)
		if err != nil {
			return removed, err
		}
		removed += n
	}
	return removed, nil
}

// sweepStep is how many records one statement looks at.
const sweepStep = 256

// query makes one round trip for one row.
func (s *Store) query(ctx context.Context, scan func(pgx.Row) error, statement string, args ...any) error {
	err := s.ready(ctx)
	if err == nil {
		err = scan(s.pool.QueryRow(ctx, statement, args...))
	}
	return s.wrap(reasoned(cause(ctx, err)))
}

// inBinary is the first argument of statements whose rows are decoded here.
var inBinary any = pgx.QueryResultFormats{pgx.BinaryFormatCode}

// rows makes one round trip for rows in the binary format: the first argument is
// inBinary. What take is given is valid until it returns; its first error is that
// of the operation.
func (s *Store) rows(
	ctx context.Context, take func(values [][]byte, types *pgtype.Map) error, statement string, args ...any,
) error {
	err := s.ready(ctx)
	if err == nil {
		err = s.takeRows(ctx, take, statement, args)
	}
	return s.wrap(reasoned(cause(ctx, err)))
}

func (s *Store) takeRows(ctx context.Context, take func([][]byte, *pgtype.Map) error, statement string, args []any) error {
	rows, err := s.pool.Query(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows.RawValues(), rows.Conn().TypeMap()); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ready is the error of an operation that must not begin.
func (s *Store) ready(ctx context.Context) error {
	if s.closed.Err() != nil {
		return runtime.ErrClosed
	}
	return ctx.Err()
}
