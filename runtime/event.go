package runtime

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
)

// EventKind says what an [Event] is about. Its text is stable, for metrics.
type EventKind string

const (
	// EventDuplicateCookie: the request brought several different cookies of the
	// session's name, of an earlier deploy or planted by a sibling subdomain or
	// another path. The one that is live counts, if exactly one is, and the other
	// scopes are cleared.
	EventDuplicateCookie EventKind = "duplicate_cookie"

	// EventInsecure: a Secure cookie was sent to a browser that seems to have come
	// over plain HTTP, from another machine: it does not keep the cookie. Reported
	// once by each manager.
	EventInsecure EventKind = "secure_cookie_over_http"

	// EventPassPhrase: a key of Config.Keys has 32 printable characters. Reported at
	// start; Field is "Keys[0]".
	EventPassPhrase EventKind = "key_is_pass_phrase"

	// EventStoreSetting: the store works, but is set up so that it may lose what it
	// keeps, or show it to others; see [Warner]. Reported at start.
	EventStoreSetting EventKind = "store_setting"

	// EventMalformedCookie: the cookie is no token. It counted as none.
	EventMalformedCookie EventKind = "malformed_cookie"

	// EventCookieTaken: the response carried a cookie of the session's name
	// already, so the session's own was not sent.
	EventCookieTaken EventKind = "cookie_taken"

	// EventReused: a token was presented after its renewal and the grace were
	// over. The session has ended.
	EventReused EventKind = "token_reused"

	// EventSignInApart: a sign-in came with a token that another sign-in had ended,
	// of somebody else or of a session type without index fields. It began a session
	// of its own.
	EventSignInApart EventKind = "sign_in_apart"

	// EventDamaged: the stored record cannot be read. It stays as it is; reads gave
	// defaults, and a write began a new session.
	EventDamaged EventKind = "stored_record_damaged"

	// EventMisfit: a stored value does not fit its field, which reads as its
	// default. The value stays until the field is written.
	EventMisfit EventKind = "stored_value_misfit"

	// EventSaturated: a counter is beyond the range of its field's type and was read
	// as the nearest value that the type has. The counter itself stays exact.
	EventSaturated EventKind = "counter_saturated"

	// EventCounterReplaced: an addition met an entry that is no counter and
	// replaced it.
	EventCounterReplaced EventKind = "counter_replaced"

	// EventClosedWrite: a session was changed after its request. The change is
	// lost.
	EventClosedWrite EventKind = "write_after_close"

	// EventOutsideEvent: the session of a live connection was changed outside
	// LivelyEvent. The change is lost unless it is saved before the next event.
	EventOutsideEvent EventKind = "write_outside_event"

	// EventDiscarded: changes made outside LivelyEvent and never saved were
	// dropped when the next event began.
	EventDiscarded EventKind = "unsaved_changes_discarded"

	// EventCookieLate: the session was ended or its expiry changed after the
	// response had begun, so the browser's cookie stayed as it was.
	EventCookieLate EventKind = "cookie_too_late"

	// EventVaryLate: the session was first read after a response had begun that
	// the handler had made cacheable, so that it does not say that it depends on
	// the cookie. A cache may give it to other visitors.
	EventVaryLate EventKind = "vary_too_late"

	// The life of sessions, for an audit log. EventCreated: it was stored first.
	EventCreated EventKind = "created"

	// EventSignedIn: somebody has signed in. A creation can be a sign-in, too.
	EventSignedIn EventKind = "signed_in"

	// EventRenewed: it has a new token, and nobody has signed in or out.
	EventRenewed EventKind = "renewed"

	// EventSignedOut: its renew fields were cleared.
	EventSignedOut EventKind = "signed_out"

	// EventDestroyed: a request or a live event has ended it.
	EventDestroyed EventKind = "destroyed"

	// EventRevoked: sessions were ended by a value of the field, or beyond the limit of
	// one, or all if there is no field, Count of them.
	EventRevoked EventKind = "revoked"

	// EventBound: a session is bound from now on to the device of its browser, which
	// has presented its bound cookie first.
	EventBound EventKind = "bound"

	// EventRefreshed: the browser of a bound session has proved that it has the key,
	// and has a new bound cookie.
	EventRefreshed EventKind = "bound_refreshed"

	// EventUnbound: a bound session was not opened to a request that came without a
	// valid bound cookie: the cookie was stolen, or the browser has lost its key.
	EventUnbound EventKind = "bound_refused"

	// EventBoundSkipped: the same, but Config.BoundSkipped has let it through.
	EventBoundSkipped EventKind = "bound_skipped"

	// EventProofRefused: somebody has sent a proof to BindHandler that is none of the
	// session's device.
	EventProofRefused EventKind = "proof_refused"

	// EventClosedRead: a session was first read after its request. The read gave
	// defaults.
	EventClosedRead EventKind = "read_after_close"
)

// An Event is something worth counting or looking at that is not an error of
// the request. It never holds a token.
type Event struct {
	Kind    EventKind
	Session string // the type, "session.Visitor"
	Handle  string // the session's id; empty if there is none
	Field   string // the field's or entry's key; empty if it is about none
	Count   int    // how many sessions, of EventRevoked
	Err     error  // the reason, if there is one
}

// String describes the event in one line.
func (e Event) String() string {
	text := fmt.Sprintf("%s: %s(%s)", e.Kind, e.Session, e.Handle)
	if e.Field != "" {
		text += " field " + shorten(e.Field)
	}
	if e.Count > 0 {
		text += fmt.Sprintf(" of %d sessions", e.Count)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// The defaults of Config.OnEvent and Config.OnError log. What is part of normal
// work is no more than information: everybody can send a thousand malformed
// cookies.

func logEvent(ctx context.Context, e Event) {
	slog.LogAttrs(ctx, e.Kind.level(), "session event", slog.String("kind", string(e.Kind)), slog.String("session", e.Session),
		slog.String("handle", e.Handle), slog.String("field", shorten(e.Field)), errorAttr(e.Err), requestAttr(ctx))
}

// lifeLevel is the level of what is no more than the ordinary life of sessions.
const lifeLevel = slog.LevelDebug

func (k EventKind) level() slog.Level {
	switch k {
	case EventCreated, EventSignedIn, EventRenewed, EventSignedOut, EventDestroyed, EventRevoked, EventBound, EventRefreshed:
		return lifeLevel
	case EventMalformedCookie:
		return slog.LevelInfo
	default:
		return slog.LevelWarn
	}
}

func logError(ctx context.Context, err error) {
	level := slog.LevelError
	if isRoutine(err) {
		level = slog.LevelInfo
	}
	e, ok := err.(*Error)
	if !ok {
		e = &Error{Err: err}
	}
	slog.LogAttrs(ctx, level, "session error", slog.String("op", e.Op), slog.String("session", e.Session),
		slog.String("handle", e.Handle), errorAttr(e.Err), requestAttr(ctx))
}

func errorAttr(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.String("err", shorten(err.Error()))
}

// requestAttr names the request of a context. A query may hold what is not to be
// logged.
func requestAttr(ctx context.Context) slog.Attr {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	if r == nil {
		return slog.Attr{}
	}
	return slog.Group("request", "method", shorten(r.Method), "path", shorten(requestedPath(r)))
}

// requestKey finds the request that a context belongs to, an [http.Request], nil if
// that is not known.
type requestKey struct{}

// longest is how many bytes a log line or an error shows of what somebody else has
// sent.
const longest = 500

// shorten cuts a text that somebody else has made as long as they liked.
func shorten(text string) string {
	if len(text) <= longest {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:longest], ""), len(text))
}
