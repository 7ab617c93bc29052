package lively

import (
	"html"
	"html/template"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/tinylib/msgp/msgp"
)

// The opcodes that only the client of the Duck framework has.
const (
	opFileRequest  = 130
	opFileError    = 131
	opFileStarted  = 132
	opFileProgress = 133
)

// duckKey is the attribute by which that client finds elements.
const duckKey = "data-uid"

// duck is the dialect of the Duck framework's client, 2.3. That takes text for markup
// if it looks like it, runs scripts in markup, and acts on no close code.
type duck struct {
	root    atomic.Pointer[string] // of the page, as its last frame says
	fetched atomic.Int64           // when it was told to fetch, in Unix nanoseconds
}

func (d *duck) decode(frame []byte, elements int) (any, error) {
	switch opcodeOf(frame) {
	case opFileError, opFileStarted, opFileProgress:
		return decodeFileNews(frame, elements)
	}
	decoded, err := decodeFrame(frame, elements)
	switch decoded := decoded.(type) {
	case Event:
		d.root.Store(&decoded.Root)
	case Navigation:
		d.root.Store(&decoded.Previous)
	}
	return decoded, err
}

// decodeFileNews reads what has become of a [FileRequest].
func decodeFileNews(frame []byte, elements int) (any, error) {
	d := &decoder{rest: frame, elements: elements}
	n, opcode := d.array(), d.integer()
	event := Event{Component: d.text(), Document: true}
	switch opcode {
	case opFileStarted:
		d.want(n, 2)
		event.Name = FileStarted
	case opFileError:
		d.want(n, 3)
		event.Name, event.Value = FileError, d.text()
	case opFileProgress:
		d.want(n, 3)
		event.Name, event.Value = FileProgress, d.value(0)
	}
	d.end(opcode)
	return event, d.err
}

// appendNode writes a new element. The client takes its attributes for all that it
// manages, so they have the key, too.
func (d *duck) appendNode(b []byte, n *Node) []byte {
	attributes, text := harmless(n.Attributes), html.EscapeString(n.Text)
	if n.Key != "" {
		attributes[duckKey] = n.Key
	}
	switch strings.ToLower(n.Tag) {
	case "script":
		attributes["type"], text = "text/plain", n.Text // it is not to run
	case "style":
		text = n.Text // browsers read no entities in it
	}
	b = msgp.AppendArrayHeader(b, 6)
	b = msgp.AppendString(b, n.Tag)
	b = appendOptional(b, n.Key)
	b = appendTexts(b, attributes)
	b = appendTexts(b, n.Style)
	b = appendOptional(b, text)
	return appendNodes(b, d, n.Children)
}

// appendText writes text as markup that shows it: with an entity, or with nothing that
// looks like markup.
func (d *duck) appendText(b []byte, text string) []byte {
	return msgp.AppendString(b, html.EscapeString(text))
}

func (d *duck) appendMarkup(b []byte, markup template.HTML) []byte {
	return msgp.AppendString(b, disarm(string(markup)))
}

// appendElement writes a node: the client can replace an element by nothing else. What
// is in it goes as its text.
func (d *duck) appendElement(b []byte, key string, markup template.HTML) []byte {
	tag, attributes, content := outerElement(disarm(string(markup)))
	attributes = harmless(attributes)
	attributes[duckKey] = key
	b = msgp.AppendArrayHeader(b, 6)
	b = msgp.AppendString(b, tag)
	b = msgp.AppendString(b, key)
	b = appendTexts(b, attributes)
	b = appendTexts(b, nil)
	b = appendOptional(b, content)
	return appendNodes(b, d, nil)
}

// appendAttributes keeps the key, without which the element would be lost.
func (d *duck) appendAttributes(b []byte, key string, attributes map[string]string) []byte {
	kept := harmless(attributes)
	kept[duckKey] = key
	return appendTexts(b, kept)
}

// harmless returns the attributes that run nothing. The client also sets each as a
// property, of which some take markup.
func harmless(attributes map[string]string) map[string]string {
	kept := make(map[string]string, len(attributes)+1)
	maps.Copy(kept, attributes)
	maps.DeleteFunc(kept, func(name, _ string) bool {
		return isHandler(name) || name == "innerHTML" || name == "outerHTML"
	})
	return kept
}

// isHandler reports whether an attribute has a script.
func isHandler(name string) bool { return len(name) > 1 && strings.EqualFold(name[:2], "on") }

// component keeps that of the page before: the client would have none.
func (d *duck) component(of Page) string {
	if root := d.root.Load(); of.Component == "" && root != nil {
		return *root
	}
	return of.Component
}

func (d *duck) unknown(_ string, reload bool) []byte {
	return msgp.AppendBool(begin(2, opUnknown), reload)
}

// reloads makes an exception for events of the document, which come with each page.
func (d *duck) reloads(e Event) bool { return !e.Document }

// reconnect has the client connect again as if nothing were, a moment later: another
// tab may be about to fetch the cookie that the browser is to have by then.
const reconnect = "setTimeout(() => window.LIVELY_APPLICATION.websocketClient.connect(), 250)"

// fetching is how long a page may take to fetch its cookie: to load it again would
// break that off.
const fetching = time.Second

func (d *duck) fetch(url string) []byte {
	d.fetched.Store(time.Now().UnixNano())
	return encodeFetch(url)
}

func (d *duck) farewell(code websocket.StatusCode) (frame []byte, after time.Duration) {
	switch code {
	case closeEnded:
		return d.unknown("", true), time.Until(time.Unix(0, d.fetched.Load()).Add(fetching))
	case closeReconnect, closeIdle:
		return encodeScript(reconnect, "", 0, ""), 0
	default:
		return nil, 0
	}
}
