package read

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/gen/schema"
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
	for i, s := range sessions {
		for _, earlier := range sessions[:i] {
			r.checkPair(s, earlier)
		}
	}
}

// checkKeys reports keys that are taken, by a key or an earlier key of another
// field, or reserved.
func (r *reader) checkKeys(s *session) {
	taken := map[string]string{}
	for _, key := range s.Policy.Reserved {
		taken[key] = "reserved by the directive"
	}
	claim := func(key string, pos token.Pos, owner string) {
		if holder, ok := taken[key]; ok && wellFormedKey(key) {
			r.report(pos, diag.DuplicateKey, "choose another key", "the key %s is %s", key, holder)
			return
		}
		taken[key] = owner
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
	taken := map[string]string{}
	for _, name := range schema.SessionMethods {
		taken[name] = "the session's own method"
	}
	for _, name := range vetted {
		taken[name] = "a method name with a meaning of its own (go vet checks its signature)"
	}
	for _, f := range s.fields {
		clashing := ""
		for _, name := range f.Accessors() {
			if holder, ok := taken[name]; ok && clashing == "" {
				clashing = name
				r.report(f.pos, diag.AccessorClash, "rename the Go field and keep the key",
					"field %s would have the accessor %s, which is %s", f.Name, name, holder)
			}
		}
		if clashing != "" {
			continue
		}
		for _, name := range f.Accessors() {
			taken[name] = "an accessor of field " + f.Name
		}
	}
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
	if from := s.Names().From; isTest(from) && strings.HasSuffix(r.pkg.Position(s.pos).Filename, "_test.go") {
		r.report(s.place("name"), diag.NameClash, "choose another stem with name= in the directive",
			"%s would be generated into a test file, where go test takes it for one of its functions", from)
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
	generated := map[string]map[string]bool{}
	for _, s := range sessions {
		methods := map[string]bool{}
		for _, f := range s.fields {
			add(methods, f.Accessors())
		}
		add(methods, schema.SessionMethods)
		generated[s.Names().Session] = methods
		generated[s.Names().Sessions] = map[string]bool{}
		add(generated[s.Names().Sessions], s.SessionsMethods())
	}
	for _, file := range r.pkg.Files {
		for _, decl := range file.Syntax.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil || len(f.Recv.List) == 0 {
				continue
			}
			if receiver := receiverName(f.Recv.List[0].Type); generated[receiver][f.Name.Name] {
				r.report(f.Name.Pos(), diag.NameClash, "rename the method, or the Go field that it comes from",
					"the method %s of %s is generated", f.Name.Name, receiver)
			}
		}
	}
}

func add(set map[string]bool, names []string) {
	for _, name := range names {
		set[name] = true
	}
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

// checkPair reports what two sessions of a package may not share. The later one
// is reported.
func (r *reader) checkPair(s, earlier *session) {
	if clash := sharedName(s, earlier); clash != "" {
		r.report(s.place("name"), diag.SessionClash, "choose another stem with name= in the directive",
			"%s is generated for %s, too", clash, earlier.Struct)
	}
	if s.hasCookie() && earlier.hasCookie() && shareCookie(s.Policy, earlier.Policy) {
		r.report(s.place("cookie"), diag.SharedCookie, "give them different names with cookie= in the directive",
			"%s and %s share a cookie: %s", s.Struct, earlier.Struct, cookieText(s.Policy, earlier.Policy))
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

// cookieText says what the shared cookie is called.
func cookieText(a, b schema.Policy) string {
	if name := cmp.Or(a.Cookie, b.Cookie); name != nil {
		return *name
	}
	return "both have the default name"
}
