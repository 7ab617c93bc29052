package read

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/duckgen/duckgen/gen/diag"
)

// vetted are method names whose signatures go vet insists on, whatever type
// they belong to.
var vetted = []string{
	"GobDecode", "GobEncode", "MarshalXML", "ReadByte", "ReadRune", "UnmarshalJSON",
	"UnmarshalXML", "UnreadByte", "UnreadRune", "WriteByte",
}

// checkClashes reports what concerns several fields, several sessions, or
// sessions and hand-written code.
func (r *reader) checkClashes(sessions []*session) {
	for _, s := range sessions {
		r.checkKeys(s)
		r.checkAccessors(s)
		r.checkDeclared(s)
	}
	r.checkMethods(sessions)
	r.checkPairs(sessions)
}

// checkKeys reports keys that are taken, by a key or an earlier key of another
// field, or reserved.
func (r *reader) checkKeys(s *session) {
	type claimed struct {
		by string
		at token.Pos
	}
	taken := map[string]claimed{}
	for _, key := range s.Policy.Reserved {
		taken[key] = claimed{by: "reserved by the directive"}
	}
	claim := func(key string, pos token.Pos, owner string) {
		holder, ok := taken[key]
		if !ok || !wellFormedKey(key) {
			taken[key] = claimed{owner, pos}
			return
		}
		hint := "choose another key"
		if holder.at == pos {
			hint = "declare the fields apart, each with a tag of its own"
		}
		r.report(pos, diag.DuplicateKey, hint, "the key %s is %s", key, holder.by)
	}
	for _, f := range s.fields {
		claim(f.Key, f.key, "the key of "+f.Name)
	}
	for _, f := range s.fields {
		if f.Was != "" {
			claim(f.Was, f.options["was"].value, "an earlier key of "+f.Name)
		}
	}
}

// checkAccessors reports fields whose methods meet those of the session or of
// another field.
func (r *reader) checkAccessors(s *session) {
	holders := map[string]*field{} // of accessors
	general := general(s)
	for _, f := range s.fields {
		accessors := f.Methods()
		clash := slices.IndexFunc(accessors, func(name string) bool { return general[name] != "" || holders[name] != nil })
		if clash < 0 {
			for _, name := range accessors {
				holders[name] = f
			}
			continue
		}
		name := accessors[clash]
		holder := general[name]
		if holder == "" {
			holder = "an accessor of field " + holders[name].Name
		}
		r.report(f.pos, diag.AccessorClash, "rename the Go field and keep the key",
			"field %s would have the accessor %s, which is %s", f.Name, name, holder)
	}
}

// general are the method names that no accessor can have, and what they are.
func general(s *session) map[string]string {
	names := map[string]string{}
	for _, name := range s.Methods() {
		names[name] = "the session's own method"
	}
	for _, name := range vetted {
		names[name] = "a method name with a meaning of its own (go vet checks its signature)"
	}
	return names
}

// checkDeclared reports generated names that the package declares by hand.
func (r *reader) checkDeclared(s *session) {
	for _, name := range s.Names().List() {
		obj := r.pkg.Types.Scope().Lookup(name)
		if obj == nil {
			continue
		}
		r.report(s.pos, diag.NameClash, "rename that, or choose another stem with name= in the directive",
			"%s would be generated, but is declared at %s", name, r.place(obj.Pos()))
	}
	r.checkDotImports(s)
	if from := s.Names().From; isTest(from) && strings.HasSuffix(r.pkg.Position(s.pos).Filename, "_test.go") {
		r.report(s.place("name"), diag.NameClash, "choose another stem with name= in the directive",
			"%s would be generated into a test file, where go test would take it for a test", from)
	}
}

// checkDotImports reports generated names that a file imports with a dot: no
// file of the package may declare them.
func (r *reader) checkDotImports(s *session) {
	for _, f := range r.pkg.Files {
		for _, p := range dotImports(r.pkg, f.Syntax) {
			for _, name := range s.Names().List() {
				if obj := p.Scope().Lookup(name); obj != nil && obj.Exported() {
					r.report(s.pos, diag.NameClash, "import that package without a dot, or choose another stem with name= in the directive",
						"%s would be generated, but %s imports it with a dot from %s", name, filepath.Base(f.Path), p.Path())
				}
			}
		}
	}
}

