package sessiontest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// A handle answers a request of the session.
type handle func(w http.ResponseWriter, r *http.Request, s *VisitorSession)

// behind returns the handle behind the site's middleware.
func (s *site) behind(h handle) http.Handler {
	return s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(w, r, VisitorFrom(r.Context())) }))
}

// serveTLS runs a handler on loopback and returns a client for its base URL.
func serveTLS(t *testing.T, http2 bool, h http.Handler) (*http.Client, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = http2
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Client(), server.URL
}

// fetch sends the request and reads the whole answer.
func fetch(t *testing.T, client *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func request(t *testing.T, method, url, token string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Cookie", "shop="+token)
	}
	return r
}

// aFile has a body of more than one buffer.
func aFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "page.txt")
	if err := os.WriteFile(name, bytes.Repeat([]byte("a line of the page\n"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTheCookieLeavesWithTheFirstByteHoweverThatIsWritten(t *testing.T) {
	file := aFile(t)
	ways := map[string]handle{
		"nothing":     func(http.ResponseWriter, *http.Request, *VisitorSession) {},
		"Write":       func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) { _, _ = w.Write([]byte("page")) },
		"WriteString": func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) { _, _ = io.WriteString(w, "page") },
		"WriteHeader": func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) { w.WriteHeader(http.StatusNoContent) },
		"redirect": func(w http.ResponseWriter, r *http.Request, _ *VisitorSession) {
			http.Redirect(w, r, "/b", http.StatusSeeOther)
		},
		"Flush": func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) { w.(http.Flusher).Flush() },
		"FlushError": func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) {
			_ = http.NewResponseController(w).Flush()
		},
		"a file, copied": func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) { _ = copyFile(w, file) },
		"a file, served": func(w http.ResponseWriter, r *http.Request, _ *VisitorSession) { http.ServeFile(w, r, file) },
	}
	for _, http2 := range []bool{false, true} {
		s := newSite(t)
		var respond handle
		client, url := serveTLS(t, http2, s.behind(func(w http.ResponseWriter, r *http.Request, v *VisitorSession) {
			v.SetName("Ada")
			respond(w, r, v)
		}))
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for name, way := range ways {
			for _, method := range []string{"GET", "HEAD"} {
				t.Run(map[bool]string{false: "HTTP1", true: "HTTP2"}[http2]+"/"+method+"/"+name, func(t *testing.T) {
					respond = way
					res, _ := fetch(t, client, request(t, method, url, ""))
					if got := res.ProtoMajor == 2; got != http2 {
						t.Fatalf("served by %s", res.Proto)
					}
					wantCookies(t, res, 1)
					wantName(t, s, tokenIn(cookieSettings[0], res), "Ada")
				})
			}
		}
	}
}

// copyFile copies by ReadFrom where the writer has it.
func copyFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func TestAFileReachesTheVisitorWhole(t *testing.T) {
	file := aFile(t)
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	client, url := serveTLS(t, false, s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		if _, ok := w.(io.ReaderFrom); !ok {
			t.Error("the writer has lost ReadFrom")
		}
		if err := copyFile(w, file); err != nil {
			t.Error(err)
		}
		v.SetName("Ada") // too late
	}))
	res, body := fetch(t, client, request(t, "GET", url, ""))
	if body != string(want) {
		t.Errorf("%d bytes of %d", len(body), len(want))
	}
	wantCookies(t, res, 0)
}

