package read

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/load"
	"github.com/duckgen/duckgen/gen/schema"
)

// A refusal says why a type cannot be stored, and which part of the field it
// is: "Cart[].Owner.Lock".
type refusal struct {
	code    diag.Code
	path    string
	message string
	hint    string
	part    *types.Var // the struct member of that type; nil: the field itself
	at      token.Pos  // what is to be changed; none: the field's type
}

// A resolver turns Go types into the schema's. One serves a whole package.
type resolver struct {
	home  *types.Package
	files []*ast.File
	// sessions are the annotated structs of the package.
	sessions map[*types.TypeName]bool
	known    typeutil.Map                // named types that resolved, *schema.Type
	met      map[*types.TypeName]bool    // named types that fields lead to
	tags     map[token.Pos]*ast.BasicLit // of the struct types in files; nil: not needed yet
	extents  map[types.Type]extent       // of what was measured
	unlocked map[types.Type]bool         // structs that were searched and have no lock

	generators map[string]string // that give types methods, by the names of these; nil: not needed yet
}

func newResolver(pkg *load.Package) *resolver {
	r := &resolver{
		home:     pkg.Types,
		sessions: map[*types.TypeName]bool{},
		met:      map[*types.TypeName]bool{},
		extents:  map[types.Type]extent{},
		unlocked: map[types.Type]bool{},
	}
	for _, f := range pkg.Files {
		r.files = append(r.files, f.Syntax)
		for _, spec := range typeSpecs(f.Syntax) {
			if name, ok := pkg.Info.Defs[spec.Name].(*types.TypeName); ok && spec.isSession() {
				r.sessions[name] = true
			}
		}
	}
	return r
}

// A walk goes through the type of one field.
type walk struct {
	*resolver
	open     []*types.Named // the named types that the walk is inside of
	refused  typeutil.Map   // named types that were refused already
	part     *types.Var
	refusals []refusal
}

// resolve returns the type of a field, or why it cannot be stored.
func (r *resolver) resolve(t types.Type, path string) (*schema.Type, []refusal) {
	w := &walk{resolver: r}
	result := w.typ(t, path)
	if len(w.refusals) > 0 {
		return nil, w.refusals
	}
	return result, nil
}

// refuse notes why a type cannot be stored. A member of a struct of this package
// can be left out instead.
func (w *walk) refuse(code diag.Code, path, hint, format string, args ...any) *schema.Type {
	if w.part != nil && w.part.Pkg() == w.home && hint != "" {
		hint += ", or leave it out with `session:\"-\"`"
	}
	w.refusals = append(w.refusals, refusal{
		code: code, path: path, message: fmt.Sprintf(format, args...), hint: hint, part: w.part,
	})
	return nil
}

// typ resolves a type and keeps the name by which the user calls it. The result
// is nil where something of it was refused.
func (w *walk) typ(t types.Type, path string) *schema.Type {
	actual := types.Unalias(t)
	named, isNamed := actual.(*types.Named)
	if !isNamed {
		return w.rename(w.unnamed(actual, path), t)
	}
	if known, ok := w.known.At(named).(*schema.Type); ok {
		return w.rename(known, t)
	}
	if w.refused.At(named) != nil {
		return nil
	}
	if i := slices.IndexFunc(w.open, func(o *types.Named) bool { return types.Identical(o, named) }); i >= 0 {
		return w.refuse(diag.RecursiveType, path, "store what identifies it instead, such as a key",
			"%s contains itself", w.text(named))
	}
	w.met[named.Obj()] = true
	w.open = append(w.open, named)
	result := w.named(named, path)
	w.open = w.open[:len(w.open)-1]
	if result == nil {
		w.refused.Set(named, true)
		return nil
	}
	w.known.Set(named, result)
	return w.rename(result, t)
}

// rename gives a resolved type the name that stands in the source.
func (w *walk) rename(resolved *schema.Type, t types.Type) *schema.Type {
	if resolved == nil {
		return nil
	}
	name := w.name(t)
	if name == nil {
		return resolved
	}
	renamed := *resolved
	renamed.Name = name
	return &renamed
}

func (w *walk) named(t *types.Named, path string) *schema.Type {
	if _, ok := t.Underlying().(*types.Interface); !ok && !w.nameable(t.Obj()) {
		return w.refuse(diag.InaccessibleType, path, "use an exported type of a package that can be imported",
			"%s cannot be named in package %s", w.text(t), w.home.Name())
	}
	if err := misinstantiated(t); err != nil {
		return w.refuse(diag.MissingType, path, "", "%v", err)
	}
	switch {
	case isTime(t):
		return &schema.Type{Form: schema.Time}
	case marshalsItself(t, "Binary"):
		return &schema.Type{Form: schema.BinaryMarshaler}
	case marshalsItself(t, "Text"):
		return &schema.Type{Form: schema.TextMarshaler}
	}
	if generator := w.pending(t); generator != "" {
		return w.refuse(diag.PendingMethods, path, "run it first, in a go:generate line above that of duckgen or in a file that comes before",
			"%s is to make %s marshal itself, and has not yet: the order of generators would decide how it is stored", generator, w.text(t))
	}
	if types.Identical(t.Underlying(), timeUnderlying(t)) {
		return &schema.Type{Form: schema.Time}
	}
	return w.form(t, path)
}

// misinstantiated returns why a type has arguments that its constraints do not
// allow. The type checker makes one of them all the same.
func misinstantiated(t *types.Named) error {
	if t.TypeArgs().Len() == 0 {
		return nil
	}
	args := slices.Collect(t.TypeArgs().Types())
	_, err := types.Instantiate(nil, t.Origin(), args, true)
	return err
}

