package load

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/gen/verify"
)

// whole are the types of the standard library that are described as they are,
// as far as reading a session looks.
var whole = []string{
	"encoding/json.Number", "encoding/json.RawMessage",
	"math/big.Float", "math/big.Int", "math/big.Rat",
	"net/netip.Addr", "net/netip.AddrPort", "net/netip.Prefix",
	"net/netip.uint128", "net/url.URL", "net/url.Userinfo",
	"time.Duration", "time.Location", "time.Month", "time.Time", "time.Weekday",
}

// known reports whether everything that the annotated types of a package lead to
// is known.
func known(p *Package) bool {
	v := visitor{home: p.Types, seen: map[types.Type]bool{}}
	for _, f := range p.Files {
		for _, decl := range f.Syntax.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				t, ok := spec.(*ast.TypeSpec)
				if !ok || !mentionsTool(d.Doc) && !mentionsTool(t.Doc) {
					continue
				}
				v.left = maxVisits
				if obj := p.Info.Defs[t.Name]; obj == nil || !v.known(obj.Type()) {
					return false
				}
			}
		}
	}
	return true
}

func mentionsTool(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.Contains(c.Text, tool) })
}

// A visitor walks over types. Those that generic types lead to may be without
// end; so many are refused when they are read.
type visitor struct {
	home  *types.Package
	seen  map[types.Type]bool
	left  int
	depth int
}

const maxVisits = 10_000 // for one session

func (v *visitor) known(t types.Type) bool {
	if v.seen[t] || v.left == 0 || v.depth > maxNested {
		return true
	}
	v.seen[t] = true
	v.left--
	v.depth++
	defer func() { v.depth-- }()
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() != types.Invalid
	case *types.Alias:
		return v.all(t.TypeArgs()) && v.known(types.Unalias(t))
	case *types.Named:
		return v.named(t)
	case *types.Pointer:
		return v.known(t.Elem())
	case *types.Slice:
		return v.known(t.Elem())
	case *types.Array:
		return t.Len() >= 0 && v.known(t.Elem())
	case *types.Map:
		return v.known(t.Key()) && v.known(t.Elem())
	case *types.Chan:
		return v.known(t.Elem())
	case *types.Struct:
		for f := range t.Fields() {
			if !v.known(f.Type()) {
				return false
			}
		}
		return true
	case *types.Signature:
		return v.tuple(t.Params()) && v.tuple(t.Results())
	case *types.Interface:
		return v.methods(t)
	default:
		return true // type parameters and their unions
	}
}

func (v *visitor) named(t *types.Named) bool {
	pkg := t.Obj().Pkg()
	if pkg == nil || !v.all(t.TypeArgs()) {
		return pkg == nil
	}
	if pkg != v.home && verify.Describes(pkg.Path()) {
		return slices.Contains(whole, pkg.Path()+"."+t.Obj().Name())
	}
	for m := range t.Methods() {
		if !v.known(m.Type()) {
			return false
		}
	}
	return v.known(t.Underlying())
}

func (v *visitor) all(list *types.TypeList) bool {
	for t := range list.Types() {
		if !v.known(t) {
			return false
		}
	}
	return true
}

func (v *visitor) tuple(list *types.Tuple) bool {
	for p := range list.Variables() {
		if !v.known(p.Type()) {
			return false
		}
	}
	return true
}

func (v *visitor) methods(t *types.Interface) bool {
	for m := range t.Methods() {
		if !v.known(m.Type()) {
			return false
		}
	}
	return true
}
