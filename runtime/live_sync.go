package runtime

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// ticketParam is the query parameter that carries a ticket.
const ticketParam = "ticket"

// SyncHandler answers the fetch that SyncBrowserState asks for: it redeems a
// ticket for the session's cookie, or removes the cookie of a session that has
// ended. Mount it at Config.SyncPath. It takes a POST alone, which no image or link of
// a page can send, and answers
//
//   - 204 with the cookie, or with its removal,
//   - 403 to a page of another origin and to a navigation, 405 to another method,
//   - 409 if the browser has another session than the connection, or a live
//     one that is not to be removed,
//   - 410 to a ticket that is used, too old or unknown,
//   - 503 if the store fails.
func (m *Manager[S]) SyncHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if m.engine.carrier.ambient() && !isSameOriginFetch(r) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		ctx := m.engine.bound(r.Context())
		defer ctx.stop()
		answer, err := m.engine.synchronise(ctx, r)
		if err != nil {
			m.engine.fault(r.Context(), "sync", "", err)
		}
		switch {
		case answer.gives:
			m.engine.give(w.Header(), r, answer.line)
		case err == nil:
			m.engine.settleDuplicates(ctx, w.Header(), r)
		}
		w.WriteHeader(answer.status)
	})
}

// isSameOriginFetch distinguishes a fetch by a page of this origin from everything else.
// Browsers say so in Sec-Fetch-Site; over plain HTTP they do not, and the page's Origin
// has to. There a navigation, which a form of the same origin can start, is recognised by
// asking for a document.
func isSameOriginFetch(r *http.Request) bool {
	h := r.Header
	if site := h.Get("Sec-Fetch-Site"); site != "" {
		dest := h.Get("Sec-Fetch-Dest")
		return site == "same-origin" && h.Get("Sec-Fetch-Mode") != "navigate" && (dest == "" || dest == "empty")
	}
	if strings.Contains(h.Get("Accept"), "text/html") {
		return false
	}
	u, err := url.Parse(h.Get("Origin"))
	return err == nil && u.Host != "" && u.Host == r.Host
}

// A syncAnswer is the answer to a fetch by which a browser synchronises.
type syncAnswer struct {
	status int
	gives  bool // the line, which sets or removes the browser's token
	line   string
}

// give puts the line into the header. The browser's cookies at other scopes go with
// its own one.
func (e *engine) give(h http.Header, r *http.Request, line string) {
	field := e.carrier.response()
	if _, _, found := e.carrier.next(e.carrier.brought(r.Header)); found {
		h[field] = append(h[field], e.carrier.elsewhere(r, true)...)
	}
	h[field] = append(h[field], line)
}

// settleDuplicates makes one cookie of several if the answer gives none, as a page
// does: what opens a session is given again, so that everything else can go.
func (e *engine) settleDuplicates(ctx context.Context, h http.Header, r *http.Request) {
	header := e.carrier.brought(r.Header)
	if _, what := tokenIn(e.carrier, header); what != severalCookies {
		return
	}
	t, record, err := e.soleLive(ctx, e.rivals(header), 0)
	switch {
	case record != nil:
		e.give(h, r, e.carrier.set(t, e.config.Cookie.end(record.Persistence, &record.Deadline), e.clock.read()))
	case err == nil:
		field := e.carrier.response()
		h[field] = append(h[field], e.carrier.elsewhere(r, false)...)
	}
}

// synchronise returns the answer to the browser that sends the request.
func (e *engine) synchronise(ctx context.Context, r *http.Request) (syncAnswer, error) {
	held, err := e.held(ctx, r)
	if err != nil {
		return syncAnswer{status: http.StatusServiceUnavailable}, err
	}
	seen, err := e.recognise(ctx, held)
	if err != nil {
		return syncAnswer{status: http.StatusServiceUnavailable}, err
	}
	text := r.URL.Query().Get(ticketParam)
	if text == "" {
		return e.removeToken(held, seen.Live), nil
	}
	ticket, ok := parseToken(text)
	if !ok {
		return syncAnswer{status: http.StatusGone}, nil
	}
	return e.redeem(ctx, ticket, held, seen)
}

