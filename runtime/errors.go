package runtime

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// What a store answers when an operation does not happen. Every store returns
// exactly these, possibly wrapped; anything else is an outage. An outage is
// never reported as ErrNotFound.
var (
	// ErrNotFound says that no live session answers to the key: the record is
	// missing or expired, or the secret was never valid for it.
	ErrNotFound = errors.New("session not found")

	// ErrExists says that a session with this id exists already.
	ErrExists = errors.New("session id exists already")

	// ErrConflict says that a condition of the delta did not hold. Nothing was
	// changed.
	ErrConflict = errors.New("session changed meanwhile")

	// ErrTooLarge says that the record or one field would outgrow its limit.
	// Nothing was changed. [LimitError] names the field.
	ErrTooLarge = errors.New("session too large")

	// ErrOverflow says that a counter would leave the range of int64. Nothing
	// was changed. [LimitError] names the field.
	ErrOverflow = errors.New("session counter overflow")

	// ErrSuperseded says that a sign-in has ended the presented token moments
	// ago, or that a sign-in was attempted with a token that is no longer the
	// current one.
	ErrSuperseded = errors.New("session token superseded by a sign-in")

	// ErrSignedOut says that a sign-in arrived before a sign-out of its session,
	// which came between. It wraps [ErrSuperseded].
	ErrSignedOut = fmt.Errorf("%w: the session was signed out meanwhile", ErrSuperseded)

	// ErrReused says that a token was presented after its renewal and the grace
	// were over: somebody kept a copy. The store has ended the session.
	ErrReused = errors.New("session token reused after its renewal")

	// ErrEnded says that the session was destroyed or revoked while this
	// request was under way. What the request wrote is not stored.
	ErrEnded = errors.New("session ended")

	// ErrDamaged says that the stored record cannot be read. It stays as it is.
	ErrDamaged = errors.New("the stored record is damaged, and is left as it is")
)

// ErrRefused says that the server of a store has refused to write and said so: it
// is full, takes no writes, or does not let this program. Nothing was stored. For
// all else it is an outage.
var ErrRefused = errors.New("the server of the store refuses to write")

// What a session answers by itself.
var (
	// ErrTooLate says that a change needs a new cookie, but the response has
	// begun, or the request is over, and can carry none: nothing was stored. A
	// session that is first read after its last commit says so, too.
	ErrTooLate = errors.New("too late for the session: the response has begun or the request is over")

	// ErrUnbound says that the session is bound to the device of its browser, and the
	// request does not come from there. The session reads as empty, and nothing is
	// stored; a sign-in begins a session of its own.
	ErrUnbound = errors.New("the session is bound to another device")

	// ErrNoMiddleware says that the context carries no session: the handler
	// does not run behind the Middleware of its sessions.
	ErrNoMiddleware = errors.New("no session in this context: wrap the handler with Middleware")

	// ErrForeignOrigin says that a page which may not has tried to open a live
	// connection.
	ErrForeignOrigin = errors.New("live connection from a foreign origin")

	// ErrNoIndex says that the store keeps no index, so that sessions cannot be
	// found or revoked by a field.
	ErrNoIndex = errors.New("the store keeps no index")

	// ErrNoLimit says that the store cannot bound how many sessions a value has.
	ErrNoLimit = errors.New("the store does not limit the sessions of a value")

	// ErrNoList says that the store does not list its sessions, so that they cannot
	// be found by their handle or all revoked.
	ErrNoList = errors.New("the store does not list its sessions")

	// ErrOutcomeUnknown says that the store failed in the middle of a commit.
	// The change may or may not be stored; it is not sent again.
	ErrOutcomeUnknown = errors.New("session commit failed, its outcome is unknown")
)

// isGone reports whether a store has said that no live session answers.
func isGone(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrSuperseded) ||
		errors.Is(err, ErrReused) || errors.Is(err, ErrEnded)
}

// A LimitError names the field that would have outgrown its limit. It matches
// [ErrTooLarge] or [ErrOverflow] with [errors.Is].
type LimitError struct {
	Field string // the field's key; empty: the record as a whole
	Limit int    // elements or bytes; 0 for an overflow
	Err   error  // ErrTooLarge or ErrOverflow
}

func (e *LimitError) Error() string {
	switch {
	case e.Field == "":
		return fmt.Sprintf("%v: more than %d bytes in all", e.Err, e.Limit)
	case e.Limit == 0:
		return fmt.Sprintf("%v: field %q", e.Err, e.Field)
	default:
		return fmt.Sprintf("%v: field %q allows %d", e.Err, e.Field, e.Limit)
	}
}

// Unwrap returns Err.
func (e *LimitError) Unwrap() error { return e.Err }

// A FieldError says that the value given to a field could not be encoded.
type FieldError struct {
	Field string // the field's key
	Err   error
}

func (e *FieldError) Error() string { return fmt.Sprintf("session field %q: %v", e.Field, e.Err) }

// Unwrap returns Err.
func (e *FieldError) Unwrap() error { return e.Err }

// An Error is a load, a commit or another operation on a session that failed. It
// never holds a token.
type Error struct {
	Op      string // "load", "save", "claim", "ensure", "extend", "limit", "check", "notify" or "sync"
	Session string // the type, "session.Visitor"
	Handle  string // the session's id; empty if there is none
	Err     error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s(%s): %v", e.Op, e.Session, e.Handle, e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// isRoutine reports whether an error is part of normal work: the session has ended
// or moved on, or the visitor has hung up.
func isRoutine(err error) bool {
	return errors.Is(err, ErrEnded) || errors.Is(err, ErrSuperseded) ||
		errors.Is(err, ErrUnbound) || errors.Is(err, context.Canceled)
}

// StatusOf returns the HTTP status that tells a visitor of a failed commit: 403 if
// the session is bound to another device, 409 if it has ended or moved on, 413 if it
// would outgrow a limit, 503 if it could not be saved.
func StatusOf(err error) int {
	switch {
	case errors.Is(err, ErrEnded), errors.Is(err, ErrSuperseded):
		return http.StatusConflict
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrUnbound):
		return http.StatusForbidden
	default:
		return http.StatusServiceUnavailable
	}
}

// answerError is the default of Config.ErrorHandler.
func answerError(w http.ResponseWriter, _ *http.Request, err error) {
	status := StatusOf(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, http.StatusText(status), status)
}

// answerSignIn is the default of Config.SignInHandler.
func answerSignIn(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "please sign in", http.StatusUnauthorized)
}
