package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSchemaPrintsWhatAStoreRuns(t *testing.T) {
	for name, table := range map[string]string{"postgres": "CREATE TABLE", "mysql": "ENGINE = InnoDB"} {
		exit, stdout, stderr := run(t, "schema", name)
		if exit != success || stderr != "" || !strings.Contains(stdout, table) {
			t.Errorf("schema %s: exit %d, %q\n%s", name, exit, stderr, stdout)
		}
		var got schema
		_, asJSON, _ := run(t, "schema", "-json", name)
		if err := json.Unmarshal([]byte(asJSON), &got); err != nil || got.SQL != stdout || got.Version < 1 {
			t.Errorf("schema -json %s: %v, version %d", name, err, got.Version)
		}
	}
}
