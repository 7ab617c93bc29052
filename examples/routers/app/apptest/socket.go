package apptest

import (
	"net/http"

	"github.com/coder/websocket"
	"github.com/tinylib/msgp/msgp"
)

// socket is a live page, whose events run one after the other: that the second one
// has an answer shows that the first is stored.
func socket(s *site) {
	g := s.known("Ada")
	conn, _, err := websocket.Dial(s.Context(), s.url+"/lively", &websocket.DialOptions{
		HTTPClient: g.client, HTTPHeader: http.Header{"Origin": {s.url}},
	})
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	for _, want := range []string{"1", "2"} {
		s.send(conn, 100, "", "", "add", map[string]any{"kind": "duck"}, false)
		if got := s.patched(conn); got != want {
			s.Errorf("the page is to show %q, want %q", got, want)
		}
	}
	if got := g.cart().Cart["duck"]; got == 0 {
		s.Error("the first event is not stored once the second one has run")
	}

	stranger := s.guest()
	_, res, err := websocket.Dial(s.Context(), s.url+"/lively", &websocket.DialOptions{
		HTTPClient: stranger.client, HTTPHeader: http.Header{"Origin": {"https://evil.example"}},
	})
	if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
		s.Errorf("a page of another origin gets %v, %v", res, err)
	}
}

func (s *site) send(conn *websocket.Conn, frame ...any) {
	s.Helper()
	b, err := msgp.AppendIntf(nil, frame)
	if err != nil {
		s.Fatal(err)
	}
	if err := conn.Write(s.Context(), websocket.MessageBinary, b); err != nil {
		s.Fatal(err)
	}
}

// patched returns the text that the next frame puts into the page.
func (s *site) patched(conn *websocket.Conn) string {
	s.Helper()
	_, b, err := conn.Read(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	frame, _, err := msgp.ReadIntfBytes(b)
	if err != nil {
		s.Fatal(err)
	}
	if f, ok := frame.([]any); ok && len(f) == 2 {
		if patches, ok := f[1].([]any); ok && len(patches) == 1 {
			if patch, ok := patches[0].([]any); ok && len(patch) == 3 {
				text, _ := patch[2].(string)
				return text
			}
		}
	}
	s.Fatalf("the frame %v changes no text", frame)
	return ""
}
