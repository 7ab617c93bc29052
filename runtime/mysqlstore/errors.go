package mysqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/duckgen/duckgen/runtime"
)

// Error numbers of the server.
const (
	duplicateKey     = 1062
	recordChanged    = 1020 // of MariaDB
	deadlock         = 1213
	shutdown         = 1053
	connectionKilled = 1927 // of MariaDB
	databaseDenied   = 1044
	tableDenied      = 1142
	noSuchTable      = 1146
	optionPrevents   = 1290 // one of many options of the server
	readOnlyMode     = 1836
	readOnlyWrite    = 1792
	statementFormat  = 1665
)

var (
	// errDSN says nothing of the DSN itself: any part of it may be the password.
	errDSN = errors.New("mysqlstore: the DSN cannot be read, want user:password@tcp(host:port)/database")

	errAnswers = errors.New("the server has answered fewer statements than were sent")

	errStatements = errors.New("the connections take one statement at a time: " +
		"add multiStatements=true&interpolateParams=true&clientFoundRows=true to the DSN of the pool")

	errReadOnly = errors.New("the server takes no writes here: it is a replica, or was made read-only")

	errStatementFormat = errors.New("binlog_format must be ROW or MIXED: " +
		"with STATEMENT the server cannot write what a transaction in READ COMMITTED does")
)

// wrap says which store has failed.
func (s *Store) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("mysqlstore %s: %w", s.name, err)
}

// cause is why an operation has failed. What the driver says of a context that is over
// may be anything. A statement that the server answers with an error has changed
// nothing, nor has one that is too long to be sent.
func cause(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, mysql.ErrPktTooLarge):
		return fmt.Errorf("%w: raise max_allowed_packet: %w", runtime.ErrRefused, err)
	case isRefusal(err):
		return fmt.Errorf("%w: %w", runtime.ErrRefused, reasoned(err))
	default:
		return err
	}
}

// reasoned adds the reason to what the server says without one that anybody
// understands.
func reasoned(err error) error {
	switch {
	case isReadOnly(err):
		return fmt.Errorf("%w: %w", errReadOnly, err)
	case numberOf(err) == statementFormat:
		return fmt.Errorf("%w: %w", errStatementFormat, err)
	default:
		return err
	}
}

// isReadOnly reports whether the server takes no writes at all.
func isReadOnly(err error) bool {
	switch numberOf(err) {
	case readOnlyMode, readOnlyWrite:
		return true
	case optionPrevents:
		return strings.Contains(err.Error(), "read-only")
	default:
		return false
	}
}

// isRefusal reports whether the server has answered that it does not do what it was
// sent. One that ends the connection meanwhile may have done it.
func isRefusal(err error) bool {
	switch numberOf(err) {
	case 0, shutdown, connectionKilled:
		return false
	default:
		return true
	}
}

// isUndone reports whether a transaction was undone because of another one at the same
// time, or has met a session that another one has just created.
func isUndone(err error) bool {
	switch numberOf(err) {
	case deadlock, recordChanged, duplicateKey:
		return true
	default:
		return false
	}
}

// numberOf returns the number of an error of the server, 0 for any other.
func numberOf(err error) uint16 {
	var stated *mysql.MySQLError
	if !errors.As(err, &stated) {
		return 0
	}
	return stated.Number
}
