package load

import (
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

func TestAModuleThatNeedsANewerGoIsRefused(t *testing.T) {
	for _, c := range []struct {
		needs, built string
		refused      bool
	}{
		{"1.26", "go1.26.8", false},
		{"1.26.9", "go1.26.8", false}, // the language is the same
		{"1.27", "go1.26.8", true},
		{"1.27rc1", "go1.26.8", true},
		{"1.99", "devel go1.27-abc", false},
		{"1.26", "go1.26.8 X:jsonv2", false},
		{"1.27", "go1.26.8 X:jsonv2", true},
		{"", "go1.26.8", false},
	} {
		loaded := []*packages.Package{{}, {Module: &packages.Module{Path: "example.com/shop", GoVersion: c.needs}}}
		err := checkToolchain(loaded, c.built)
		if (err != nil) != c.refused {
			t.Errorf("go %s with %s: %v", c.needs, c.built, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "example.com/shop needs go "+c.needs) || !strings.Contains(err.Error(), "built with 1.26.8:")) {
			t.Errorf("the message is %v", err)
		}
	}
}
