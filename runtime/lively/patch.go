package lively

import (
	"html/template"
	"maps"
	"slices"

	"github.com/tinylib/msgp/msgp"
)

// A Patch changes one element of a page. The element is found by its key, the
// value of data-live-key; a patch of a key that the page does not have does
// nothing. The functions of this file make patches.
type Patch struct {
	code    int
	key     string
	payload func([]byte, dialect) []byte // appends it; nil: there is none
}

// A Node is an element to be made.
type Node struct {
	Tag        string
	Key        string // empty: none
	Attributes map[string]string
	Style      map[string]string // by property, "font-size"
	Text       string            // its text, before the children
	Children   []Node
}

// Replace puts a new element in the place of an old one.
func Replace(key string, n Node) Patch {
	return Patch{0, key, func(b []byte, d dialect) []byte { return d.appendNode(b, &n) }}
}

// ReplaceHTML puts markup, one element, in the place of an old one. Scripts in it
// do not run.
func ReplaceHTML(key string, markup template.HTML) Patch {
	return Patch{0, key, func(b []byte, d dialect) []byte { return d.appendElement(b, key, markup) }}
}

// Remove removes an element.
func Remove(key string) Patch { return Patch{code: 1, key: key} }

// Insert makes an element the child of another one, before the child element of
// that index, at the end where there are not so many.
func Insert(key string, index int, n Node) Patch {
	return Patch{2, key, func(b []byte, d dialect) []byte {
		return d.appendNode(msgp.AppendInt(msgp.AppendArrayHeader(b, 2), index), &n)
	}}
}

// Text replaces everything in an element by text, which is no markup.
func Text(key, text string) Patch {
	return Patch{3, key, func(b []byte, d dialect) []byte { return d.appendText(b, text) }}
}

// HTML replaces everything in an element by markup. Scripts in it do not run.
func HTML(key string, markup template.HTML) Patch {
	return Patch{3, key, func(b []byte, d dialect) []byte { return d.appendMarkup(b, markup) }}
}

// Attributes replaces the attributes of an element, but for style and those that
// the page needs to find it.
func Attributes(key string, attributes map[string]string) Patch {
	return Patch{4, key, func(b []byte, d dialect) []byte { return d.appendAttributes(b, key, attributes) }}
}

// Style replaces the inline style of an element.
func Style(key string, style map[string]string) Patch {
	return Patch{5, key, func(b []byte, _ dialect) []byte { return appendTexts(b, style) }}
}

func appendNodes(b []byte, d dialect, nodes []Node) []byte {
	b = msgp.AppendArrayHeader(b, uint32(len(nodes)))
	for i := range nodes {
		b = d.appendNode(b, &nodes[i])
	}
	return b
}

func appendTexts(b []byte, m map[string]string) []byte {
	b = msgp.AppendMapHeader(b, uint32(len(m)))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		b = msgp.AppendString(msgp.AppendString(b, key), m[key])
	}
	return b
}

func appendPatches(b []byte, d dialect, list []Patch) []byte {
	b = msgp.AppendArrayHeader(b, uint32(len(list)))
	for _, p := range list {
		size := uint32(2)
		if p.payload != nil {
			size = 3
		}
		b = msgp.AppendString(msgp.AppendInt(msgp.AppendArrayHeader(b, size), p.code), p.key)
		if p.payload != nil {
			b = p.payload(b, d)
		}
	}
	return b
}
