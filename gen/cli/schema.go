package cli

import (
	"context"
	"fmt"

	"github.com/duckgen/duckgen/runtime/mysqlstore/mysqlschema"
	"github.com/duckgen/duckgen/runtime/pgstore/pgschema"
)

// A schema is what a store's database has to have.
type schema struct {
	Version int    `json:"version"`
	SQL     string `json:"sql"`
}

// schemas are those of the stores that have tables of their own to migrate.
var schemas = map[string]schema{
	"postgres": {pgschema.Version, pgschema.SQL},
	"mysql":    {mysqlschema.Version, mysqlschema.SQL},
}

// runSchema prints the statements that a store runs where its tables are missing.
func runSchema(_ context.Context, i Invocation, c console) (int, error) {
	found := schemas[i.Store]
	if i.JSON {
		return success, printJSON(c.out, found)
	}
	_, err := fmt.Fprint(c.out, found.SQL)
	return success, err
}