func TestRequestsOnOneConnectionHaveTheirOwnSessions(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		s := newSite(t)
		client, url := serveTLS(t, http2, s.behind(func(w http.ResponseWriter, r *http.Request, v *VisitorSession) {
			if name := r.FormValue("name"); name != "" {
				v.SetName(name)
			}
			_, _ = io.WriteString(w, v.Name())
		}))
		first, _ := fetch(t, client, request(t, "GET", url+"?name=Ada", ""))
		second, _ := fetch(t, client, request(t, "GET", url+"?name=Grace", ""))
		reused := false
		r := request(t, "GET", url, tokenIn(cookieSettings[0], first))
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }}
		_, name := fetch(t, client, r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
		if name != "Ada" || !reused || sameID(tokenIn(cookieSettings[0], first), tokenIn(cookieSettings[0], second)) {
			t.Errorf("HTTP/2 %v: the session of %q, connection reused %v", http2, name, reused)
		}
		if _, name := fetch(t, client, request(t, "GET", url, "")); name != "" {
			t.Errorf("HTTP/2 %v: without a cookie the session of %q", http2, name)
		}
	}
}

func TestAnInformationalResponseCommitsNothing(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		s := newSite(t)
		client, url := serveTLS(t, http2, s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
			v.SetName("Ada")
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			wantCalls(t, s, "")
			v.SetName("Grace")
			w.WriteHeader(http.StatusAccepted)
			wantCalls(t, s, "create")
		}))
		var hinted []textproto.MIMEHeader
		r := request(t, "GET", url, "")
		trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			hinted = append(hinted, h)
			return nil
		}}
		res, _ := fetch(t, client, r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
		wantAnswer(t, res, http.StatusAccepted)
		wantCookies(t, res, 1)
		if len(hinted) != 1 || hinted[0].Get("Link") == "" || hinted[0].Get("Set-Cookie") != "" {
			t.Errorf("early hints %v", hinted)
		}
		wantName(t, s, tokenIn(cookieSettings[0], res), "Grace")
	}
}

// switchProtocols sends an upgrade over a connection of its own and returns the
// head of the answer.
func switchProtocols(t *testing.T, url, token string) *http.Response {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := request(t, "GET", url, token)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "test")
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// upgrade answers 101 as WebSocket libraries do: by WriteHeader and Hijack.
func upgrade(t *testing.T, w http.ResponseWriter) {
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "test")
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Errorf("hijack: %v", err)
		return
	}
	_ = rw.Flush()
	_ = conn.Close()
}

func TestAnUpgradeLoadsAndCommitsOnceAndNotAtTheEnd(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	done := make(chan struct{})
	_, url := serveTLS(t, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
			v.SetUserID(7)
			upgrade(t, w)
			wantCalls(t, s, "load update")
			v.SetTheme("dark")
		}).ServeHTTP(w, r)
	}))
	res := switchProtocols(t, url, b.cookie)
	<-done
	wantAnswer(t, res, http.StatusSwitchingProtocols)
	wantCookies(t, res, 1)
	wantCalls(t, s, "")
}

func TestAnUpgradeWithoutTheStoreIsRefused(t *testing.T) {
	for name, how := range map[string]func(*testing.T, http.ResponseWriter){
		"by WriteHeader": func(_ *testing.T, w http.ResponseWriter) { w.WriteHeader(http.StatusSwitchingProtocols) },
		"by Hijack": func(t *testing.T, w http.ResponseWriter) {
			if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
				t.Error("hijacked")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			s.store.fail = func(string) error { return errOutage }
			_, url := serveTLS(t, false, s.behind(func(w http.ResponseWriter, r *http.Request, v *VisitorSession) {
				_ = v.Load(r.Context())
				how(t, w)
			}))
			wantAnswer(t, switchProtocols(t, url, b.cookie), http.StatusServiceUnavailable)
		})
	}
}

// wrapped offers nothing but what is behind Unwrap.
type wrapped struct{ under http.ResponseWriter }

func (w wrapped) Header() http.Header         { return w.under.Header() }
func (w wrapped) Write(b []byte) (int, error) { return w.under.Write(b) }
func (w wrapped) WriteHeader(status int)      { w.under.WriteHeader(status) }
func (w wrapped) Unwrap() http.ResponseWriter { return w.under }

