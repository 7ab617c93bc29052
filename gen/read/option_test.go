package read

import (
	"os"
	"strings"
	"testing"
)

func TestEveryOptionIsInTheReference(t *testing.T) {
	reference, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range optionRules {
		if !strings.Contains(string(reference), "\n| `"+rule.name) {
			t.Errorf("the table of options in docs/reference.md lacks %s", rule.name)
		}
	}
}
