package fibersession

import (
	"net/http"
	"slices"

	"github.com/valyala/fasthttp"
)

// header is that of a response as net/http has it, beside that of fasthttp.
type header struct {
	session http.Header // what the session sees, and changes
	known   http.Header // what fasthttp had when they were last the same
}

// pull takes over what has become of the header of fasthttp. What the session has put
// into its own meanwhile, as Save does, stays.
func (h *header) pull(from *fasthttp.ResponseHeader) {
	now := http.Header{}
	for field, line := range from.All() {
		now.Add(string(field), string(line))
	}
	merged := now.Clone()
	for field, lines := range h.session {
		switch before := h.known[field]; {
		case slices.Equal(lines, before):
		case field == "Set-Cookie":
			isOld := func(line string) bool { return slices.Contains(before, line) }
			merged[field] = append(merged[field], slices.DeleteFunc(slices.Clone(lines), isOld)...)
		default:
			merged[field] = lines
		}
	}
	h.session, h.known = merged, now
}

// push makes the header of fasthttp that of the session.
func (h *header) push(to *fasthttp.ResponseHeader) {
	for field := range h.known {
		if len(h.session[field]) == 0 {
			to.Del(field)
		}
	}
	for field, lines := range h.session {
		if slices.Equal(lines, h.known[field]) {
			continue
		}
		to.Del(field)
		for _, line := range lines {
			to.Add(field, line)
		}
	}
	h.known = h.session.Clone()
}