// held returns the token that the browser holds, nil for none that counts.
func (e *engine) held(ctx context.Context, r *http.Request) (*token, error) {
	header := e.carrier.brought(r.Header)
	t, what := tokenIn(e.carrier, header)
	switch what {
	case oneToken:
		return &t, nil
	case severalCookies:
		e.config.OnEvent(r.Context(), Event{Kind: EventDuplicateCookie, Session: e.name})
		return e.soleHeld(ctx, e.rivals(header))
	default:
		return nil, nil
	}
}

func (e *engine) soleHeld(ctx context.Context, rivals []token) (*token, error) {
	if len(rivals) == 1 {
		return &rivals[0], nil
	}
	t, record, err := e.soleLive(ctx, rivals, 0)
	switch {
	case record != nil, errors.Is(err, ErrSuperseded):
		return &t, nil
	case isGone(err):
		return nil, nil
	default:
		return nil, err
	}
}

// recognise returns what the browser's token stands for. One that a sign-in has
// superseded opens nothing, but its session is live: the answer that brings the
// new token may be on its way, and must not be overtaken by another cookie.
func (e *engine) recognise(ctx context.Context, t *token) (*Redemption, error) {
	if t == nil {
		return &Redemption{}, nil
	}
	seen := &Redemption{Presented: t.secret.proof(e.kind)}
	record, err := e.store.Load(ctx, Key{ID: t.id, Proof: seen.Presented, Now: e.clock.read()})
	switch {
	case err == nil:
		seen.Live, seen.Same = true, record.proofs()
	case errors.Is(err, ErrSuperseded):
		seen.Live = true
	case errors.Is(err, ErrReused):
		e.config.OnEvent(ctx, Event{Kind: EventReused, Session: e.name, Handle: t.id.String()})
	case !isGone(err):
		return nil, err
	}
	return seen, nil
}

// proofs returns the current proof and those before it, back to the last
// sign-in.
func (r *Record) proofs() []Proof {
	list := []Proof{r.Proof}
	for _, e := range r.Earlier {
		if e.By == RenewSignIn || e.By == RenewSignOut {
			break
		}
		list = append(list, e.Proof)
	}
	return list
}

func (e *engine) removeToken(held *token, alive bool) syncAnswer {
	switch {
	case alive:
		return syncAnswer{status: http.StatusConflict}
	case held == nil:
		return syncAnswer{status: http.StatusNoContent}
	default:
		return syncAnswer{http.StatusNoContent, true, e.carrier.clear()}
	}
}

// redeem trades a ticket for a new token, in one step: of the family of the one
// that the browser holds, if that is of the same session. The connection goes on with
// the token that the ticket was made for. A session that nothing else
// can deliver ends when the ticket meets the wrong browser.
func (e *engine) redeem(ctx context.Context, ticket token, held *token, seen *Redemption) (syncAnswer, error) {
	now := e.clock.read()
	t := token{id: ticket.id, secret: newSecret()}
	if seen.Same != nil && held.id == ticket.id {
		t.secret = held.secret.renewed()
	}
	key := Key{ID: ticket.id, Proof: ticket.secret.ticketProof(e.kind), Ticket: true, Now: now}
	d := &Delta{
		Redeem:  seen,
		Renewal: &Renewal{Kind: RenewJoin, Proof: t.secret.proof(e.kind), Family: t.secret.family(e.kind), Grace: e.config.Grace},
	}
	e.use(d, now)
	result, err := e.store.Update(ctx, key, d)
	switch {
	case err == nil:
		return syncAnswer{http.StatusNoContent, true, e.carrier.set(t, e.config.Cookie.end(result.Persistence, &result.Deadline), now)}, nil
	case errors.Is(err, ErrConflict):
		return syncAnswer{status: http.StatusConflict}, e.store.Delete(ctx, key)
	case isGone(err):
		return syncAnswer{status: http.StatusGone}, nil
	default:
		return syncAnswer{status: http.StatusServiceUnavailable}, err
	}
}
