package servertest

import (
	"os"
	"strings"
	"testing"
)

// GuideQueries returns the SQL in a section of docs/stores.md by the comment above
// each query, for the tests of a store.
func GuideQueries(t testing.TB, section string) map[string]string {
	t.Helper()
	guide, err := os.ReadFile("../../docs/stores.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "\n## "+section+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	queries := map[string]string{}
	for _, block := range strings.Split(text, "```sql\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for _, query := range strings.Split(strings.TrimSpace(block), "\n\n") {
			name, statement, _ := strings.Cut(query, "\n")
			queries[strings.TrimPrefix(name, "-- ")] = statement
		}
	}
	return queries
}
