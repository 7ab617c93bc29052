package lively

import (
	"html"
	"regexp"
	"strings"
)

// An attribute has a name and perhaps a value, after which there may be quotes; a
// start tag has a name and attributes. That is how browsers read them.
const attributeSyntax = `([^\s/>=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"'][^\s>]*))?`

var (
	startTag  = regexp.MustCompile(`<([A-Za-z][^\s/>]*)((?:[\s/]|` + attributeSyntax + `)*)>`)
	attribute = regexp.MustCompile(attributeSyntax)
)

// disarm returns the markup so that nothing in it runs in a client that runs the
// scripts of what it inserts, except those with data-init.
func disarm(markup string) string {
	return startTag.ReplaceAllStringFunc(markup, func(tag string) string {
		parts := startTag.FindStringSubmatch(tag)
		name, attributes := parts[1], attribute.ReplaceAllStringFunc(parts[2], func(a string) string {
			if isHandler(a) {
				return ""
			}
			return a
		})
		if strings.EqualFold(name, "script") {
			name += ` data-init="true"`
		}
		return "<" + name + attributes + ">"
	})
}

// outerElement takes the markup of one element apart. Markup that is none is what a
// span has.
func outerElement(markup string) (tag string, attributes map[string]string, content string) {
	at := startTag.FindStringSubmatchIndex(markup)
	if at == nil {
		return "span", nil, markup
	}
	attributes = map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(markup[at[4]:at[5]], -1) {
		attributes[strings.ToLower(a[1])] = html.UnescapeString(unquoted(a[2]))
	}
	content = markup[at[1]:]
	if end := strings.LastIndex(content, "</"); end >= 0 {
		content = content[:end]
	}
	return markup[at[2]:at[3]], attributes, content
}

func unquoted(value string) string {
	if strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'") {
		return value[1 : len(value)-1]
	}
	return value
}
