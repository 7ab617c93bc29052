package read

import (
	"strings"

	"github.com/duckgen/duckgen/gen/diag"
)

// tagKey is the key of struct tags that are read.
const tagKey = "session"

// A problem is a finding whose place is an offset in the text that was read.
type problem struct {
	at      int
	code    diag.Code
	message string
	hint    string
}

// A tag is what stands in session:"…".
type tag struct {
	omit    bool // session:"-"
	key     located
	options []option
}

// An option is one name or name=value, in a tag or in the directive.
type option struct {
	name     located
	value    located
	hasValue bool
}

// structTag finds the session tag in the literal of a struct tag. It reads the
// whole of it as reflect.StructTag does, but tells where that would give up.
// The other keys are returned for the sake of misspelt ones.
func structTag(literal string) (value located, found bool, others []string, err *problem) {
	text, ok := locate(literal, 0).unquote()
	if !ok {
		return located{}, false, nil, malformed(0, "the struct tag is not a string")
	}
	for {
		for text.text != "" && text.text[0] == ' ' {
			text = text.slice(1, len(text.text))
		}
		if text.text == "" {
			return value, found, others, nil
		}
		key, quoted, rest, err := tagPair(text)
		if err != nil {
			return value, found, others, err
		}
		unquoted, ok := quoted.unquote()
		switch {
		case !ok:
			return value, found, others, malformed(quoted.place(), "the value of "+key.text+" in the struct tag is not a string")
		case key.text != tagKey:
			others = append(others, key.text)
		case found:
			return value, found, others, malformed(key.place(), "the struct tag has session: twice")
		default:
			value, found = unquoted, true
		}
		text = rest
	}
}

// tagPair splits off the first key:"value" of a struct tag.
func tagPair(text located) (key, quoted, rest located, err *problem) {
	i := strings.IndexFunc(text.text, func(r rune) bool { return r <= ' ' || r == ':' || r == '"' || r == 0x7f })
	if i <= 0 || !strings.HasPrefix(text.text[i:], `:"`) {
		return key, quoted, rest, malformed(text.place(), `the struct tag is not a list of key:"value"`)
	}
	key = text.slice(0, i)
	for j := i + 2; j < len(text.text); j++ {
		switch text.text[j] {
		case '\\':
			j++
		case '"':
			return key, text.slice(i+1, j+1), text.slice(j+1, len(text.text)), nil
		}
	}
	return key, quoted, rest, malformed(text.at[i+1], "the value of "+key.text+" in the struct tag is not closed")
}

func malformed(at int, message string) *problem {
	return &problem{at, diag.MalformedTag, message, `write the tag as ` + "`session:\"key,option,option=value\"`"}
}

// parseTag reads key,option,option=value. A value that begins with a single
// quote extends to the closing one, so that it may hold commas; a quote inside
// it is doubled.
func parseTag(value located) (tag, []problem) {
	if value.text == "-" {
		return tag{omit: true}, nil
	}
	var t tag
	var problems []problem
	key, rest, more := value.cut(",")
	t.key = key
	for more {
		var o option
		var p *problem
		o, rest, more, p = nextOption(rest)
		if p != nil {
			problems = append(problems, *p)
			continue
		}
		t.options = append(t.options, o)
	}
	return t, problems
}

// nextOption reads up to the next comma outside quotes.
func nextOption(text located) (o option, rest located, more bool, p *problem) {
	end := strings.IndexAny(text.text, ",=")
	if end < 0 || text.text[end] == ',' {
		o.name, rest, more = text.cut(",")
		if o.name.text == "" {
			p = &problem{text.place(), diag.MalformedTag, "an option is empty", "remove the comma"}
		}
		return o, rest, more, p
	}
	o.name, o.hasValue = text.slice(0, end), true
	text = text.slice(end+1, len(text.text))
	if !strings.HasPrefix(text.text, "'") {
		o.value, rest, more = text.cut(",")
		return o, rest, more, nil
	}
	o.value, rest, p = quotedValue(text)
	if p != nil {
		return o, rest, false, p
	}
	switch {
	case rest.text == "":
		return o, rest, false, nil
	case rest.text[0] == ',':
		return o, rest.slice(1, len(rest.text)), true, nil
	default:
		p = &problem{rest.place(), diag.MalformedTag, "text follows the closing quote", "double a quote that belongs to the value: ''"}
		return o, rest, false, p
	}
}

// quotedValue reads 'text', where a doubled quote stands for one.
func quotedValue(text located) (value, rest located, p *problem) {
	for i := 1; i < len(text.text); i++ {
		if text.text[i] != '\'' {
			value.text += text.text[i : i+1]
			value.at = append(value.at, text.at[i])
			continue
		}
		if i+1 == len(text.text) || text.text[i+1] != '\'' {
			value.at = append(value.at, text.at[i])
			return value, text.slice(i+1, len(text.text)), nil
		}
		value.text += "'"
		value.at = append(value.at, text.at[i])
		i++
	}
	return value, rest, &problem{text.place(), diag.MalformedTag, "the quoted value is not closed", "end it with a single quote"}
}
