package load

import (
	"bytes"
	"errors"
	"go/build"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// buildContext is the context that the go command would choose files by, where
// it can be known.
func buildContext(tags []string) (build.Context, error) {
	context := build.Default
	context.BuildTags = tags
	if os.Getenv("GOPACKAGESDRIVER") != "" || goSetting("GOEXPERIMENT") != "" || !harmless(goSetting("GOFLAGS")) {
		return context, errIndirect
	}
	if system := goSetting("GOOS"); system != "" {
		context.GOOS = system
	}
	if architecture := goSetting("GOARCH"); architecture != "" {
		context.GOARCH = architecture
	}
	return context, nil
}

// harmless reports whether flags for the go command do not change which
// packages and files there are.
func harmless(flags string) bool {
	for flag := range strings.FieldsSeq(flags) {
		if !strings.HasPrefix(flag, "-buildvcs") && !strings.HasPrefix(flag, "-trimpath") {
			return false
		}
	}
	return true
}

// goSetting returns what a variable of the go command is set to, by the
// environment or else by go env -w.
func goSetting(name string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	file := os.Getenv("GOENV")
	if file == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return ""
		}
		file = filepath.Join(dir, "go", "env")
	}
	content, err := os.ReadFile(file) // none: "off", or never written
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(content) {
		if set, value, _ := strings.Cut(strings.TrimSpace(string(line)), "="); set == name {
			return value
		}
	}
	return ""
}

// onlyTheCommandKnows reports whether a build tag depends on more than system
// and architecture: on a C compiler, the version of Go, experiments, or features
// of a processor.
func onlyTheCommandKnows(tag string) bool {
	return tag == "cgo" || strings.HasPrefix(tag, "go1") || strings.Contains(tag, ".")
}

// mayConcern reports whether a file can declare sessions, or tags that belong to
// one.
func mayConcern(source []byte) bool {
	return bytes.Contains(source, []byte(tool)) || bytes.Contains(source, []byte("session:"))
}

// read returns the content of a file, once for all who ask.
func (d *direct) read(path string) ([]byte, error) {
	if source, ok := d.sources[path]; ok {
		return source, nil
	}
	source, err := os.ReadFile(path)
	if err == nil {
		d.sources[path] = source
	}
	return source, err
}

// readDir lists the files of a directory without those that duckgen generates:
// what these hold does not matter.
func (d *direct) readDir(dir string) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []fs.FileInfo
	for _, entry := range entries {
		info, err := regular(dir, entry)
		switch {
		case errors.Is(err, fs.ErrNotExist) && entry.Type().IsRegular():
			continue // removed meanwhile
		case err != nil:
			return nil, err
		case info == nil:
			continue
		}
		path := filepath.Join(dir, entry.Name())
		source, err := d.read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !IsOwn(path, source) {
			files = append(files, info)
		}
	}
	return files, nil
}

func (d *direct) openFile(path string) (io.ReadCloser, error) {
	source, err := d.read(path)
	return io.NopCloser(bytes.NewReader(source)), err
}
