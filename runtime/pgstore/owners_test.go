package pgstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
)

// stranger makes a user that is nothing to the program, and drops it at the end with
// all that it owns.
func stranger(t *testing.T, server string) (name string) {
	t.Helper()
	name = schemaOf(t, server) + "_stranger"
	servertest.Execute(t, server, "CREATE ROLE "+name)
	t.Cleanup(func() {
		servertest.Execute(t, server, "SET client_min_messages = warning; DROP OWNED BY "+name+" CASCADE; DROP ROLE "+name)
	})
	return name
}

func TestWhatOthersOwnIsRefused(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]string{
		"the schema belongs to STRANGER":                          "ALTER SCHEMA SCHEMA_NAME OWNER TO STRANGER",
		"the table duckgen_index belongs to STRANGER":             "ALTER TABLE duckgen_index OWNER TO STRANGER",
		"the function duckgen_schema_version belongs to STRANGER": "ALTER FUNCTION duckgen_schema_version OWNER TO STRANGER",
		"things may be made there by STRANGER":                    "GRANT CREATE ON SCHEMA SCHEMA_NAME TO STRANGER",
		"things may be made there by everybody":                   "GRANT CREATE ON SCHEMA SCHEMA_NAME TO PUBLIC",
		"the operator ? belongs to STRANGER":                      unwanted("?", "jsonb", "jsonb", "boolean") + "; ALTER OPERATOR ? (jsonb, jsonb) OWNER TO STRANGER",
	} {
		t.Run(what, func(t *testing.T) {
			server := emptyURL(t)
			name := stranger(t, server)
			servertest.Execute(t, server, pgstore.Schema())
			if _, err := pgstore.Open(t.Context(), server); err != nil {
				t.Fatal(err)
			}
			named := strings.NewReplacer("STRANGER", name, "SCHEMA_NAME", schemaOf(t, server))
			servertest.Execute(t, server, named.Replace(change))
			_, err := pgstore.Open(t.Context(), server)
			if says := named.Replace(what); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("Open: %v, want an error that says %q", err, says)
			}
		})
	}
}

// unwanted makes an operator that fails.
func unwanted(operator, left, right, result string) string {
	function := "hijacked_" + left[:4] + right[:4] + result[:4]
	return unwantedFunction(function, left+", "+right, result) +
		"; CREATE OPERATOR " + operator + " (LEFTARG = " + left + ", RIGHTARG = " + right + ", FUNCTION = " + function + ")"
}

func unwantedFunction(name, arguments, result string) string {
	return "CREATE OR REPLACE FUNCTION " + name + "(" + arguments + ") RETURNS " + result +
		" LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked by " + name + "'; END $$"
}

// TestTheSearchPathOfAConnectionMisleadsNobody has operators and functions that fit
// better than those of Postgres, in a schema where others may make them.
func TestTheSearchPathOfAConnectionMisleadsNobody(t *testing.T) {
	own, others := emptyURL(t), emptyURL(t)
	for _, statement := range []string{
		unwanted("?", "jsonb", "jsonb", "boolean"),
		unwanted("->", "jsonb", "jsonb", "jsonb"),
		unwanted("->>", "jsonb", "jsonb", "text"),
		unwanted("&&", "text[]", "text[]", "boolean"),
		unwantedFunction("jsonb_build_object", "text, bigint", "jsonb"),
		unwantedFunction("jsonb_build_array", "text, text, jsonb", "jsonb"),
		unwantedFunction("convert_to", "text, text", "bytea"),
		unwantedFunction("array_position", "bytea[], bytea", "integer"),
		unwantedFunction("array_append", "text[], text", "text[]"),
		unwantedFunction("cardinality", "bytea[]", "integer"),
		unwantedFunction("duckgen_value", "text, text, text", "bytea"),
		unwantedFunction("duckgen_sweep", "timestamptz, bigint", "integer"),
	} {
		servertest.Execute(t, others, statement)
	}
	s := open(t, servertest.WithSetting(t, own, "search_path", schemaOf(t, own)+","+schemaOf(t, others)))
	key, record := session(1, indexed("user_id", "7"), counter("views", 1), entry("name", `"Ann"`))
	record.Family = runtime.Family{1}
	create(t, s, key, record)
	ordinary := set(entry("theme", `"dark"`))
	ordinary.Ops = append(ordinary.Ops, runtime.Op{Kind: runtime.OpAdd, Entry: counter("views", 1)})
	full := set(entry("theme", `"light"`), indexed("user_id", "8"))
	full.Ops = append(full.Ops, runtime.Op{Kind: runtime.OpAdd, Entry: counter("name", 2), DropZero: true})
	full.Limits = []runtime.Limit{{Field: "theme", Max: 5}}
	signIn := set(indexed("user_id", "9"))
	signIn.SignIn = &runtime.SignIn{Fields: []runtime.SignInField{{Key: "user_id", Value: "9", Identity: true}}, Joins: true}
	signIn.Renewal = &runtime.Renewal{Kind: runtime.RenewSignIn, Proof: runtime.Proof{2}, Grace: time.Minute}
	signIn.Ticket = &runtime.Ticket{Proof: runtime.Proof{3}, Ends: key.Now.Add(time.Minute)}
	for _, d := range []*runtime.Delta{ordinary, full, signIn} {
		if _, err := s.Update(t.Context(), key, d); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Update(t.Context(), key, signIn); err != nil { // by the token before
		t.Error(err)
	}
	key.Proof = runtime.Proof{2}
	load(t, s, key)
	user := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "9"}
	for _, err := range s.Find(t.Context(), user, key.Now) {
		if err != nil {
			t.Error(err)
		}
	}
	if n, err := s.Revoke(t.Context(), user, key.Now); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v; want 1", n, err)
	}
	if err := s.Delete(t.Context(), key); err != nil {
		t.Error(err)
	}
	if _, err := s.Sweep(t.Context(), key.Now.Add(time.Hour)); err != nil {
		t.Error(err)
	}
}
