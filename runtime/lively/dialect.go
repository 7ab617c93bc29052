package lively

import (
	"html/template"
	"time"

	"github.com/coder/websocket"
	"github.com/tinylib/msgp/msgp"
)

// A dialect is in which ways a client in the browser is spoken to, and speaks,
// unlike others. There is one for each connection.
type dialect interface {
	// decode reads a frame of the page: an [Event], a [Navigation] or a result.
	decode(frame []byte, elements int) (any, error)

	// What patches bring: a new element, the text or the markup in one, an element as
	// markup, and attributes.
	appendNode(b []byte, n *Node) []byte
	appendText(b []byte, text string) []byte
	appendMarkup(b []byte, markup template.HTML) []byte
	appendElement(b []byte, key string, markup template.HTML) []byte
	appendAttributes(b []byte, key string, attributes map[string]string) []byte

	// component returns the root of the page that is shown after a navigation.
	component(of Page) string

	// unknown says that a component is not known.
	unknown(component string, reload bool) []byte

	// fileRequest asks for a file that goes to the URL; nil: the client is not asked.
	fileRequest(r FileRequest, url string) []byte

	// reloads reports whether a page has to load itself again whose event has no
	// handler.
	reloads(Event) bool

	// fetch has the page fetch a cookie.
	fetch(url string) []byte

	// farewell is the last frame before the connection closes with the code, and when it
	// is to be sent; nil if the client acts on the code. With the frame it closes the
	// connection itself.
	farewell(websocket.StatusCode) (frame []byte, after time.Duration)
}

func newDialect(c *Config) dialect {
	if c.Duck {
		return &duck{}
	}
	return own{}
}

// own is the dialect of this package's client.
type own struct{}

func (own) decode(frame []byte, elements int) (any, error) { return decodeFrame(frame, elements) }

func (d own) appendNode(b []byte, n *Node) []byte {
	b = msgp.AppendArrayHeader(b, 6)
	b = msgp.AppendString(b, n.Tag)
	b = appendOptional(b, n.Key)
	b = appendTexts(b, n.Attributes)
	b = appendTexts(b, n.Style)
	b = appendOptional(b, n.Text)
	return appendNodes(b, d, n.Children)
}

func (own) appendText(b []byte, text string) []byte { return msgp.AppendString(b, text) }

// appendMarkup marks markup by an array around it.
func (own) appendMarkup(b []byte, markup template.HTML) []byte {
	return msgp.AppendString(msgp.AppendArrayHeader(b, 1), string(markup))
}

func (d own) appendElement(b []byte, _ string, markup template.HTML) []byte {
	return d.appendMarkup(b, markup)
}

func (own) appendAttributes(b []byte, _ string, attributes map[string]string) []byte {
	return appendTexts(b, attributes)
}

func (own) component(of Page) string { return of.Component }

func (own) unknown(component string, reload bool) []byte { return encodeUnknown(component, reload) }

func (own) fileRequest(FileRequest, string) []byte { return nil }

func (own) reloads(Event) bool { return true }

func (own) fetch(url string) []byte { return encodeFetch(url) }

func (own) farewell(websocket.StatusCode) ([]byte, time.Duration) { return nil, 0 }