func TestWhatTheServersWriterOffersBehindUnwrapIsThere(t *testing.T) {
	s := newSite(t)
	inner := s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.SetName("Ada")
		if _, ok := w.(http.Hijacker); !ok {
			t.Error("no Hijacker")
		}
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Errorf("SetWriteDeadline: %v", err)
		}
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Errorf("EnableFullDuplex: %v", err)
		}
		wantCalls(t, s, "")
		w.(http.Flusher).Flush()
		wantCalls(t, s, "create")
	})
	client, url := serveTLS(t, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(wrapped{wrapped{w}}, r)
	}))
	res, _ := fetch(t, client, request(t, "GET", url, ""))
	wantCookies(t, res, 1)
}

// The optional methods of a server's writer, alone and together.
type (
	plainWriter  struct{ http.ResponseWriter }
	flushWriter  struct{ plainWriter }
	errorFlusher struct{ plainWriter }
	hijackWriter struct{ plainWriter }
	readWriter   struct{ plainWriter }
)

func (flushWriter) Flush()                                        {}
func (errorFlusher) FlushError() error                            { return errOutage }
func (hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errOutage }
func (w readWriter) ReadFrom(r io.Reader) (int64, error)          { return io.Copy(w.ResponseWriter, r) }

func TestTheWriterHasThoseOptionalMethodsThatTheServersHas(t *testing.T) {
	recorder := plainWriter{httptest.NewRecorder()}
	flush, hijack, read := flushWriter{recorder}, hijackWriter{recorder}, readWriter{recorder}
	for name, c := range map[string]struct {
		under                  http.ResponseWriter
		flushes, hijacks, read bool
	}{
		"none":       {recorder, false, false, false},
		"Flush":      {flush, true, false, false},
		"FlushError": {errorFlusher{recorder}, true, false, false},
		"Hijack":     {hijack, false, true, false},
		"ReadFrom":   {read, false, false, true},
		"Flush+Hijack": {struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
		}{recorder, flush, hijack}, true, true, false},
		"Flush+ReadFrom": {struct {
			http.ResponseWriter
			http.Flusher
			io.ReaderFrom
		}{recorder, flush, read}, true, false, true},
		"Hijack+ReadFrom": {struct {
			http.ResponseWriter
			http.Hijacker
			io.ReaderFrom
		}{recorder, hijack, read}, false, true, true},
		"all": {struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
		}{recorder, flush, hijack, read}, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.behind(func(w http.ResponseWriter, _ *http.Request, _ *VisitorSession) {
				_, flushes := w.(http.Flusher)
				_, hijacks := w.(http.Hijacker)
				_, reads := w.(io.ReaderFrom)
				if flushes != c.flushes || hijacks != c.hijacks || reads != c.read {
					t.Errorf("Flush %v, Hijack %v, ReadFrom %v", flushes, hijacks, reads)
				}
				err := http.NewResponseController(w).Flush()
				if errors.Is(err, http.ErrNotSupported) == c.flushes {
					t.Errorf("flush by the controller: %v", err)
				}
			}).ServeHTTP(c.under, httptest.NewRequest("GET", "/", nil))
		})
	}
}

func TestAPanicClosesTheSession(t *testing.T) {
	s := newSite(t)
	var kept *VisitorSession
	func() {
		defer func() { _ = recover() }()
		s.signedUp().visit(func(v *VisitorSession) {
			kept = v
			panic(http.ErrAbortHandler)
		})
	}()
	s.store.took()
	kept.SetName("late")
	if kept.Name() != "" || !errors.Is(kept.Err(), runtime.ErrTooLate) {
		t.Errorf("name %q, error %v after the panic", kept.Name(), kept.Err())
	}
	wantEvents(t, s, runtime.EventClosedWrite, runtime.EventClosedRead)
	wantCalls(t, s, "")
}

func TestAPanicCommitsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		h    handle
		want string // what is stored afterwards
	}{
		"before the first byte": {func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) {
			v.SetName("Grace")
			panic(http.ErrAbortHandler)
		}, "Ada"},
		"after the first byte": {func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
			_, _ = io.WriteString(w, "begun")
			v.SetName("Grace")
			panic(http.ErrAbortHandler)
		}, "Ada"},
		"after Save": {func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) {
			v.SetName("Saved")
			_ = v.Save(context.Background())
			v.SetName("Grace")
			panic(http.ErrAbortHandler)
		}, "Saved"},
		"of a sign-out": {func(_ http.ResponseWriter, _ *http.Request, v *VisitorSession) {
			v.Destroy()
			panic(http.ErrAbortHandler)
		}, "Ada"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Cookie", "shop="+b.cookie)
			func() {
				defer func() {
					if recover() != http.ErrAbortHandler {
						t.Error("the panic was swallowed")
					}
				}()
				s.behind(c.h).ServeHTTP(httptest.NewRecorder(), r)
			}()
			wantName(t, s, b.cookie, c.want)
		})
	}
}

func TestOnlyTheFirstStatusCounts(t *testing.T) {
	s := newSite(t)
	w := httptest.NewRecorder()
	s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		w.WriteHeader(http.StatusTeapot)
		v.SetName("Ada")
		w.WriteHeader(http.StatusOK)
	}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	wantAnswer(t, w.Result(), http.StatusTeapot)
	wantErr(t, s.lastTold(), runtime.ErrTooLate)
}

// aPage is a response with everything that a handler says about its own body.
func aPage(t *testing.T, w http.ResponseWriter) {
	for field, value := range map[string]string{
		"Content-Type": "image/png", "Content-Length": "4000", "Content-Encoding": "br", "Etag": `"1"`,
		"Last-Modified": "Sun, 01 Nov 2026 12:00:00 GMT", "Content-Disposition": "attachment", "Location": "/next",
		"Content-Range": "bytes 0-1/2", "Accept-Ranges": "bytes", "Cache-Control": "public, max-age=3600",
		"Content-Language": "en", "Expires": "Sun, 01 Nov 2027 12:00:00 GMT", "Refresh": "1; url=/next",
		"X-Accel-Redirect": "/private/file", "X-Sendfile": "/private/file", "HX-Redirect": "/next", "HX-Trigger": "saved",
		"Clear-Site-Data": "*", "Link": "</next>; rel=preload", "Set-Cookie": "theirs=1", "X-Request-Id": "theirs",
		"Access-Control-Allow-Origin": "https://page.example", "Access-Control-Allow-Credentials": "true",
	} {
		w.Header().Set(field, value)
	}
	w.Header().Add("Vary", "Origin")
	w.Header().Del("Strict-Transport-Security")
	if n, err := io.WriteString(w, "half of a page"); n != 0 || err == nil {
		t.Errorf("the handler wrote %d bytes, %v", n, err)
	}
	if n, err := w.Write([]byte("and more")); n != 0 || err == nil {
		t.Errorf("the handler wrote %d bytes, %v", n, err)
	}
	if r, ok := w.(io.ReaderFrom); ok {
		if n, err := r.ReadFrom(strings.NewReader("and more")); n != 0 || err == nil {
			t.Errorf("the handler wrote %d bytes, %v", n, err)
		}
	}
	if err := http.NewResponseController(w).Flush(); err == nil {
		t.Error("flushed")
	}
	w.WriteHeader(http.StatusOK)
}

// aroundAll is a middleware around that of the sessions, which says something for
// every answer.
func aroundAll(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=63072000")
		w.Header().Set("X-Request-Id", "1")
		w.Header().Add("Vary", "Accept-Language")
		next.ServeHTTP(w, r)
	})
}

