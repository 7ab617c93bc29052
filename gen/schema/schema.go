// Package schema says what sessions are, as plain data: what a package
// declares, what each field is called, stored as and allowed to do. It is what
// reading leaves behind and all that emitting needs.
package schema

import "time"

// A File is one source file with sessions, and the file generated beside it.
type File struct {
	Package    Package
	Source     string // base name, "session.go"
	Output     string // base name, "session_duckgen.go"
	Constraint string // build constraint carried over, "//go:build linux"; empty: none
	Sessions   []*Session
}

// A Package is where a file belongs, and which names are taken there.
type Package struct {
	Path string
	Name string
	// Scope holds every package-level identifier that is declared by hand.
	Scope map[string]bool
	// Imports holds the names under which hand-written files import packages.
	// A package-level identifier cannot have one of them; an import can.
	Imports map[string]bool
}

// A Session is one annotated struct.
type Session struct {
	Name   string // stem of the generated names, "Visitor"
	Struct string // the Go type, "Visitor"
	Kind   string // "example.com/shop/session.Visitor"
	Policy Policy
	Hooks  Hooks
	Fields []*Field
	Layout []StructField // every field of the struct in order, for the guard
}

// Hooks says for which transports hooks are generated.
type Hooks struct{ HTTP, Lively bool }

// A Field is one session field.
type Field struct {
	Name    string   // the Go field, "UserID"
	Doc     []string // lines of its comment, without slashes
	Key     string   // the stored identity, "user_id"
	Was     string   // an earlier key; empty: none
	Type    *Type
	Shape   Shape
	Merge   Merge
	Default *Literal      // nil: the zero value
	Max     int           // 0: no limit
	TTL     time.Duration // life of a value, or of each element of a map; 0: no limit
	Once    bool
	Secret  bool
	Index   bool
	Limit   int // sessions that one indexed value may have; 0: any number
	Renew   bool
}

// A Shape says how a field is stored and which accessors it has.
type Shape uint8

const (
	Value      Shape = iota // one entry
	Counter                 // one counter
	List                    // one entry, read element by element
	Map                     // an entry for each element
	CounterMap              // a counter for each element
)

// Merge says what becomes of concurrent changes to one field.
type Merge string

const (
	Last   Merge = "last"
	First  Merge = "first"
	Sum    Merge = "sum"
	Max    Merge = "max"
	Min    Merge = "min"
	Append Merge = "append"
)

// A Literal is a default value: a bool, int64, uint64, float64, string or
// time.Duration.
type Literal struct{ Value any }

// A StructField is a field of a Go struct.
type StructField struct {
	Name     string
	Type     *Type
	Embedded bool
}

// A Member is a field of a struct that is stored with it.
type Member struct {
	StructField
	Key string // the name that it is stored under
	Was string // an earlier one that is still read; empty: none
}

// A TypeForm says how values of a type are encoded.
type TypeForm uint8

const (
	Opaque          TypeForm = iota // not encoded; only named in a guard
	Basic                           // bool, numbers, strings; Basic says which
	Bytes                           // []byte and named types on it
	Time                            // time.Time
	Pointer                         // Elem
	Slice                           // Elem
	Array                           // Elem, Len
	MapOf                           // Key, Elem
	Struct                          // Members
	BinaryMarshaler                 // marshals itself
	TextMarshaler                   // marshals itself
)

// A Type is a Go type: how it is written, and how it is encoded.
type Type struct {
	Form    TypeForm
	Name    *Name  // nil: an unnamed type, written by its form
	Basic   string // the predeclared type it is or is based on, "int64"
	Key     *Type
	Elem    *Type
	Len     int64
	Members []Member // of a struct, those that are stored, in order

	// Literal is the type as Go writes it if Form is Opaque and Name is nil,
	// as a list of texts and names in turn.
	Literal []LiteralPart
}

// A Name is a named, aliased or instantiated type.
type Name struct {
	Path    string // import path; empty: predeclared
	Package string // the package's own name
	Name    string
	Args    []*Type
}

// A LiteralPart is a piece of Go text or a name to be qualified.
type LiteralPart struct {
	Text string
	Name *Name
}
