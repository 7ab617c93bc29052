package lively

import (
	"bufio"
	"net"
	"net/http"
)

// bufferSize is that of each of the two buffers of a connection, in bytes. Most
// frames fit; of a larger one the rest passes by its buffer.
const bufferSize = 1 << 10

// A slimHijacker is the writer of a handshake whose connection gets smaller buffers
// than those that the server has read the request with.
type slimHijacker struct {
	http.ResponseWriter
	hijacker http.Hijacker
}

// slim returns the writer as it is if it cannot be hijacked.
func slim(w http.ResponseWriter) http.ResponseWriter {
	for under := w; ; {
		if h, ok := under.(http.Hijacker); ok {
			return slimHijacker{w, h}
		}
		u, ok := under.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		under = u.Unwrap()
	}
}

// Hijack replaces the buffers in place, because the server refers to them for as
// long as the handler runs. What the page has sent already stays where it is.
func (s slimHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := s.hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	if rw.Reader.Buffered() == 0 {
		*rw.Reader = *bufio.NewReaderSize(conn, bufferSize)
	}
	*rw.Writer = *bufio.NewWriterSize(conn, bufferSize)
	return conn, rw, nil
}

// WriteHeaderNow sends the header if the writer is one that waits to be told so, as
// gin's is.
func (s slimHijacker) WriteHeaderNow() {
	if w, ok := s.ResponseWriter.(interface{ WriteHeaderNow() }); ok {
		w.WriteHeaderNow()
	}
}
