package runtime

import "context"

// A LivelyConn is all that a live connection must offer to a session.
type LivelyConn interface {
	// ExecuteJS runs script in the page (opcode 101).
	ExecuteJS(ctx context.Context, code string) error

	// SyncBrowserState makes the page fetch url, of its own origin and with
	// credentials, so that the answer's cookies reach the browser (opcode 170).
	SyncBrowserState(ctx context.Context, url string) error
}

// A LivelyCloser is a live connection that its session can close: when it ends,
// and when its token is renewed elsewhere.
type LivelyCloser interface {
	LivelyConn

	// CloseLively begins to close the connection, once the page has what it was
	// been sent before, and returns at once. Calls after the first do nothing.
	CloseLively(end LivelyEnd)
}

// LivelyEnd says why a session closes a live connection.
type LivelyEnd uint8

const (
	// LivelyEnded: the session has ended. A WebSocket closes with 1008.
	LivelyEnded LivelyEnd = iota

	// LivelyReconnect: the session has a new token, or the browser has to prove again
	// that it is on the device that the session is bound to. The page is to connect
	// again, with the cookies that the browser has by then.
	LivelyReconnect
)

// String describes the reason to a page.
func (e LivelyEnd) String() string {
	if e == LivelyEnded {
		return "session ended"
	}
	return "session renewed"
}
