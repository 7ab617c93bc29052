package layout

import (
	"bytes"
	"go/token"
	"unicode/utf8"
)

// A printer reads one declaration and writes it as gofmt does, until it is lost:
// it has met something that it does not know.
type printer struct {
	scanner
	out    []byte
	indent int
	lost   bool
}

// must gets lost unless a condition holds. What is scanned then is the end.
func (p *printer) must(ok bool) {
	if !ok {
		p.lost = true
		p.at, p.kind, p.text = len(p.source), end, nil
	}
}

func (p *printer) put(text string) { p.out = append(p.out, text...) }

// take writes the token, which has to be of this kind, and goes on.
func (p *printer) take(k kind) {
	p.must(p.kind == k)
	p.out = append(p.out, p.text...)
	p.next()
}

// pass goes on from a token of this kind.
func (p *printer) pass(k kind) {
	p.must(p.kind == k)
	p.next()
}

// name writes an identifier.
func (p *printer) name() {
	p.must(p.kind == word && !token.IsKeyword(string(p.text)))
	p.take(word)
}

func (p *printer) is(keyword string) bool { return p.kind == word && string(p.text) == keyword }

// takeIf writes the token if it is of this kind.
func (p *printer) takeIf(k kind) bool {
	if p.kind != k {
		return false
	}
	p.take(k)
	return true
}

func (p *printer) newLine() {
	p.out = append(p.out, '\n')
	for range p.indent {
		p.out = append(p.out, '\t')
	}
}

// lines writes what stands between brackets on lines of its own, item by item.
func (p *printer) lines(closing kind, item func()) {
	empty := true
	p.indent++
	p.must(p.kind == newline)
	for p.next(); p.kind != closing && !p.lost; p.pass(newline) {
		p.newLine()
		item()
		empty = false
	}
	p.must(!empty)
	p.indent--
	p.newLine()
	p.take(closing)
}

// declaration writes a declaration with its comment.
func (p *printer) declaration() {
	p.comment()
	p.next()
	switch {
	case p.is("func"):
		p.function()
	case p.is("var"):
		p.variables()
	case p.is("type"):
		p.typeDecl()
	default:
		p.must(false)
	}
	p.must(p.kind == end)
	p.out = append(p.out, '\n')
}

// function writes the declaration of a function or method.
func (p *printer) function() {
	p.take(word)
	p.put(" ")
	if p.kind == '(' {
		p.params()
		p.put(" ")
	}
	p.name()
	p.params()
	p.results()
	p.put(" ")
	p.block()
}

// params writes a parameter list in which every type has a name.
func (p *printer) params() {
	p.take('(')
	if p.kind != ')' {
		p.list(func() {
			p.name()
			p.put(" ")
			p.takeIf(dots)
			p.typ()
		})
	}
	p.take(')')
}

// results writes a result list, in which types may have names.
func (p *printer) results() {
	switch p.kind {
	case '{':
	case '(':
		p.put(" ")
		p.take('(')
		several := false // or one with a name
		p.list(func() {
			p.typ()
			several = several || p.kind != ')'
			if p.kind != ',' && p.kind != ')' {
				p.put(" ")
				p.typ()
			}
		})
		p.must(several)
		p.take(')')
	default:
		p.put(" ")
		p.typ()
	}
}

// list writes items on one line.
func (p *printer) list(item func()) {
	for item(); p.kind == ',' && !p.lost; item() {
		p.take(',')
		p.put(" ")
	}
}

// types writes types up to a bracket.
func (p *printer) types(closing kind) {
	p.list(p.typ)
	p.take(closing)
}

// typ writes a type.
func (p *printer) typ() {
	switch {
	case p.takeIf('*'):
		p.typ()
	case p.takeIf('['):
		p.takeIf(number)
		p.take(']')
		p.typ()
	case p.is("map"):
		p.take(word)
		p.take('[')
		p.typ()
		p.take(']')
		p.typ()
	case p.is("func"):
		p.take(word)
		p.take('(')
		if p.kind != ')' {
			p.types(')')
		} else {
			p.take(')')
		}
		if p.kind == word || p.kind == '*' || p.kind == '[' {
			p.put(" ")
			p.typ()
		}
	default:
		p.qualified()
		if p.takeIf('[') {
			p.types(']')
		}
	}
}

// qualified writes a name, with its package where it has one.
func (p *printer) qualified() {
	p.name()
	if p.takeIf('.') {
		p.name()
	}
}

// block writes statements, each on a line of its own.
func (p *printer) block() {
	p.take('{')
	p.must(p.kind == newline)
	p.lines('}', p.statement)
}

