package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// A Provider is where users sign in, and what the program is to it. An OpenID
// provider's document /.well-known/openid-configuration names the three URLs.
type Provider struct {
	AuthorizeURL string // where a browser is sent to
	TokenURL     string // trades codes
	UserURL      string // says who it is

	ClientID, ClientSecret string

	Callback string       // the URL of this program that browsers are sent back to
	HTTP     *http.Client // for what the program asks itself
}

// A user is what the provider says of one.
type user struct {
	Subject string `json:"sub"`
	Name    string `json:"name"`
}

// signInURL returns where a browser is sent to (RFC 6749, 4.1.1). The provider
// learns the hash of the verifier alone (RFC 7636, 4.2).
func (p *Provider) signInURL(state, verifier string) string {
	hash := sha256.Sum256([]byte(verifier))
	return p.AuthorizeURL + "?" + url.Values{
		"response_type":         {"code"},
		"client_id":             {p.ClientID},
		"redirect_uri":          {p.Callback},
		"scope":                 {"openid profile"},
		"state":                 {state},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(hash[:])},
		"code_challenge_method": {"S256"},
	}.Encode()
}

// user trades a code, and returns who has signed in.
func (p *Provider) user(ctx context.Context, code, verifier string) (u user, err error) {
	token, err := p.trade(ctx, code, verifier)
	if err != nil {
		return user{}, fmt.Errorf("trade the code: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.UserURL, nil)
	if err != nil {
		return user{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	err = p.ask(r, &u)
	if err == nil && u.Subject == "" {
		err = fmt.Errorf("%s says nothing of the user", p.UserURL)
	}
	return u, err
}

// trade gives the code and the verifier for an access token (RFC 6749, 4.1.3).
func (p *Provider) trade(ctx context.Context, code, verifier string) (token string, err error) {
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"code_verifier": {verifier},
		"redirect_uri":  {p.Callback},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(p.ClientSecret))
	var answer struct {
		Token string `json:"access_token"`
	}
	err = p.ask(r, &answer)
	return answer.Token, err
}

func (p *Provider) ask(r *http.Request, into any) error {
	res, err := p.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", r.URL, res.Status)
	}
	return json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(into)
}
