package templates

import "github.com/dave/jennifer/jen"

// callLines is an argument list with a line for each argument.
func callLines(args ...jen.Code) jen.Code {
	return jen.Custom(jen.Options{Open: "(", Close: ")", Separator: ",", Multi: true}, args...)
}

// valueLines is the body of a composite literal with a line for each value.
func valueLines(values ...jen.Code) jen.Code {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, values...)
}

// property is one key and value of a composite literal.
func property(name string, value jen.Code) jen.Code {
	return jen.Id(name).Op(":").Add(value)
}

// A method is one method of a generated type.
type method struct {
	doc     doc
	name    string
	params  []jen.Code
	results []jen.Code
	body    []jen.Code
}

// write adds the method to the type of the receiver.
func (m method) write(g *jen.Group, receiver jen.Code) {
	m.doc.write(g)
	g.Func().Params(receiver).Id(m.name).Params(m.params...).Add(results(m.results)).Block(m.body...)
	g.Line()
}

// results is the result list of a function, in parentheses if there are
// several.
func results(types []jen.Code) jen.Code {
	if len(types) > 1 {
		return jen.Params(types...)
	}
	return jen.Add(types...)
}

// oneLine is a function that returns an expression. It stays on one line, so
// that a list of such functions reads as a list.
func oneLine(param, result, expr jen.Code) jen.Code {
	return jen.Func().Params(param).Add(result).Op("{").Return(expr).Op("}")
}
