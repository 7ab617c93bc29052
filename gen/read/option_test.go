package read

import (
	"os"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/gen/diag"
)

func TestEveryOptionIsInTheReference(t *testing.T) {
	reference := document(t, "reference")
	for _, rule := range optionRules {
		if !strings.Contains(reference, "\n| `"+rule.name) {
			t.Errorf("the table of options in docs/reference.md lacks %s", rule.name)
		}
	}
}

// TestFindingsNameEveryOption is about the lists of the options that there are and
// of the types that they fit.
func TestFindingsNameEveryOption(t *testing.T) {
	findings := document(t, "findings")
	for _, code := range []diag.Code{diag.UnknownOption, diag.OptionMisfit} {
		_, section, _ := strings.Cut(findings, "\n### "+string(code)+"\n")
		section, _, _ = strings.Cut(section, "\n### ")
		for _, rule := range optionRules {
			if !strings.Contains(section, "`"+rule.name) {
				t.Errorf("%s in docs/findings.md lacks %s", code, rule.name)
			}
		}
	}
}

func document(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("../../docs/" + name + ".md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
