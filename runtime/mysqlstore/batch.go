package mysqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/duckgen/duckgen/runtime"
)

// A batch is statements that go to the server in one round trip. The first that
// fails is the last.
type batch struct {
	between string // what is between two; ";" unless it is set
	text    strings.Builder
	args    []any
}

func batchOf(statement string, args ...any) *batch {
	b := &batch{}
	b.add(statement, args...)
	return b
}

func (b *batch) add(statement string, args ...any) {
	if b.text.Len() > 0 {
		b.text.WriteString(cmp.Or(b.between, ";"))
	}
	b.text.WriteString(statement)
	b.args = append(b.args, args...)
}

// places returns as many placeholders, between commas.
func places(n int) string { return strings.Repeat(",?", n)[1:] }

func idArguments(ids []runtime.ID) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id[:]
	}
	return args
}

// A take reads one row of an answer.
type take func(*sql.Rows) error

// query makes one round trip, and hands over the rows of each statement that has any
// to answer with: there is one take for each.
func query(ctx context.Context, c *sql.Conn, b *batch, takes ...take) error {
	rows, err := c.QueryContext(ctx, b.text.String(), b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for i, take := range takes {
		if i > 0 && !rows.NextResultSet() {
			return cmp.Or(rows.Err(), errAnswers)
		}
		for rows.Next() {
			if err := take(rows); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	for rows.NextResultSet() { // what comes after the last answer may fail, too
	}
	return rows.Err()
}

// exec makes one round trip for statements that answer nothing.
func exec(ctx context.Context, c *sql.Conn, b *batch) error {
	_, err := c.ExecContext(ctx, b.text.String(), b.args...)
	return err
}

// tries is how often an operation is begun: each of them has changed nothing if it is
// begun again.
const tries = 8

// lend runs work with a connection. It runs it again where nothing was sent because
// the connection had been lost before, and where the server has undone all because of
// what others did at the same time.
func (s *Store) lend(ctx context.Context, work func(context.Context, *sql.Conn) error) (err error) {
	for range tries {
		if err = s.ready(ctx); err != nil {
			break
		}
		err = s.lendOnce(ctx, work)
		if !errors.Is(err, driver.ErrBadConn) && !isUndone(err) {
			break
		}
	}
	return s.wrap(cause(ctx, err))
}

// lendOnce ends a connection whose work has failed: it may be in a transaction, which
// the server undoes then.
func (s *Store) lendOnce(ctx context.Context, work func(context.Context, *sql.Conn) error) error {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err = work(ctx, c); err != nil {
		_ = c.Raw(func(any) error { return driver.ErrBadConn }) // which is what closes it
	}
	return err
}

// query makes one round trip that needs no transaction.
func (s *Store) query(ctx context.Context, b *batch, takes ...take) error {
	return s.lend(ctx, func(ctx context.Context, c *sql.Conn) error { return query(ctx, c, b, takes...) })
}

// ready is the error of an operation that must not begin.
func (s *Store) ready(ctx context.Context) error {
	if s.closed.Err() != nil {
		return runtime.ErrClosed
	}
	return ctx.Err()
}
