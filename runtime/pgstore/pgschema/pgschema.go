// Package pgschema has the SQL of package pgstore, for tools that have no use for its
// driver.
package pgschema

import _ "embed"

// SQL are the statements that make the tables and functions. Running them again changes
// nothing.
//
//go:embed schema.sql
var SQL string

// Version is what duckgen_schema_version returns in a database that has them.
const Version = 10
