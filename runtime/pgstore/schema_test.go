package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// catalogue lists all that a schema holds, without its name.
const catalogue = `
	SELECT 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
	FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relnamespace = current_schema::regnamespace AND a.attnum > 0 AND c.relkind = 'r'
	UNION ALL SELECT 'table', relname, array_to_string(reloptions, ',') FROM pg_class
	WHERE relnamespace = current_schema::regnamespace AND relkind = 'r'
	UNION ALL SELECT 'index', indexname, replace(indexdef, current_schema || '.', '') FROM pg_indexes WHERE schemaname = current_schema
	UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
	WHERE connamespace = current_schema::regnamespace
	UNION ALL SELECT 'function', proname, replace(replace(pg_get_functiondef(oid), current_schema || '.', ''), current_schema, 'schema') FROM pg_proc
	WHERE pronamespace = current_schema::regnamespace
	ORDER BY 1, 2`

func TestOpenMakesWhatSchemaSays(t *testing.T) {
	opened, migrated := emptyURL(t), emptyURL(t)
	open(t, opened)
	servertest.Execute(t, migrated, pgstore.Schema())
	want, got := table(t, migrated, catalogue), table(t, opened, catalogue)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what Open makes differs from the statements of Schema (-Schema +Open):\n%s", diff)
	}
	if len(want) < 50 {
		t.Errorf("the statements of Schema make %d things, which cannot be all", len(want))
	}
}

// table returns the rows of a query as text.
func table(t *testing.T, server, question string) (rows [][]string) {
	t.Helper()
	conn := connect(t, server)
	defer conn.Close(context.Background())
	result, err := conn.Query(t.Context(), question, pgx.QueryResultFormats{pgx.TextFormatCode})
	if err != nil {
		t.Fatalf("%s\n%v", question, err)
	}
	defer result.Close()
	for result.Next() {
		var row []string
		for _, value := range result.RawValues() {
			row = append(row, string(value))
		}
		rows = append(rows, row)
	}
	if err := result.Err(); err != nil {
		t.Fatalf("%s\n%v", question, err)
	}
	return rows
}

// TestTheQueriesOfTheGuideWork runs each query of docs/stores.md on a session
// that it finds.
func TestTheQueriesOfTheGuideWork(t *testing.T) {
	server := emptyURL(t)
	s := open(t, server)
	key, record := session(1, indexed("user_id", "7"), entry("theme", `"dark"`), counter("views", 30), counter("cart:sku-1", 2),
		entry("code", `{"ends":"2026-12-24T18:00:00Z","value":"4711"}`))
	create(t, s, key, record)
	servertest.Execute(t, server, "UPDATE duckgen_sessions SET expires = now() + interval '1 hour'")
	queries := servertest.GuideQueries(t, "Postgres")
	want := map[string]string{
		"sessions of one user":   key.ID.String(),
		"themes":                 "dark|1",
		"most views":             key.ID.String() + "|30",
		"carts with one article": "1|2",

		"a value with ttl=, and when it ends": "4711|2026-12-24 18:00:00+00",
	}
	for name, query := range queries {
		var got []string
		for _, row := range table(t, server, query) {
			got = append(got, strings.Join(row, "|"))
		}
		if w, ok := want[name]; !ok || len(got) != 1 || strings.ReplaceAll(got[0], "-", "") != w && got[0] != w {
			t.Errorf("%q answers %q, want %q", name, got, want[name])
		}
	}
	if len(queries) != len(want) {
		t.Errorf("the guide has %d queries, want %d", len(queries), len(want))
	}
}

func TestAnEntryOfAnyKindCanBeQueried(t *testing.T) {
	server := emptyURL(t)
	s := open(t, server)
	key, record := session(1, indexed("user_id", "7"), entry("cart:sku-1", "2"))
	create(t, s, key, record)
	if _, err := s.Update(t.Context(), key, &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: counter("views", 3)}}}); err != nil {
		t.Fatal(err)
	}
	rows := table(t, server, "SELECT data->>'user_id', counters->>'views', data->>'cart:sku-1' FROM duckgen_sessions")
	if diff := cmp.Diff([][]string{{"7", "3", "2"}}, rows); diff != "" {
		t.Errorf("the row differs (-want +got):\n%s", diff)
	}
}

// TestTablesMayBePartitioned follows docs/stores.md.
func TestTablesMayBePartitioned(t *testing.T) {
	server := emptyURL(t)
	whole, partitioned := ") WITH (fillfactor = 80);", ") PARTITION BY HASH (id);"
	for n := range 4 {
		partitioned += fmt.Sprintf("\nCREATE TABLE part_%d PARTITION OF duckgen_sessions "+
			"FOR VALUES WITH (MODULUS 4, REMAINDER %[1]d) WITH (fillfactor = 80);", n)
	}
	servertest.Execute(t, server, strings.Replace(pgstore.Schema(), whole, partitioned, 1))
	if parts := table(t, server, "SELECT relid FROM pg_partition_tree('duckgen_sessions') WHERE isleaf"); len(parts) != 4 {
		t.Fatalf("there are %d partitions, want 4", len(parts))
	}
	s := open(t, server)
	user := runtime.IndexValue{Field: "user_id", Value: "7"}
	const sessions = 20
	for n := range byte(sessions) {
		key, record := session(n, indexed("user_id", "7"), entry("theme", `"dark"`))
		user.Kind = record.Kind
		create(t, s, key, record)
		if err := s.Create(t.Context(), key, record); !errors.Is(err, runtime.ErrExists) {
			t.Errorf("Create of a session that exists: %v, want %v", err, runtime.ErrExists)
		}
		for _, d := range []*runtime.Delta{set(entry("theme", `"light"`)), {Renewal: &runtime.Renewal{Proof: runtime.Proof{n, 1}}}} {
			if _, err := s.Update(t.Context(), key, d); err != nil {
				t.Errorf("Update: %v", err)
			}
		}
		key.Proof = runtime.Proof{n, 1}
		if theme, _ := load(t, s, key).Entries.Get("theme"); theme.Value != `"light"` {
			t.Errorf("the theme is %q after an update", theme.Value)
		}
	}
	key, _ := session(0)
	found := 0
	for _, err := range s.Find(t.Context(), user, key.Now) {
		if found++; err != nil {
			t.Fatal(err)
		}
	}
	ended, err := s.Revoke(t.Context(), user, key.Now)
	if found != sessions || ended != sessions || err != nil {
		t.Errorf("Find yields %d and Revoke ends %d of %d sessions, %v", found, ended, sessions, err)
	}
	if n, err := s.Sweep(t.Context(), key.Now.Add(time.Hour)); n != sessions || err != nil {
		t.Errorf("Sweep = %d, %v; want %d", n, err, sessions)
	}
}
