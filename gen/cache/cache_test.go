package cache

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/gen/schema"
)

// used is a cache in a directory of its own.
func used(t *testing.T) *Cache {
	t.Helper()
	t.Setenv(Variable, filepath.Join(t.TempDir(), "cache"))
	return Open()
}

func key(t *testing.T, c *Cache, value any) Sum {
	t.Helper()
	sum, ok := c.Key(value)
	if !ok {
		t.Fatal("there is no key")
	}
	return sum
}

var output = []File{{"a.go", []byte("package a\n")}, {"b.go", []byte("package a // b\n")}}

func TestOnlyWhatCameOutOfTheSameKeyIsKnown(t *testing.T) {
	c := used(t)
	one, other := key(t, c, "one"), key(t, c, "other")
	if c.Knows("dir", one, output) {
		t.Error("known before it is remembered")
	}
	c.Remember("dir", one, output)
	if !c.Knows("dir", one, output) {
		t.Error("not known")
	}
	for name, known := range map[string]bool{
		"another key":       c.Knows("dir", other, output),
		"another directory": c.Knows("elsewhere", one, output),
		"another content":   c.Knows("dir", one, []File{output[0], {"b.go", []byte("package b\n")}}),
		"another name":      c.Knows("dir", one, []File{output[0], {"c.go", output[1].Content}}),
		"a file less":       c.Knows("dir", one, output[:1]),
		"a file more":       c.Knows("dir", one, append(output[:2:2], File{"c.go", nil})),
	} {
		if known {
			t.Errorf("%s: known", name)
		}
	}
}

func TestADamagedEntryIsUnknown(t *testing.T) {
	c := used(t)
	one := key(t, c, "one")
	c.Remember("dir", one, output)
	entry, err := os.ReadFile(c.path("dir"))
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{nil, entry[:len(entry)-1], append(entry[:len(entry):len(entry)], '\n'), []byte("x" + string(entry[1:]))} {
		if err := os.WriteFile(c.path("dir"), damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if c.Knows("dir", one, output) {
			t.Errorf("known by %q", damaged)
		}
	}
	c.Remember("dir", one, output)
	if !c.Knows("dir", one, output) {
		t.Error("not known after it was remembered again")
	}
}

func TestWithoutACacheNothingIsKnown(t *testing.T) {
	t.Setenv(Variable, "off")
	c := Open()
	if _, ok := c.Key("one"); ok || c != nil {
		t.Error("there is a cache")
	}
	c.Trim()
}

func TestACacheThatCannotBeWrittenDoesNoHarm(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		t.Setenv(Variable, dir)
		c := Open()
		one := key(t, c, "one")
		c.Remember("dir", one, output)
		c.Trim()
		if c.Knows("dir", one, output) {
			t.Errorf("%s: known", dir)
		}
	}
}

func TestWhatCannotBePutIntoPlaceLeavesNothingBehind(t *testing.T) {
	c := used(t)
	if err := os.MkdirAll(filepath.Join(c.path("dir"), "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.Remember("dir", key(t, c, "one"), output)
	if entries, err := os.ReadDir(c.dir); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestManyUseACacheAtOnce(t *testing.T) {
	c := used(t)
	keys := []Sum{key(t, c, "one"), key(t, c, "other")}
	var users sync.WaitGroup
	for i := range 8 {
		users.Go(func() {
			for range 50 {
				c.Remember("dir", keys[i%2], output)
				c.Knows("dir", keys[i%2], output)
			}
		})
	}
	users.Wait()
	if c.Knows("dir", keys[0], output) == c.Knows("dir", keys[1], output) {
		t.Error("the entry is neither of those that were written")
	}
	if entries, err := os.ReadDir(c.dir); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestTheOldestEntriesGo(t *testing.T) {
	c := used(t)
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	one := key(t, c, "one")
	c.Remember("new", one, output)
	for i := range limit {
		path := filepath.Join(c.dir, time.Unix(int64(i), 0).UTC().Format("20060102150405"))
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Unix(int64(i), 0), time.Unix(int64(i), 0)); err != nil {
			t.Fatal(err)
		}
	}
	c.Trim()
	entries, err := os.ReadDir(c.dir)
	if err != nil || len(entries) != limit/2 || !c.Knows("new", one, output) {
		t.Errorf("%d entries are left, %v", len(entries), err)
	}
}

// TestEveryPartOfASchemaCounts changes one thing after the other.
func TestEveryPartOfASchemaCounts(t *testing.T) {
	c := used(t)
	text := &schema.Type{Form: schema.Basic, Basic: "string"}
	flag, cookie := true, "shop"
	file := func() *schema.File {
		return &schema.File{
			Package: schema.Package{Scope: map[string]bool{"A": true, "B": true}},
			Sessions: []*schema.Session{{
				Name:   "Visitor",
				Policy: schema.Policy{Cookie: &cookie, Reserved: []string{"a", "b"}},
				Fields: []*schema.Field{{Key: "name", Type: text, Default: &schema.Literal{Value: int64(1)}}, {Key: "other", Type: text}},
			}},
		}
	}
	seen := map[Sum]string{}
	for name, change := range map[string]func(*schema.File){
		"nothing":                   func(*schema.File) {},
		"a name in scope":           func(f *schema.File) { f.Package.Scope["C"] = true },
		"a name less in scope":      func(f *schema.File) { delete(f.Package.Scope, "B") },
		"the constraint":            func(f *schema.File) { f.Constraint = "//go:build linux" },
		"a flag":                    func(f *schema.File) { f.Sessions[0].Fields[0].Secret = true },
		"the flag of another field": func(f *schema.File) { f.Sessions[0].Fields[1].Secret = true },
		"another flag":              func(f *schema.File) { f.Sessions[0].Fields[0].Index = true },
		"a setting":                 func(f *schema.File) { f.Sessions[0].Policy.Secure = &flag },
		"another setting":           func(f *schema.File) { f.Sessions[0].Policy.HTTPOnly = &flag },
		"no setting":                func(f *schema.File) { f.Sessions[0].Policy.Cookie = nil },
		"where one text ends":       func(f *schema.File) { f.Sessions[0].Policy.Reserved = []string{"ab", ""} },
		"where one list ends": func(f *schema.File) {
			f.Sessions[0].Policy.Reserved, f.Sessions[0].Policy.Allow = []string{"a"}, []string{"b"}
		},
		"the type of a default": func(f *schema.File) { f.Sessions[0].Fields[0].Default.Value = uint64(1) },
		"a duration":            func(f *schema.File) { f.Sessions[0].Fields[0].Default.Value = time.Duration(1) },
		"a float":               func(f *schema.File) { f.Sessions[0].Fields[0].Default.Value = 1.0 },
		"no default":            func(f *schema.File) { f.Sessions[0].Fields[0].Default = nil },
		"the type of a field":   func(f *schema.File) { f.Sessions[0].Fields[1].Type = &schema.Type{Form: schema.Bytes} },
		"the order of fields": func(f *schema.File) {
			fields := f.Sessions[0].Fields
			fields[0], fields[1] = fields[1], fields[0]
		},
	} {
		f := file()
		change(f)
		sum := key(t, c, f)
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[sum] = name
		if again := key(t, c, f); again != sum {
			t.Errorf("%s: two keys of one value", name)
		}
	}
}