// statement writes a statement.
func (p *printer) statement() {
	switch {
	case p.is("return"):
		p.take(word)
		p.put(" ")
		p.list(p.expression)
	case p.is("if"):
		p.take(word)
		p.put(" ")
		p.comparison()
		p.put(" ")
		p.block()
	case p.is("for"):
		p.take(word)
		p.put(" ")
		p.assignment()
		p.put(" ")
		p.block()
	default:
		p.assignment()
	}
}

// comparison writes one for inequality.
func (p *printer) comparison() {
	p.expression()
	p.put(" ")
	p.take('!')
	p.take('=')
	p.put(" ")
	p.name()
}

// assignment writes an assignment, or expressions that are assigned to nothing.
func (p *printer) assignment() {
	p.list(p.expression)
	if p.kind != ':' && p.kind != '=' {
		return
	}
	p.put(" ")
	p.takeIf(':')
	p.take('=')
	p.put(" ")
	if p.is("range") {
		p.take(word)
		p.put(" ")
		p.name()
		return
	}
	p.expression()
	if p.kind == '*' {
		p.put(" ")
		p.take('*')
		p.put(" ")
		p.qualified()
	}
}

// expression writes an operand with the calls, selectors and elements behind it.
func (p *printer) expression() {
	p.takeIf('&')
	switch {
	case p.kind == number, p.kind == quoted:
		p.take(p.kind)
		return
	case p.is("func"):
		p.literalFunction()
		return
	case p.kind == '[':
		p.typ()
		return
	}
	p.name()
	for !p.lost {
		switch p.kind {
		case '.':
			p.take('.')
			p.name()
		case '(':
			p.arguments()
		case '[': // of a generic type or function
			p.take('[')
			p.types(']')
		case '{':
			p.composite()
		default:
			return
		}
	}
}

// literalFunction writes a function whose body has lines of its own.
func (p *printer) literalFunction() {
	p.take(word)
	p.params()
	p.results()
	p.put(" ")
	p.block()
}

// arguments writes what a call has in parentheses: on one line, or each on its
// own.
func (p *printer) arguments() {
	p.take('(')
	switch p.kind {
	case ')':
		p.take(')')
	case newline:
		p.lines(')', func() { p.expression(); p.take(',') })
	default:
		p.list(p.expression)
		p.takeIf(dots)
		p.take(')')
	}
}

// composite writes the values of a literal: on one line, or each with its key
// on a line of its own.
func (p *printer) composite() {
	p.take('{')
	switch p.kind {
	case '}':
		p.take('}')
	case newline:
		p.properties()
	default:
		p.list(p.value)
		p.take('}')
	}
}

// value writes an expression, behind its key where it has one.
func (p *printer) value() {
	p.expression()
	if p.takeIf(':') {
		p.put(" ")
		p.expression()
	}
}

// alignable is how long a key may be so that its length does not matter.
const alignable = 40

// properties writes keys and values, line by line. The values of neighbours are
// aligned, unless one takes several lines.
func (p *printer) properties() {
	var c column
	p.lines('}', func() {
		start := len(p.out)
		p.name()
		p.must(p.width(start) <= alignable)
		p.take(':')
		c.cell(p, start)
		value := len(p.out)
		p.expression()
		p.take(',')
		if bytes.IndexByte(p.out[value:], '\n') >= 0 {
			c.alone()
		}
	})
	c.align(p)
}

// width is how many characters have been written since.
func (p *printer) width(start int) int { return utf8.RuneCount(p.out[start:]) }

// variables writes the declaration of one variable, or of several in
// parentheses, each over several lines.
func (p *printer) variables() {
	p.take(word)
	p.put(" ")
	if p.takeIf('(') {
		p.lines(')', func() {
			start := len(p.out)
			p.variable()
			p.must(bytes.IndexByte(p.out[start:], '\n') >= 0)
		})
		return
	}
	p.variable()
}

func (p *printer) variable() {
	p.name()
	p.put(" ")
	p.take('=')
	p.put(" ")
	if p.is("struct") {
		p.structType()
		p.arguments()
		return
	}
	p.expression()
}

// typeDecl writes the declaration of a struct type.
func (p *printer) typeDecl() {
	p.take(word)
	p.put(" ")
	p.name()
	p.put(" ")
	p.structType()
}

// structType writes a struct type whose fields have names, and types of one
// line.
func (p *printer) structType() {
	p.must(p.is("struct"))
	p.take(word)
	p.put(" ")
	p.take('{')
	p.must(p.kind == newline)
	var c column
	p.lines('}', func() {
		start := len(p.out)
		p.name()
		c.cell(p, start)
		p.must(p.kind != newline) // embedded
		p.typ()
	})
	c.align(p)
}
