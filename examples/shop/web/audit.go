package web

import (
	"context"
	"log/slog"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
)

// audit logs who signs in and out, and what is worth a look.
func audit(ctx context.Context, e runtime.Event) {
	switch e.Kind {
	case runtime.EventCreated, runtime.EventRenewed, runtime.EventMalformedCookie:
		return
	case runtime.EventSignedIn, runtime.EventSignedOut, runtime.EventDestroyed, runtime.EventRevoked:
		s := session.VisitorFrom(ctx)
		slog.InfoContext(ctx, "audit", "event", e.Kind, "session", e.Handle, "sessions", e.Count,
			"user", s.UserID(), "device", s.Device().Name)
	default:
		slog.WarnContext(ctx, "audit", "event", e)
	}
}
