package dbsc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/duckgen/duckgen/runtime"
)

var (
	errChallenge  = errors.New("the challenge is not the one that the session waits for")
	errRegistered = errors.New("the session does not wait for a key")
)

// Handler is the endpoint at which browsers register the keys of their devices, and
// prove at every refresh that they have them. It answers
//
//   - 200 with the session's instructions, a bound cookie and the next challenge; or
//     that there is no such session any more, for which the browser forgets it,
//   - 403 with a challenge, which the browser signs at once,
//   - 400 to what is no proof, or none of the session's device,
//   - 503 if the store fails, or the session's token is being replaced: the browser
//     comes again.
//
// It never redirects: a browser would follow for ever.
func Handler(b runtime.Binder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		e := exchange{b, w, r}
		if len(r.Header[fieldID]) > 0 {
			e.refresh()
		} else {
			e.register()
		}
	})
}

// An exchange is one request of a browser and its answer.
type exchange struct {
	binder runtime.Binder
	w      http.ResponseWriter
	r      *http.Request
}

// register takes the key of a device that was invited.
func (e exchange) register() {
	p, err := e.proof()
	if err != nil {
		e.refuse(nil, err)
		return
	}
	d, err := e.binder.Open(e.r.Context(), e.r)
	switch {
	case isGone(err):
		e.refuse(nil, err)
		return
	case err != nil:
		e.fail(nil, err)
		return
	}
	key, err := p.verifyOwn()
	switch {
	case err != nil:
	case len(d.Key()) > 0:
		err = errRegistered
	case !answers(p, d):
		err = errChallenge
	}
	if err != nil {
		e.refuse(d, err)
		return
	}
	e.renew(d, key)
}

// refresh gives a bound cookie to the device whose key it is bound to.
func (e exchange) refresh() {
	id, err := readText(e.r.Header[fieldID])
	if err != nil {
		e.refuse(nil, err)
		return
	}
	d, err := e.binder.Open(e.r.Context(), e.r)
	switch {
	case isGone(err):
		e.end()
		return
	case err != nil:
		e.fail(nil, err)
		return
	case d.Session() != id || len(d.Key()) == 0: // the browser has left it, or begins anew
		e.end()
		return
	}
	if len(e.r.Header[fieldProof]) == 0 {
		e.challenge(d)
		return
	}
	p, err := e.proof()
	if err == nil {
		err = p.verify(d.Key())
	}
	switch {
	case err != nil:
		e.refuse(d, err)
	case !answers(p, d):
		e.challenge(d)
	default:
		e.renew(d, nil)
	}
}

func (e exchange) proof() (*proof, error) {
	text, err := readText(e.r.Header[fieldProof])
	if err != nil {
		return nil, err
	}
	return parseProof(text)
}

// answers reports whether a proof answers the challenge that the session waits for.
func answers(p *proof, d *runtime.Device) bool {
	want := d.Challenge()
	return want != "" && subtle.ConstantTimeCompare([]byte(p.challenge), []byte(want)) == 1
}

// isGone reports whether a browser that names the session can forget it. While its
// token is being replaced it must not.
func isGone(err error) bool {
	return errors.Is(err, runtime.ErrNotFound) || errors.Is(err, runtime.ErrReused) || errors.Is(err, runtime.ErrEnded)
}

// renew answers a proof that counts.
func (e exchange) renew(d *runtime.Device, key []byte) {
	cookie, err := d.Renew(e.r.Context(), key)
	switch {
	case errors.Is(err, runtime.ErrConflict): // another proof has counted meanwhile
		e.again(d)
		return
	case err != nil:
		e.fail(d, err)
		return
	}
	if key == nil {
		e.binder.Report(e.r.Context(), runtime.EventRefreshed, d, nil)
	}
	http.SetCookie(e.w, cookie)
	e.sendChallenge(d)
	e.answer(instructionsFor(d, e.binder.Path(), cookie))
}

// again has the browser sign what the session waits for now.
func (e exchange) again(d *runtime.Device) {
	if err := d.Reload(e.r.Context()); err != nil {
		e.fail(d, err)
		return
	}
	e.challenge(d)
}

// challenge asks for a proof of the challenge that the session waits for, a fresh one
// if that is too old. Whoever else makes one at the same moment has made a fresh one.
func (e exchange) challenge(d *runtime.Device) {
	if d.Challenge() == "" {
		err := d.Rechallenge(e.r.Context())
		if errors.Is(err, runtime.ErrConflict) {
			err = d.Reload(e.r.Context())
		}
		if err != nil {
			e.fail(d, err)
			return
		}
	}
	e.sendChallenge(d)
	e.w.WriteHeader(http.StatusForbidden)
}

func (e exchange) sendChallenge(d *runtime.Device) {
	e.w.Header().Set(fieldChallenge, quoted(d.Challenge())+";id="+quoted(d.Session()))
}

// refuse answers what proves nothing.
func (e exchange) refuse(d *runtime.Device, err error) {
	e.binder.Report(e.r.Context(), runtime.EventProofRefused, d, err)
	e.w.WriteHeader(http.StatusBadRequest)
}

// fail answers if the session cannot be judged, which is the fault of nobody who
// asks: the browser keeps its key.
func (e exchange) fail(d *runtime.Device, err error) {
	if !errors.Is(err, runtime.ErrSuperseded) && !errors.Is(err, context.Canceled) {
		e.binder.Fail(e.r.Context(), d, err)
	}
	e.w.Header().Set("Retry-After", "1")
	e.w.WriteHeader(http.StatusServiceUnavailable)
}

// end has the browser forget the session that it names.
func (e exchange) end() { e.answer(ending{}) }

func (e exchange) answer(body any) {
	e.w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(e.w).Encode(body) // it always encodes, and a browser that has gone asks again
}

// instructions say to a browser what the session is and which cookie it keeps fresh
// (draft, section "JSON Session Instruction Format").
type instructions struct {
	Session     string       `json:"session_identifier"`
	RefreshURL  string       `json:"refresh_url"`
	Scope       scope        `json:"scope"`
	Credentials []credential `json:"credentials"`
}

type scope struct {
	Site bool `json:"include_site"`
}

type credential struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Attributes string `json:"attributes"`
}

// ending is the instruction to forget a session.
type ending struct {
	Continue bool `json:"continue"`
}

func instructionsFor(d *runtime.Device, path string, cookie *http.Cookie) instructions {
	return instructions{
		Session:     d.Session(),
		RefreshURL:  path,
		Credentials: []credential{{"cookie", cookie.Name, attributes(*cookie)}},
	}
}

// attributes returns those of a cookie without its value and its end.
func attributes(cookie http.Cookie) string {
	cookie.Value, cookie.MaxAge = "", 0
	return strings.TrimPrefix(cookie.String(), cookie.Name+"=; ")
}