func TestR14ACommitThatFailsLeavesNothingOfTheHandlersResponse(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for name, c := range map[string]struct {
			err    error
			status int
		}{"outage": {errOutage, http.StatusServiceUnavailable}, "ended": {nil, http.StatusConflict}} {
			s := newSite(t)
			b := s.signedUp()
			client, url := serveTLS(t, http2, aroundAll(s.behind(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
				v.Name()
				if c.err == nil {
					b.tab().visit(func(s *VisitorSession) { s.Destroy() })
				}
				s.store.fail = func(string) error { return c.err }
				v.SetName("Grace")
				aPage(t, w)
			})))
			res, body := fetch(t, client, request(t, "GET", url, b.cookie))
			wantAnswer(t, res, c.status)
			wantCookies(t, res, 0)
			if body != http.StatusText(c.status)+"\n" {
				t.Errorf("%s: body %q", name, body)
			}
			for _, field := range []string{
				"Content-Encoding", "Etag", "Last-Modified", "Content-Disposition", "Location", "Content-Range", "Accept-Ranges",
				"Content-Language", "Expires", "Refresh", "X-Accel-Redirect", "X-Sendfile", "Hx-Redirect", "Hx-Trigger",
				"Clear-Site-Data", "Link",
			} {
				if got := res.Header.Get(field); got != "" {
					t.Errorf("%s: %s is %q", name, field, got)
				}
			}
			if res.ContentLength > 100 || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" ||
				res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Strict-Transport-Security") != "max-age=63072000" ||
				res.Header.Get("X-Request-Id") != "1" || res.Header.Get("Access-Control-Allow-Origin") != "https://page.example" ||
				res.Header.Get("Access-Control-Allow-Credentials") != "true" ||
				strings.Join(res.Header["Vary"], ", ") != "Accept-Language, Origin, Cookie" {
				t.Errorf("%s: header %v", name, res.Header)
			}
		}
	}
}

// gzipper compresses what next writes. It announces that at once, or with the
// first byte, as middlewares of both kinds do.
func gzipper(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		next.ServeHTTP(zipped{w, z}, r)
		_ = z.Close()
	})
}

type zipped struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (z zipped) Write(b []byte) (int, error) { return z.z.Write(b) }

func TestCompressionAroundAndInside(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
		v.SetName("Grace")
		_, _ = io.WriteString(w, "page")
	}
	around := func(s *site) http.Handler { return gzipper(s.behind(page)) }
	inside := func(s *site) http.Handler {
		return s.Middleware(gzipper(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			page(w, r, VisitorFrom(r.Context()))
		})))
	}
	for name, c := range map[string]struct {
		handler  func(*site) http.Handler
		fail     error
		status   int
		encoding string
		body     string
	}{
		"around":         {around, nil, http.StatusOK, "gzip", "page"},
		"inside":         {inside, nil, http.StatusOK, "gzip", "page"},
		"around, outage": {around, errOutage, http.StatusServiceUnavailable, "gzip", "Service Unavailable\n"},
		"inside, outage": {inside, errOutage, http.StatusServiceUnavailable, "", "Service Unavailable\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.store.fail = func(string) error { return c.fail }
			client, url := serveTLS(t, false, c.handler(s))
			r := request(t, "GET", url, "")
			r.Header.Set("Accept-Encoding", "gzip") // by hand: the client does not decode
			res, body := fetch(t, client, r)
			wantAnswer(t, res, c.status)
			if got := res.Header.Get("Content-Encoding"); got != c.encoding {
				t.Errorf("Content-Encoding %q, want %q", got, c.encoding)
			}
			if c.encoding == "gzip" {
				body = unzip(t, body)
			}
			if body != c.body {
				t.Errorf("body %q, want %q", body, c.body)
			}
		})
	}
}

func unzip(t *testing.T, body string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestATimeoutHandlerAroundAndInside(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		VisitorFrom(r.Context()).SetName("Ada")
		_, _ = io.WriteString(w, "page")
	})
	for name, handler := range map[string]func(*site) http.Handler{
		"around": func(s *site) http.Handler { return http.TimeoutHandler(s.Middleware(page), time.Minute, "") },
		"inside": func(s *site) http.Handler { return s.Middleware(http.TimeoutHandler(page, time.Minute, "")) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			w := httptest.NewRecorder()
			handler(s).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			wantAnswer(t, w.Result(), http.StatusOK)
			wantCookies(t, w.Result(), 1)
			wantName(t, s, tokenIn(cookieSettings[0], w.Result()), "Ada")
		})
	}
}

