// Package provider is a small identity provider, for the demonstration and its
// tests: the authorization code flow of OAuth 2.0 (RFC 6749) with PKCE (RFC 7636).
// It asks for no password: whoever comes may be anybody.
package provider

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// codeLife is how long a code may be traded. RFC 6749, 4.1.2 asks for ten minutes at
// most.
const codeLife = time.Minute

// A Client is a program that is registered here.
type Client struct {
	ID, Secret string
	Callback   string // where browsers are sent back to, and nowhere else
}

// A Provider serves /authorize, /token and /user. It is safe for concurrent use.
type Provider struct {
	client Client
	mux    *http.ServeMux

	mu    sync.Mutex
	codes map[string]grant
	users map[string]string // names, by access tokens
}

// A grant is what a user has agreed to, for one code.
type grant struct {
	name      string
	challenge string
	until     time.Time
}

// New returns a provider with one client.
func New(client Client) *Provider {
	p := &Provider{client: client, mux: http.NewServeMux(), codes: map[string]grant{}, users: map[string]string{}}
	p.mux.HandleFunc("GET /authorize", p.ask)
	p.mux.HandleFunc("POST /authorize", p.authorize)
	p.mux.HandleFunc("POST /token", p.trade)
	p.mux.HandleFunc("GET /user", p.user)
	return p
}

// ServeHTTP implements [http.Handler].
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

var question = template.Must(template.New("question").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Who are you?</title>
<h1>Who are you?</h1>
<p>{{.}} would like to know.</p>
<form method="post">
  <input name="name" value="Ada" aria-label="Your name" autofocus>
  <button>Sign in</button>
  <button name="refused" value="yes">Cancel</button>
</form>
</html>
`))

// ask shows the form, which is sent to the page's own URL.
func (p *Provider) ask(w http.ResponseWriter, r *http.Request) {
	if !p.wellFormed(w, r) {
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = question.Execute(w, p.client.ID) // the browser has hung up
}

// authorize sends the browser back, with a code for the program or a refusal.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	if !p.wellFormed(w, r) {
		return
	}
	answer := url.Values{"state": {r.URL.Query().Get("state")}}
	name := strings.TrimSpace(r.PostFormValue("name"))
	if name == "" || r.PostFormValue("refused") != "" {
		answer.Set("error", "access_denied")
	} else {
		answer.Set("code", p.grant(grant{name, r.URL.Query().Get("code_challenge"), time.Now().Add(codeLife)}))
	}
	http.Redirect(w, r, p.client.Callback+"?"+answer.Encode(), http.StatusSeeOther)
}

// wellFormed reports whether a request is the client's and has PKCE. It answers
// another one itself, without sending the browser anywhere.
func (p *Provider) wellFormed(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	ok := q.Get("response_type") == "code" && q.Get("client_id") == p.client.ID && q.Get("redirect_uri") == p.client.Callback &&
		q.Get("code_challenge") != "" && q.Get("code_challenge_method") == "S256"
	if !ok {
		http.Error(w, "this is not a request of a registered client with PKCE", http.StatusBadRequest)
	}
	return ok
}

func (p *Provider) grant(g grant) (code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	code = rand.Text()
	p.codes[code] = g
	return code
}

// trade gives an access token for a code, once, to the program that has the
// verifier of its challenge.
func (p *Provider) trade(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id != url.QueryEscape(p.client.ID) || !equal(secret, url.QueryEscape(p.client.Secret)) { // RFC 6749, 2.3.1
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	token, ok := p.token(r.PostFormValue("code"), r.PostFormValue("code_verifier"))
	if !ok || r.PostFormValue("redirect_uri") != p.client.Callback {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer"})
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (p *Provider) token(code, verifier string) (token string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.codes[code]
	delete(p.codes, code)
	challenge := sha256.Sum256([]byte(verifier))
	if g.name == "" || time.Now().After(g.until) || g.challenge != base64.RawURLEncoding.EncodeToString(challenge[:]) {
		return "", false
	}
	token = rand.Text()
	p.users[token] = g.name
	return token, true
}

// user says who it is that an access token is of.
func (p *Provider) user(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	name := p.users[token]
	p.mu.Unlock()
	if name == "" {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"sub": strings.ToLower(name), "name": name})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the program has hung up
}
