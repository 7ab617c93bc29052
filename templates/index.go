package templates

import (
	"github.com/dave/jennifer/jen"

	"github.com/duckgen/duckgen/gen/schema"
)

// index finds and ends sessions by the fields that are indexed.
func (s *session) index(g *jen.Group) {
	for _, f := range s.fields {
		if f.Index {
			f.findBy().write(g, s.sessionsReceiver())
			f.revokeBy().write(g, s.sessionsReceiver())
		}
	}
}

func (f *field) findBy() method {
	m := method{
		name:    schema.FindByX.Of(f.Name),
		params:  f.indexParams(),
		results: []jen.Code{f.qual("iter", "Seq2").Types(f.sessionPointer(), f.goOwn("error"))},
		body: []jen.Code{
			jen.Return(f.runtime("FindBy").Call(f.indexArgs()...)),
		},
	}
	m.doc.say("%s returns an iterator over the live sessions whose %s is %s, each once and the one used last first."+
		" An error comes last, with a nil session.", m.name, f.Name, f.locals.name("v"))
	m.doc.say("A loop over them may read and set fields, call Destroy, and break. Only Save stores what it changes. Save" +
		" returns an error after Renew, a sign-in or a sign-out, because no response can carry the new token, and" +
		" ErrEnded if the session has ended meanwhile.")
	m.doc.quote(f.doc.deprecated)
	return m
}

func (f *field) revokeBy() method {
	except, ids, i, s := f.local("except"), f.local("ids"), f.local("i"), f.local("s")
	m := method{
		name:    schema.RevokeByX.Of(f.Name),
		params:  append(f.indexParams(), f.local("except").Op("...").Add(f.sessionPointer())),
		results: []jen.Code{f.goOwn("int"), f.goOwn("error")},
		body: []jen.Code{
			f.local("ids").Op(":=").Add(f.goOwn("make")).Call(
				jen.Index().Op("*").Add(f.runtime("Session")),
				f.goOwn("len").Call(except),
			),
			jen.For(jen.List(i, s).Op(":=").Range().Add(except)).Block(
				f.local("ids").Index(i).Op("=").Add(f.core()),
			),
			jen.Return(f.runtime("RevokeBy").Call(append(f.indexArgs(), ids.Op("..."))...)),
		},
	}
	m.doc.say("%s ends every live session whose %s is %s, except those given, and returns how many it ended."+
		" It also ends sessions that are signing in at the same time. The default of %s is not indexed: no session"+
		" is found by it.", m.name, f.Name, f.locals.name("v"), f.Name)
	m.doc.quote(f.doc.deprecated)
	return m
}

func (f *field) indexParams() []jen.Code {
	return []jen.Code{f.contextParam(), f.local("v").Add(f.typ(f.Type))}
}

// indexArgs are the arguments that both operations of the runtime begin with.
func (f *field) indexArgs() []jen.Code {
	return []jen.Code{
		f.local("ctx"),
		f.local("m").Dot("manager"),
		jen.Op("&").Id(f.variable),
		f.local("v"),
	}
}
