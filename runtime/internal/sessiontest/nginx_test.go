package sessiontest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime/internal/servertest"
)

// behindNginx serves the handler behind a real proxy and returns its URL.
func behindNginx(t *testing.T, h http.Handler, files map[string]string) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	n, err := servertest.NewNginx(strings.TrimPrefix(server.URL, "http://"), files)
	servertest.Check(t, err)
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n.URL()
}

// The proxy takes 4 KiB of header, and would answer 502 for as long as the browser
// has both cookies.
func TestR10DuplicatesOnADeepPathAndHostPassAProxy(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	url := behindNginx(t, s.behind(func(w http.ResponseWriter, r *http.Request, v *VisitorSession) {
		r.Host = "a.b.c.d.e.f.g.h.shop.example" // the proxy's own would do as well
		_, _ = io.WriteString(w, v.Name())
	}), nil)
	r := request(t, "GET", url+strings.Repeat("/a-part-of-the-path", 40), b.cookie)
	r.Header.Set("Cookie", b.header()+"; shop="+unknownToken)
	res, body := fetch(t, http.DefaultClient, r)
	if res.StatusCode != http.StatusOK || body != "Ada" || len(res.Header["Set-Cookie"]) < 10 {
		t.Errorf("status %d, %q, %q", res.StatusCode, body, res.Header["Set-Cookie"])
	}
}

func TestR14AFailedCommitSendsNoFileThroughAProxy(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	url := behindNginx(t, s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.AddViews(1)
		w.Header().Set("X-Accel-Redirect", "/private/invoice")
	}), map[string]string{"invoice": "the invoice"})
	get := func() (*http.Response, string) { return fetch(t, http.DefaultClient, request(t, "GET", url, b.cookie)) }
	if res, body := get(); res.StatusCode != http.StatusOK || body != "the invoice" {
		t.Fatalf("with a store that works: status %d, %q", res.StatusCode, body)
	}
	s.store.setFail(func(string) error { return errOutage })
	if res, body := get(); res.StatusCode != http.StatusServiceUnavailable || body != "Service Unavailable\n" {
		t.Errorf("with a store that fails: status %d, %q", res.StatusCode, body)
	}
}
