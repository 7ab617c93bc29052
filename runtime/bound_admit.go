package runtime

import (
	"context"
	"net/http"
	"time"
)

// admit decides whether a bound record opens to a request, which brings the given
// cookies, and what is worth an event about it.
func (e *engine) admit(ctx context.Context, key Key, r *Record, cookies string, request *http.Request) (*Record, EventKind, error) {
	b := readBinding(e.format, r.Entries)
	arrived := e.byStore(key.Arrived())
	t, brought := e.broughtBound(cookies, arrived)
	switch {
	case brought && b.registered() && b.knows(t.hash(e.kind)):
		return e.present(ctx, key, r, b)
	case !b.demands(arrived):
		return r, "", nil
	case e.maySkip(request):
		return r, EventBoundSkipped, nil
	case request != nil && isForeignNavigation(request): // it comes again, with a fresh cookie
		return nil, "", ErrUnbound
	default:
		return nil, EventUnbound, ErrUnbound
	}
}

// broughtBound returns what the bound cookie in a Cookie header carries, if it had
// not ended when the request arrived, by the store's clock. There is one cookie:
// nobody else can set it, and it has one scope.
func (e *engine) broughtBound(cookies string, arrived time.Time) (t boundToken, ok bool) {
	value, _, _ := e.device.next(cookies)
	t, ok = parseBoundToken(value)
	return t, ok && arrived.Before(t.end())
}

// maySkip asks the program about a browser that could not refresh the cookie.
func (e *engine) maySkip(r *http.Request) bool {
	ask := e.config.BoundSkipped
	return ask != nil && r != nil && len(r.Header["Secure-Session-Skipped"]) > 0 && ask(r)
}

// present records that the browser has its bound cookie: from now on one is
// demanded. Before, the answer to its registration might have been lost. If another
// request has done so meanwhile, or the store fails, there is nothing to add.
func (e *engine) present(ctx context.Context, key Key, r *Record, b binding) (*Record, EventKind, error) {
	if !b.demanded.IsZero() {
		return r, "", nil
	}
	b.shown(e.byStore(key.Now), e.config.Grace)
	d := Delta{Ops: []Op{b.replaceDevice(e.format, r.Entries)}}
	if _, err := e.store.Update(ctx, key, &d); err != nil {
		return r, "", nil
	}
	next := *r
	next.Entries, _, _ = r.Entries.apply(&d)
	return &next, EventBound, nil
}
