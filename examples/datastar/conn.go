package main

import (
	"context"
	"encoding/json"

	"github.com/starfederation/datastar-go/datastar"

	"github.com/duckgen/duckgen/runtime"
)

// conn makes a response of server-sent events a live connection of a session.
type conn struct {
	events *datastar.ServerSentEventGenerator
	end    context.CancelCauseFunc // of the response
}

// ExecuteJS implements [runtime.LivelyConn].
func (c *conn) ExecuteJS(_ context.Context, code string) error { return c.events.ExecuteScript(code) }

// SyncBrowserState implements [runtime.LivelyConn].
func (c *conn) SyncBrowserState(_ context.Context, url string) error {
	quoted, err := json.Marshal(url)
	if err != nil {
		return err
	}
	return c.events.ExecuteScript(`fetch(` + string(quoted) + `, {method: "POST", keepalive: true})`)
}

// CloseLively implements [runtime.LivelyCloser]. The response ends by itself once
// its context has.
func (c *conn) CloseLively(end runtime.LivelyEnd) { c.end(ended{end}) }

// ended is why the session has ended the response.
type ended struct{ runtime.LivelyEnd }

func (e ended) Error() string { return e.String() }

// leave tells the page what to do about the end of the response: to load itself
// again, as the session may be another one now.
func (c *conn) leave(ctx context.Context) error {
	if _, ok := context.Cause(ctx).(ended); !ok {
		return nil
	}
	return c.events.ExecuteScript("location.reload()")
}
