// Package read reads annotated structs into the schema: the directive above a
// struct, the tags of its fields, and the types that these have. Whatever is
// wrong becomes a finding, and reading goes on, so that one run shows all of
// it.
//
// A file is followed from top to bottom here: [Package] finds the structs
// (file.go), reads the directive (policy.go) and the fields (field.go) of each,
// with their types (types.go) and options (option.go), and at last checks what
// concerns several of them (clash.go).
package read
