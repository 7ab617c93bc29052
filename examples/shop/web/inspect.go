package web

import (
	"context"
	"sync"
	"time"

	"github.com/duckgen/duckgen/examples/shop/journal"
	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/lively"
)

// shownEntries is how many requests and events the page shows.
const shownEntries = 30

// sessionView shows what the session is and what its last requests did to it.
// The handle may be shown: it opens nothing.
func (shop *shop) sessionView(s *session.VisitorSession) view {
	return view{sessionPage, "Your session", map[string]any{
		"New":     s.IsNew(),
		"Handle":  s.Handle(),
		"Created": s.CreatedAt(),
		"Renewed": s.RenewedAt(),
		"Expires": s.ExpiresAt(),
		"Bound":   s.Bound(),
		"Entries": shop.entries(s.Handle()),
	}}
}

func (shop *shop) entries(handle string) []journal.Entry {
	list := shop.journal.Of(handle)
	return list[:min(len(list), shownEntries)]
}

// inspectors are the pages that show a session while others write to it.
type inspectors struct {
	mu    sync.Mutex
	conns map[*lively.Conn]string // the session's handle
}

// look takes note of what the page of a connection shows now: the session of the
// handle, or none.
func (i *inspectors) look(c *lively.Conn, path, handle string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, looks := i.conns[c]
	switch wants := path == sessionPath && handle != ""; {
	case wants && !looks:
		context.AfterFunc(c.Context(), func() { i.look(c, "", "") })
		fallthrough
	case wants:
		i.conns[c] = handle
	default:
		delete(i.conns, c)
	}
}

func (i *inspectors) of(handle string) (list []*lively.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for c, shown := range i.conns {
		if shown == handle {
			list = append(list, c)
		}
	}
	return list
}

// pushTime is how long a page that reads slowly may hold up who writes.
const pushTime = time.Second

// push shows what has just been noted to the pages that look at the session.
func (shop *shop) push(handle string) {
	looking := shop.inspectors.of(handle)
	if len(looking) == 0 {
		return
	}
	rows := lively.HTML("entries", part(sessionPage, "entries", shop.entries(handle)))
	for _, c := range looking {
		ctx, cancel := context.WithTimeout(c.Context(), pushTime)
		_ = c.Patch(ctx, rows) // the page is gone, or shows it next time
		cancel()
	}
}
