package sessions

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A browser keeps the cookies that responses set.
type browser map[string]string

func (b browser) request() *http.Request {
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	for name, value := range b {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (b browser) receive(response *http.Response) {
	for _, cookie := range response.Cookies() {
		if cookie.MaxAge < 0 {
			delete(b, cookie.Name)
		} else {
			b[cookie.Name] = cookie.Value
		}
	}
}

// visit makes one request.
func (b browser) visit(a app, handler http.HandlerFunc) {
	w := httptest.NewRecorder()
	a.handler(handler).ServeHTTP(w, b.request())
	b.receive(w.Result())
}

// discard is a response writer that costs as little as one can.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkRequest measures requests with a session of 20 fields.
func BenchmarkRequest(b *testing.B) {
	themes := [2]string{"dark, with a high contrast", "black, also with a high contrast"}
	n := 0
	for _, c := range []struct {
		name    string
		known   bool
		handler func(a app) http.HandlerFunc
	}{
		{"no cookie, untouched", false, func(app) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) {}
		}},
		{"known, untouched", true, func(app) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) {}
		}},
		{"known, read one field", true, func(a app) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { a.read(r, "name") }
		}},
		{"known, write one field", true, func(a app) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				n++
				a.write(w, r, "theme", themes[n%2])
			}
		}},
		{"known, read all fields", true, func(a app) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { a.readAll(r) }
		}},
		{"new visitor, write one", false, func(a app) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { a.write(w, r, "theme", themes[0]) }
		}},
	} {
		for _, a := range apps(b) {
			b.Run(c.name+"/"+a.name, func(b *testing.B) { measure(b, a, c.known, c.handler(a)) })
		}
	}
}

func measure(b *testing.B, a app, known bool, handler http.HandlerFunc) {
	visitor := browser{}
	if known {
		visitor.visit(a, a.fill)
	}
	header := visitor.request().Header
	base := httptest.NewRequest("GET", "https://shop.example/", nil)
	base.Header = header
	w := discard{http.Header{}}
	h := a.handler(handler)
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		r := *base // gorilla keeps sessions in the request
		h.ServeHTTP(w, &r)
	}
}