func (w *walk) unnamed(t types.Type, path string) *schema.Type {
	if s, ok := t.(*types.Struct); ok && !spellable(s) {
		return w.refuse(diag.UnnamedStruct, path, "declare a type for it",
			"a struct without a name can have only exported, untagged fields")
	}
	return w.form(t, path)
}

// spellable reports whether a struct type can be written out again from its
// exported members alone.
func spellable(s *types.Struct) bool {
	for i := range s.NumFields() {
		if f := s.Field(i); !f.Exported() || f.Embedded() || s.Tag(i) != "" {
			return false
		}
	}
	return true
}

// form resolves a type by what it is made of.
func (w *walk) form(t types.Type, path string) *schema.Type {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return w.basic(u, path)
	case *types.Pointer:
		return w.pointer(u, path)
	case *types.Slice:
		if types.Unalias(u.Elem()) == types.Typ[types.Byte] || types.Unalias(u.Elem()) == types.Universe.Lookup("byte").Type() {
			return &schema.Type{Form: schema.Bytes}
		}
		return w.container(schema.Type{Form: schema.Slice}, u.Elem(), path)
	case *types.Array:
		return w.container(schema.Type{Form: schema.Array, Len: u.Len()}, u.Elem(), path)
	case *types.Map:
		return w.mapping(u, path)
	case *types.Struct:
		return w.structure(u, path)
	case *types.Chan:
		return w.unsupported(t, path, "a channel")
	case *types.Signature:
		return w.unsupported(t, path, "a function")
	case *types.Interface:
		return w.refuse(diag.UnsupportedType, path, "use a concrete type",
			"%s cannot be stored: it is an interface, and a stored value does not say what it was", w.text(t))
	default:
		return w.unsupported(t, path, "not a kind of value that lasts")
	}
}

func (w *walk) unsupported(t types.Type, path, what string) *schema.Type {
	hint := "store what it can be made from again, or leave the field out with `session:\"-\"`"
	switch {
	case w.part == nil:
	case w.part.Pkg() == w.home:
		hint = "give the type that holds it methods MarshalBinary and UnmarshalBinary"
	default:
		hint = "use a type of your own without it"
	}
	return w.refuse(diag.UnsupportedType, path, hint, "%s cannot be stored: it is %s", w.text(t), what)
}

func (w *walk) basic(b *types.Basic, path string) *schema.Type {
	switch b.Kind() {
	case types.Invalid:
		return w.refuse(diag.MissingType, path, "", "the type cannot be resolved")
	case types.UnsafePointer:
		return w.unsupported(b, path, "an address in this process")
	}
	return &schema.Type{Form: schema.Basic, Basic: types.Typ[b.Kind()].Name()}
}

func (w *walk) pointer(p *types.Pointer, path string) *schema.Type {
	if _, ok := p.Elem().Underlying().(*types.Pointer); ok {
		return w.refuse(diag.PointerToPointer, path, "use one pointer: nil is absent",
			"a pointer to a pointer can be nil in two ways")
	}
	return w.container(schema.Type{Form: schema.Pointer}, p.Elem(), path)
}

func (w *walk) container(t schema.Type, elem types.Type, path string) *schema.Type {
	if t.Form != schema.Pointer {
		path += "[]"
	}
	t.Elem = w.typ(elem, path)
	if t.Elem == nil {
		return nil
	}
	return &t
}

func (w *walk) mapping(m *types.Map, path string) *schema.Type {
	key := w.key(m.Key(), path)
	t := w.container(schema.Type{Form: schema.MapOf, Key: key}, m.Elem(), path)
	if key == nil {
		return nil
	}
	return t
}

// key resolves the key of a map: strings and integers, whatever methods their
// types have.
func (w *walk) key(t types.Type, path string) *schema.Type {
	b, ok := t.Underlying().(*types.Basic)
	switch {
	case ok && b.Kind() == types.Invalid:
		return w.refuse(diag.MissingType, path, "", "the type of the map's keys cannot be resolved")
	case !ok || b.Info()&(types.IsString|types.IsInteger) == 0:
		return w.refuse(diag.MapKey, path, "use a string or an integer as key",
			"a map with keys of type %s cannot be stored", w.text(t))
	}
	if named, ok := types.Unalias(t).(*types.Named); ok && !w.nameable(named.Obj()) {
		return w.refuse(diag.InaccessibleType, path, "use an exported type of a package that can be imported",
			"%s cannot be named in package %s", w.text(t), w.home.Name())
	}
	return w.rename(&schema.Type{Form: schema.Basic, Basic: types.Typ[b.Kind()].Name()}, t)
}

// text writes a type for a message.
func (w *walk) text(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == w.home {
			return ""
		}
		return p.Name()
	})
}

// nameable reports whether generated code may name the object: it is of the
// same package, or exported by one that may be imported.
func (r *resolver) nameable(obj *types.TypeName) bool {
	pkg := obj.Pkg()
	if pkg == nil || pkg == r.home {
		return true
	}
	return obj.Exported() && obj.Parent() == pkg.Scope() && importable(pkg.Path(), r.home.Path())
}

// importable applies the go command's rule for internal packages.
func importable(path, from string) bool {
	if strings.HasPrefix(path, "vendor/") {
		return false
	}
	i := strings.LastIndex("/"+path+"/", "/internal/")
	if i < 0 {
		return true
	}
	if i == 0 {
		return false
	}
	parent := path[:i-1]
	return from == parent || strings.HasPrefix(from, parent+"/") || strings.TrimSuffix(from, "_test") == parent
}

// leadTo reports whether the field of a session leads to the named type.
func (r *resolver) leadTo(obj types.Object) bool {
	name, ok := obj.(*types.TypeName)
	return ok && r.met[name]
}
