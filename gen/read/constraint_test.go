package read

import (
	"go/build"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestImpliedTagsAreThoseOfTheGoCommand holds the rule and the lists to package
// go/build: a file is part of a build exactly if its implied tags are set.
func TestImpliedTagsAreThoseOfTheGoCommand(t *testing.T) {
	names := []string{"session.go", "linux.go", "linux_test.go", "a_linux.go", "a_b_linux.go", "a_linux_amd64.go",
		"a_amd64_linux.go", "a_linux_amd64_test.go", "a_linux_b.go", "a.b_linux.go", "a_unix.go", "a_linux.x.go", "_linux.go"}
	for _, tag := range slices.Concat(systems, architectures) {
		names = append(names, "a_"+tag+".go")
	}
	for _, name := range names {
		tags := impliedTags(name)
		for _, system := range []string{"linux", "windows", "plan9"} {
			for _, architecture := range []string{"amd64", "arm64", "wasm"} {
				checkImplied(t, name, tags, system, architecture)
			}
		}
	}
	for _, tag := range systems {
		if !matches(t, "a_"+tag+".go", tag, "amd64") || matches(t, "a_"+tag+".go", "none", "amd64") {
			t.Errorf("%s is no system to package go/build", tag)
		}
	}
	for _, tag := range architectures {
		if !matches(t, "a_"+tag+".go", "linux", tag) || matches(t, "a_"+tag+".go", "linux", "none") {
			t.Errorf("%s is no architecture to package go/build", tag)
		}
	}
}

func checkImplied(t *testing.T, name string, tags []string, system, architecture string) {
	t.Helper()
	if strings.HasPrefix(name, "_") {
		return // never part of a build
	}
	want := true
	for _, tag := range tags {
		want = want && (tag == system || tag == architecture)
	}
	if got := matches(t, name, system, architecture); got != want {
		t.Errorf("%s on %s/%s: %v, but its tags are %v", name, system, architecture, got, tags)
	}
}

func matches(t *testing.T, name, system, architecture string) bool {
	t.Helper()
	ctx := build.Context{
		GOOS:   system,
		GOARCH: architecture,
		OpenFile: func(string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("package p\n")), nil
		},
	}
	match, err := ctx.MatchFile("", name)
	if err != nil {
		t.Fatal(err)
	}
	return match
}
