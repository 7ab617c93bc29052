package fibersession

import (
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v3"
)

// Request returns the request as net/http has it, without its body, for functions that
// want one, such as the CheckOrigin of sessions. Nothing of it changes with the
// next request, which gets the memory of this one from fasthttp.
func Request(c fiber.Ctx) *http.Request {
	from := c.RequestCtx()
	r := &http.Request{
		Method:     string(from.Method()),
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     http.Header{},
		Body:       http.NoBody,
		Host:       string(from.Host()),
		RemoteAddr: from.RemoteAddr().String(),
		RequestURI: string(from.Request.Header.RequestURI()),
		TLS:        from.TLSConnectionState(),
	}
	for field, line := range from.Request.Header.All() {
		r.Header.Add(string(field), string(line))
	}
	r.Header.Del("Host")
	r.URL = target(r.RequestURI, from.Path())
	return r.WithContext(c.Context())
}

// target returns what is requested. Fiber takes more for a URI than package url.
func target(uri string, path []byte) *url.URL {
	if u, err := url.ParseRequestURI(uri); err == nil {
		return u
	}
	return &url.URL{Path: string(path)}
}
