// Package mysqlschema has the SQL of package mysqlstore, for tools that have no use for
// its driver.
package mysqlschema

import _ "embed"

// SQL are the statements that make the tables. Running them again changes nothing.
//
//go:embed schema.sql
var SQL string

// Version is what they leave in duckgen_schema.
const Version = 1
