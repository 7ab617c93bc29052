package gen

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/gen/diag"
	"github.com/duckgen/duckgen/internal/testtier"
)

const (
	structsInPackage = 100
	randomSeed       = 20260102
)

// TestRandomStructsWork draws structs with fields of random types and options,
// nested to random depths. Each generates without a finding. In the exhaustive
// tier, each also compiles, is clean for go vet, and passes two tests: that of its
// stored form, in each format, and one that sets every field and reads it back.
func TestRandomStructsWork(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writeModuleFile(t, dir)
	structs := testtier.Count(20, 20, 300)
	d := drawing{Rand: rand.New(rand.NewPCG(randomSeed, 0))}
	for p := 0; p*structsInPackage < structs; p++ {
		source, test := d.pkg(p, min(structsInPackage, structs-p*structsInPackage))
		writeFile(t, filepath.Join(dir, fmt.Sprintf("p%d", p), "session.go"), source)
		writeFile(t, filepath.Join(dir, fmt.Sprintf("p%d", p), "session_test.go"), test)
	}
	result, err := Generate(t.Context(), Config{Dir: dir, Patterns: []string{"./..."}, Tests: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Findings) > 0 {
		var b strings.Builder
		_ = diag.Print(&b, result.Findings)
		t.Fatal(b.String())
	}
	if _, err := result.Write(); err != nil {
		t.Fatal(err)
	}
	t.Run("with the go command", func(t *testing.T) {
		testtier.OnlyExhaustive(t, "it compiles them all")
		goCommand(t, dir, "test", "-vet=all", "-gcflags=-N -l", "-ldflags=-s -w", "./...")
	})
}

// A drawing draws Go source.
type drawing struct {
	*rand.Rand
	declared strings.Builder // types of the package
	types    int
}

func (d *drawing) flip() bool { return d.IntN(2) == 0 }

func (d *drawing) one(of ...string) string { return of[d.IntN(len(of))] }

// pkg draws a package with n sessions, and the test of their round trips.
func (d *drawing) pkg(number, n int) (source, test string) {
	d.declared.Reset()
	var sessions, checks strings.Builder
	for i := range n {
		name := fmt.Sprintf("Visitor%d", i)
		fmt.Fprintf(&sessions, "\n//duckgen:session cookie=c%d%s\ntype %s struct {\n%s}\n", i, d.settings(), name, d.fields())
		fmt.Fprintf(&checks, "\nfunc Test%s(t *testing.T) {\n\tvar v %[1]s\n\tfill(reflect.ValueOf(&v).Elem(), %d)\n"+
			"\tctx, s := With%[1]s(t.Context(), v)\n\tif s.Dirty() || %[1]sFrom(ctx) != s {\n\t\tt.Error(\"it is not clean\")\n\t}\n"+
			"\tif got := s.Snapshot(); !same(got, v) {\n\t\tt.Errorf(\"%%+v\\nbecame\\n%%+v\", v, got)\n\t}\n}\n", name, i)
	}
	source = fmt.Sprintf("package p%d\n\nimport \"time\"\n\nvar _ time.Time\n%s%s", number, d.declared.String(), sessions.String())
	return source, fmt.Sprintf("package p%d\n%s%s", number, roundTripHelpers, checks.String())
}

func (d *drawing) settings() string {
	return d.one("", " age=24h idle=1h", " samesite=strict browserclose", " hooks=http", " path=/p partitioned")
}

func (d *drawing) fields() string {
	var b strings.Builder
	for i := range 1 + d.IntN(6) {
		typ, options := d.field()
		fmt.Fprintf(&b, "\tF%d %s `session:\"f%d%s\"`\n", i, typ, i, options)
	}
	return b.String()
}

// field draws a type with options that it allows.
func (d *drawing) field() (typ, options string) {
	switch d.IntN(8) {
	case 0:
		return d.integer(), ",merge=sum"
	case 1:
		return "map[" + d.key() + "]" + d.integer(), ",merge=sum"
	case 2:
		return "[]" + d.typ(2), d.one(",merge=append", ",merge=append,max=100", ",max=100", ",once", ",secret", ",merge=first", ",ttl=90s", ",merge=append,ttl=400d")
	case 3:
		return d.one("int", "float64", "string", "time.Time", "uint16", "time.Duration"), d.one(",merge=max", ",merge=min")
	case 4:
		return d.one("string", "int64", "bool", "[16]byte"), d.one(",index", ",index,limit=3", ",index,renew", ",index,renew,limit=1", ",renew", ",secret", "") + d.once()
	case 5:
		return "string", d.one(",default=light", ",max=64", ",default='a, b',max=9")
	case 6:
		return "map[" + d.key() + "]" + d.typ(2), d.one("", ",max=100", ",once", ",merge=first", ",merge=first,once", ",ttl=1h", ",max=100,ttl=1h")
	default:
		return d.typ(3), d.one("", ",merge=first", ",ttl=7d") + d.once()
	}
}

func (d *drawing) once() string { return d.one("", "", ",once") }

func (d *drawing) integer() string {
	return d.one("int", "int8", "int16", "int32", "int64", "uint8", "uint32")
}

func (d *drawing) key() string {
	key := d.one("string", "int", "uint8", "int64")
	if d.flip() {
		return d.declare(key)
	}
	return key
}

// typ draws any type that can be stored.
func (d *drawing) typ(depth int) string {
	if depth == 0 || d.IntN(3) == 0 {
		return d.scalar()
	}
	switch d.IntN(6) {
	case 0:
		return "*" + strings.TrimLeft(d.declare(d.structure(depth-1)), "*")
	case 1:
		return "[]" + d.typ(depth-1)
	case 2:
		return fmt.Sprintf("[%d]%s", d.IntN(4), d.typ(depth-1))
	case 3:
		return "map[" + d.key() + "]" + d.typ(depth-1)
	case 4:
		return "*" + d.scalar()
	default:
		return d.declare(d.structure(depth - 1))
	}
}

func (d *drawing) scalar() string {
	scalar := d.one("bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64",
		"float32", "float64", "complex64", "complex128", "string", "[]byte", "time.Time", "time.Duration", "rune", "uintptr")
	if d.flip() {
		return d.declare(scalar)
	}
	return scalar
}

func (d *drawing) structure(depth int) string {
	var b strings.Builder
	b.WriteString("struct {\n")
	for i := range 1 + d.IntN(4) {
		tag := d.one("", "", fmt.Sprintf("`session:\"m_%d\"`", i), fmt.Sprintf("`session:\"m_%d,was=W%[1]d\"`", i))
		fmt.Fprintf(&b, "\tM%d %s %s\n", i, d.typ(depth), tag)
	}
	b.WriteString(d.one("", "\tOut chan int `session:\"-\"`\n"))
	b.WriteString("}")
	return b.String()
}

// declare gives a type a name, some of them as an alias.
func (d *drawing) declare(typ string) string {
	d.types++
	name, equal := fmt.Sprintf("T%d", d.types), d.one("", "", "= ")
	if strings.Contains(typ, "`") || typ == "uint8" {
		equal = "" // without a name a struct has no tags, and a slice of bytes is no list
	}
	fmt.Fprintf(&d.declared, "\ntype %s %s%s\n", name, equal, typ)
	return name
}

// roundTripHelpers fill a value of any type and compare two of them as the
// rules do: empty is nil, and times are instants.
const roundTripHelpers = `
import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

var instant = reflect.TypeFor[time.Time]()

func fill(v reflect.Value, n int) {
	if v.Type().ConvertibleTo(instant) {
		v.Set(reflect.ValueOf(time.Unix(int64(n)*1e6+1, int64(n)).UTC()).Convert(v.Type()))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(n%2 == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(n%100) - 50)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(uint64(n % 200))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(n) / 4)
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(float64(n), -1))
	case reflect.String:
		v.SetString([]string{"a, b", "\x00\xff", "ä", ""}[n%4])
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), n%4, n%4))
		for i := range v.Len() {
			fill(v.Index(i), n+i)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n+i)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range n % 3 {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n+i)
			fill(elem, n+i)
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("session") != "-" {
				fill(v.Field(i), n+i)
			}
		}
	}
}

func same(a, b any) bool { return text(reflect.ValueOf(a)) == text(reflect.ValueOf(b)) }

func text(v reflect.Value) string {
	switch {
	case v.Type().ConvertibleTo(instant):
		return v.Convert(instant).Interface().(time.Time).UTC().String()
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return "&" + text(v.Elem())
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		s := ""
		for i := range v.Len() {
			s += text(v.Index(i)) + ","
		}
		return "[" + s + "]"
	case v.Kind() == reflect.Map:
		m := map[string]string{}
		for k, e := range v.Seq2() {
			m[text(k)] = text(e)
		}
		return fmt.Sprint(m)
	case v.Kind() == reflect.Struct:
		s := ""
		for i := range v.NumField() {
			s += text(v.Field(i)) + ";"
		}
		return "{" + s + "}"
	}
	return fmt.Sprintf("%#v", v)
}
`