// isTest reports whether a function of a test file is one that go test runs.
func isTest(function string) bool {
	for _, prefix := range []string{"Test", "Benchmark", "Fuzz", "Example"} {
		if rest, ok := strings.CutPrefix(function, prefix); ok {
			first, _ := utf8.DecodeRuneInString(rest)
			return !unicode.IsLower(first)
		}
	}
	return false
}

// checkMethods reports methods that are written by hand for a generated type,
// and generated as well.
func (r *reader) checkMethods(sessions []*session) {
	owners := map[string]*session{}
	for _, s := range sessions {
		owners[s.Names().Session], owners[s.Names().Sessions] = s, s
	}
	for _, file := range r.pkg.Files {
		for _, decl := range file.Syntax.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil || len(f.Recv.List) == 0 {
				continue
			}
			receiver := receiverName(f.Recv.List[0].Type)
			if s := owners[receiver]; s != nil && slices.Contains(s.methods(receiver), f.Name.Name) {
				r.report(f.Name.Pos(), diag.NameClash, "rename the method, or the Go field that it comes from",
					"the method %s of %s is generated", f.Name.Name, receiver)
			}
		}
	}
}

// methods returns the methods of one of the types that are generated for the
// session.
func (s *session) methods(typeName string) []string {
	if typeName == s.Names().Sessions {
		return s.SessionsMethods()
	}
	methods := s.Methods()
	for _, f := range s.fields {
		methods = append(methods, f.Methods()...)
	}
	return methods
}

func receiverName(expr ast.Expr) string {
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if id, ok := expr.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// checkPairs compares every session with the earlier ones that it may share
// something with.
func (r *reader) checkPairs(sessions []*session) {
	users := map[string][]int{} // of what sessions may not share
	for i, s := range sessions {
		var earlier []int
		for _, mark := range s.marks() {
			earlier = append(earlier, users[mark]...)
			users[mark] = append(users[mark], i)
		}
		slices.Sort(earlier)
		for _, j := range slices.Compact(earlier) {
			r.checkPair(s, sessions[j])
		}
	}
}

// marks are equal where two sessions share something that [reader.checkPair]
// reports.
func (s *session) marks() []string {
	marks := []string{"stem " + strings.ToLower(s.Name), "kind " + s.Kind}
	for _, name := range s.Names().List() {
		marks = append(marks, "name "+name)
	}
	for _, name := range s.cookies() {
		marks = append(marks, "cookie "+name)
	}
	return marks
}

// checkPair reports what two sessions of a package may not share. The later one
// is reported.
func (r *reader) checkPair(s, earlier *session) {
	if clash := sharedName(s, earlier); clash != "" {
		r.report(s.place("name"), diag.SessionClash, "choose another stem with name= in the directive",
			"%s is also generated for %s", clash, earlier.Struct)
	}
	if shared := sharedCookie(s, earlier); shared != "" {
		r.report(s.place("cookie"), diag.SharedCookie, "give them different names with cookie= in the directive",
			"%s and %s share a cookie: %s", s.Struct, earlier.Struct, shared)
	}
	if s.Kind == earlier.Kind {
		r.report(s.place("kind"), diag.SharedKind, "give them different kinds",
			"%s and %s share a kind, so the token of one would open the other", s.Struct, earlier.Struct)
	}
}

// sharedName returns a name that would be generated for both sessions, or "".
// Stems that differ only in case would share unexported names.
func sharedName(a, b *session) string {
	if strings.EqualFold(a.Name, b.Name) {
		return a.Names().Session
	}
	names := b.Names().List()
	for _, name := range a.Names().List() {
		if slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// sharedCookie says which cookie both sessions can have, "" for none.
func sharedCookie(a, b *session) string {
	names := b.cookies()
	for _, name := range a.cookies() {
		switch {
		case !slices.Contains(names, name):
		case a.Policy.Cookie == nil && b.Policy.Cookie == nil:
			return "both have the default name"
		default:
			return name
		}
	}
	return ""
}