// What a handler does after its time is over comes after the last commit.
func TestAHandlerThatTimedOutChangesNothing(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	over, late := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer close(late)
		<-over
		VisitorFrom(r.Context()).SetName("Grace")
	})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "shop="+b.cookie)
	w := httptest.NewRecorder()
	s.Middleware(http.TimeoutHandler(slow, time.Nanosecond, "too slow")).ServeHTTP(w, r)
	close(over)
	<-late
	wantAnswer(t, w.Result(), http.StatusServiceUnavailable)
	wantName(t, s, b.cookie, "Ada")
	wantEvents(t, s, runtime.EventClosedWrite)
}

func TestProcessResponseOverRealServers(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		s := newSite(t)
		client, url := serveTLS(t, http2, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = s.ProcessRequest(r)
			v := VisitorFrom(r.Context())
			seen := v.Name()
			v.SetName("Ada")
			if err := s.ProcessResponse(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_, _ = io.WriteString(w, seen)
		}))
		res, _ := fetch(t, client, request(t, "GET", url, ""))
		wantCookies(t, res, 1)
		res, name := fetch(t, client, request(t, "GET", url, tokenIn(cookieSettings[0], res)))
		wantCookies(t, res, 0)
		if name != "Ada" || res.Header.Get("Vary") != "Cookie" {
			t.Errorf("the session of %q, Vary %q", name, res.Header.Get("Vary"))
		}
	}
}

func TestProcessResponseWithoutProcessRequestSaysSo(t *testing.T) {
	s := newSite(t)
	err := s.ProcessResponse(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	wantErr(t, err, runtime.ErrNoMiddleware)
}

func TestProcessResponseDoesNotLookAtASessionThatNobodyTouched(t *testing.T) {
	s := newSite(t)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "shop="+unknownToken+"; shop=")
	w := httptest.NewRecorder()
	if err := s.ProcessResponse(w, s.ProcessRequest(r)); err != nil {
		t.Error(err)
	}
	if calls := s.store.took(); calls != "" || len(w.Header()) > 0 {
		t.Errorf("the store was asked %q, and the header is %v", calls, w.Header())
	}
	wantEvents(t, s)
}

// outliving is a writer whose response goes on after the handler.
type outliving struct {
	*httptest.ResponseRecorder
	end func() // nil: nobody has asked
	no  bool   // the response ends with the handler
}

func (o *outliving) Outlives(end func()) bool {
	o.end = end
	return !o.no
}

func TestAResponseMayOutliveItsHandler(t *testing.T) {
	s := newSite(t)
	b := s.signedUp()
	var v *VisitorSession
	stream := func(w http.ResponseWriter) {
		r := httptest.NewRequest("GET", "https://shop.example/", nil)
		b.bring(r)
		s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v = VisitorFrom(r.Context())
			v.SetName("Grace")
			_, _ = io.WriteString(w, "begun")
		})).ServeHTTP(w, r)
	}

	w := &outliving{ResponseRecorder: httptest.NewRecorder()}
	stream(w)
	wantCalls(t, s, "update")
	v.SetName("Edith")
	w.end()
	wantCalls(t, s, "update")
	if got := s.nameIn(b.cookie); got != "Edith" {
		t.Errorf("what was changed after the handler: stored %q, want Edith", got)
	}
	v.SetName("Rosa")
	if got := s.kinds(); !slices.Equal(got, []runtime.EventKind{runtime.EventClosedWrite}) {
		t.Errorf("what was changed after the end: events %q", got)
	}

	stream(&outliving{ResponseRecorder: httptest.NewRecorder(), no: true})
	v.SetName("Rosa")
	if got := s.nameIn(b.cookie); got != "Grace" {
		t.Errorf("after a response that has ended: stored %q, want Grace", got)
	}
}
