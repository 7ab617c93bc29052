package mysqlstore_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/mysqlstore"
)

// catalogue lists all that a database holds.
const catalogue = `
	SELECT table_name, column_name, column_type, is_nullable, column_key FROM information_schema.columns WHERE table_schema=DATABASE()
	UNION ALL SELECT table_name, index_name, column_name, seq_in_index, non_unique FROM information_schema.statistics WHERE table_schema=DATABASE()
	UNION ALL SELECT table_name, engine, table_collation, '', '' FROM information_schema.tables WHERE table_schema=DATABASE()
	ORDER BY 1, 2, 3`

func TestOpenMakesWhatSchemaSays(t *testing.T) {
	opened, migrated := emptyDSN(t), emptyDSN(t)
	open(t, opened)
	servertest.ExecuteMySQL(t, migrated, mysqlstore.Schema())
	want, got := servertest.QueryMySQL(t, migrated, catalogue), servertest.QueryMySQL(t, opened, catalogue)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what Open makes differs from the statements of Schema (-Schema +Open):\n%s", diff)
	}
	if len(want) < 40 {
		t.Errorf("the statements of Schema make %d things, which cannot be all", len(want))
	}
}

// TestTheQueriesOfTheGuideWork runs each query of docs/stores.md on a session that it
// finds.
func TestTheQueriesOfTheGuideWork(t *testing.T) {
	dsn := emptyDSN(t)
	key, record := session(1, indexed("user_id", "7"), entry("theme", `"dark"`), counter("views", 30), counter("cart:sku-1", 2),
		entry("code", `{"ends":"2026-12-24T18:00:00Z","value":"4711"}`))
	create(t, open(t, dsn), key, record)
	servertest.ExecuteMySQL(t, dsn, "UPDATE duckgen_sessions SET expires=UTC_TIMESTAMP()+INTERVAL 1 HOUR")
	queries := servertest.GuideQueries(t, "MySQL and MariaDB")
	id := strings.ToUpper(key.ID.String())
	want := map[string]string{
		"sessions of one user":   id,
		"themes":                 "dark|1",
		"most views":             id + "|30",
		"carts with one article": "1|2",

		"a value with ttl=, and when it ends": "4711|2026-12-24T18:00:00Z",
	}
	for name, query := range queries {
		var got []string
		for _, row := range servertest.QueryMySQL(t, dsn, query) {
			got = append(got, strings.Join(row, "|"))
		}
		if w, ok := want[name]; !ok || len(got) != 1 || got[0] != w {
			t.Errorf("%q answers %q, want %q", name, got, want[name])
		}
	}
	if len(queries) != len(want) {
		t.Errorf("the guide has %d queries, want %d", len(queries), len(want))
	}
}
