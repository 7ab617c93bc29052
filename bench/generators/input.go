//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A layout says where the structs are.
type layout string

const (
	oneFile  layout = "one file"
	files    layout = "files"
	packages layout = "packages"
)

func layouts(structs int) []layout {
	if structs == 1 {
		return []layout{oneFile}
	}
	return []layout{oneFile, files, packages}
}

// An input is a module with annotated structs. Those in one file are there for
// the other generators, too.
type input struct {
	dir     string
	structs int
	layout  layout
}

// fields are ten of a struct's fields. It has each twice.
var fields = [][3]string{
	{"UserID", "int64", ",index,renew"},
	{"Name", "string", ""},
	{"Theme", "string", ",default=light"},
	{"Cart", "map[string]int", ",merge=sum"},
	{"Views", "int64", ",merge=sum"},
	{"Recent", "[]string", ",merge=append,max=20"},
	{"Notice", "string", ",once"},
	{"APIKey", "string", ",secret"},
	{"SeenAt", "time.Time", ",merge=max"},
	{"Beta", "bool", ""},
}

func (in input) write() error {
	content, err := moduleFiles()
	if err != nil {
		return err
	}
	for i := range in.structs {
		name := "session.go"
		switch in.layout {
		case files:
			name = fmt.Sprintf("session%d.go", i)
		case packages:
			name = fmt.Sprintf("p%d/session.go", i)
		}
		if content[name] == "" {
			content[name] = "package bench\n\nimport \"time\"\n"
		}
		content[name] += structOf(i)
	}
	if in.layout == oneFile {
		content["kind.go"] = kinds()
		content["converter/converter.go"] = converter(in.structs)
	}
	for name, text := range content {
		path := filepath.Join(in.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// moduleFiles are those of a module that requires what duckgen does, and duckgen
// itself as it is in the repository.
func moduleFiles() (map[string]string, error) {
	repository, err := filepath.Abs("..")
	if err != nil {
		return nil, err
	}
	mod, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	if err != nil {
		return nil, err
	}
	sum, err := os.ReadFile(filepath.Join(repository, "go.sum"))
	if err != nil {
		return nil, err
	}
	text := strings.Replace(string(mod), "module github.com/duckgen/duckgen", "module example.com/bench", 1)
	text, _, _ = strings.Cut(text, "\ntool ")
	text += "\nrequire github.com/duckgen/duckgen v0.0.0\n\nreplace github.com/duckgen/duckgen => " + repository + "\n"
	return map[string]string{"go.mod": text, "go.sum": string(sum)}, nil
}

func structOf(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n// Visitor%d is what is remembered about a visitor.\n//\n", i)
	fmt.Fprintf(&b, "//duckgen:session cookie=visitor%d age=168h\ntype Visitor%d struct {\n", i, i)
	writeFields(&b, true)
	b.WriteString("}\n")
	return b.String()
}

func writeFields(b *strings.Builder, tagged bool) {
	for half := range 2 {
		for _, f := range fields {
			fmt.Fprintf(b, "\t%s%d %s", f[0], half, f[1])
			if tagged {
				fmt.Fprintf(b, " `session:\"%s%d%s\"`", strings.ToLower(f[0]), half, f[2])
			}
			b.WriteByte('\n')
		}
	}
}

// kinds is a type of 20 constants, for stringer.
func kinds() string {
	var b strings.Builder
	b.WriteString("package bench\n\ntype Kind int\n\nconst (\n")
	for i := range 2 * len(fields) {
		fmt.Fprintf(&b, "\tKind%d Kind = %d\n", i, i)
	}
	b.WriteString(")\n")
	return b.String()
}

// converter asks goverter for a conversion of every struct to its like.
func converter(structs int) string {
	var b, types strings.Builder
	b.WriteString("package converter\n\nimport (\n\t\"time\"\n\n\t\"example.com/bench\"\n)\n\n")
	b.WriteString("// goverter:converter\n// goverter:skipCopySameType\ntype Converter interface {\n")
	for i := range structs {
		fmt.Fprintf(&b, "\tConvert%d(source bench.Visitor%d) Visitor%d\n", i, i, i)
		fmt.Fprintf(&types, "\ntype Visitor%d struct {\n", i)
		writeFields(&types, false)
		types.WriteString("}\n")
	}
	return b.String() + "}\n" + types.String()
}
