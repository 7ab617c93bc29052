package sessions

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"
	gorilla "github.com/gorilla/sessions"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
)

// row is a row of a table in docs/migrating.md: what the other library calls it,
// and what it is here.
type row struct{ theirs, ours string }

// rows returns the table below a heading.
func rows(t *testing.T, heading string) (list []row) {
	t.Helper()
	page, err := os.ReadFile("../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n### "+heading+"\n")
	rest, _, _ = strings.Cut(rest, "\n#")
	for line := range strings.Lines(rest) {
		if cells := strings.Split(line, "|"); len(cells) == 4 && strings.Contains(cells[1], "`") {
			list = append(list, row{cells[1], cells[2]})
		}
	}
	if !found || len(list) < 10 {
		t.Fatalf("%s has %d rows", heading, len(list))
	}
	return list
}

// namesOf returns the exported methods and fields of types.
func namesOf(prefix bool, of ...reflect.Type) (names []string) {
	for _, typ := range of {
		add := func(name string) {
			if prefix {
				name = typ.Elem().Name() + "." + name
			}
			names = append(names, name)
		}
		for i := range typ.NumMethod() {
			add(typ.Method(i).Name)
		}
		for f := range typ.Elem().Fields() {
			if f.IsExported() && !f.Anonymous {
				add(f.Name)
			}
		}
	}
	return names
}

func TestEveryCallOfTheOthersIsInTheTable(t *testing.T) {
	for heading, names := range map[string][]string{
		"scs": append(namesOf(false, reflect.TypeFor[*scs.SessionManager]()), "New", "NewSession"),
		"gorilla/sessions": append(namesOf(true,
			reflect.TypeFor[*gorilla.CookieStore](), reflect.TypeFor[*gorilla.FilesystemStore](),
			reflect.TypeFor[*gorilla.Session](), reflect.TypeFor[*gorilla.Options](), reflect.TypeFor[*gorilla.Registry](),
		), "NewCookieStore", "NewFilesystemStore", "NewSession", "NewCookie", "GetRegistry", "Save"),
	} {
		told := map[string]int{}
		for _, r := range rows(t, heading) {
			for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(r.theirs, -1) {
				told[quoted[1]]++
			}
		}
		for _, name := range names {
			if told[name] != 1 {
				t.Errorf("%s: %s is told %d times", heading, name, told[name])
			}
		}
	}
}

// calls matches what the tables name of a session, of its manager and of the
// configuration.
var calls = regexp.MustCompile("`(s|sessions|Config)\\.([A-Z][A-Za-z.]*)[(`]")

func TestWhatTheTablesNameIsThere(t *testing.T) {
	types := map[string]reflect.Type{
		"s":        reflect.TypeFor[*session.VisitorSession](),
		"sessions": reflect.TypeFor[*session.VisitorSessions](),
	}
	config := reflect.TypeFor[runtime.Config]()
	named := 0
	for _, heading := range []string{"scs", "gorilla/sessions", "Spring Session"} {
		for _, r := range rows(t, heading) {
			for _, call := range calls.FindAllStringSubmatch(r.ours, -1) {
				named++
				if call[1] == "Config" {
					checkField(t, config, call[2])
				} else if !hasMethod(types[call[1]], call[2]) {
					t.Errorf("there is no %s.%s", call[1], call[2])
				}
			}
		}
	}
	if named < 60 {
		t.Errorf("only %d calls are named", named)
	}
}

// hasMethod reports whether a type has the method, or one of a field for the X in
// its name.
func hasMethod(typ reflect.Type, name string) bool {
	if _, ok := typ.MethodByName(name); ok {
		return true
	}
	pattern := regexp.MustCompile("^" + strings.Replace(name, "X", "[A-Z][A-Za-z]*", 1) + "$")
	for i := range typ.NumMethod() {
		if strings.Contains(name, "X") && pattern.MatchString(typ.Method(i).Name) {
			return true
		}
	}
	return false
}

func checkField(t *testing.T, typ reflect.Type, path string) {
	t.Helper()
	for name := range strings.SplitSeq(path, ".") {
		f, ok := typ.FieldByName(name)
		if !ok {
			t.Errorf("there is no Config.%s", path)
			return
		}
		typ = f.Type
	}
}
