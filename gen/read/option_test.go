package read

import (
	"os"
	"strings"
	"testing"
)

func TestEveryOptionIsInTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range optionRules {
		if !strings.Contains(string(readme), "\n| `"+rule.name) {
			t.Errorf("the table of options in README.md lacks %s", rule.name)
		}
	}
}
