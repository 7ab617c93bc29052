package diag

// A Code names a kind of finding for good: a code is never reused for another
// meaning. What each means and how to cure it is in docs/findings.md.
type Code string

// Loading a package.
const (
	PackageLoad Code = "DG001" // the package cannot be loaded, or is not of the main module
	Syntax      Code = "DG002" // a syntax error in a file with sessions
	MissingType Code = "DG003" // the type of a field cannot be resolved
	ForeignFile Code = "DG004" // something that is not duckgen's is where the output belongs
	SourceName  Code = "DG005" // a file whose name generated code cannot bear
)

// The directive.
const (
	NearMiss           Code = "DG010" // a misspelt directive
	MisplacedDirective Code = "DG011" // the directive is not above a struct type
	GenericSession     Code = "DG012" // the struct has type parameters
	UnknownKey         Code = "DG013" // a key that the directive does not have
	RepeatedKey        Code = "DG014" // a key that is given twice
	BadValue           Code = "DG015" // a value that does not parse or is out of range
	CookiePolicy       Code = "DG016" // settings that exclude each other
	NoDirective        Code = "DG017" // session tags in a struct without the directive
	NoFields           Code = "DG018" // a session that stores nothing
)

// Fields and their tags.
const (
	MalformedTag   Code = "DG020" // the tag is not key:"value" pairs, or its value does not parse
	UntaggedField  Code = "DG021" // an exported field without a tag
	UnexportedTag  Code = "DG022" // a tag on an unexported field
	EmbeddedField  Code = "DG023" // an embedded field in a session
	BadKey         Code = "DG024" // a key that is not [a-z0-9_]+
	DuplicateKey   Code = "DG025" // a key that is taken or reserved
	UnknownOption  Code = "DG026" // an option that tags do not have
	OptionValue    Code = "DG027" // an option that is repeated, or whose value is missing or wrong
	OptionMisfit   Code = "DG028" // an option that the field's type does not allow
	OptionConflict Code = "DG029" // options that exclude each other
	BadDefault     Code = "DG030" // a default that does not fit its field
	RepeatedField  Code = "DG031" // a second field of one name
)

// Types.
const (
	UnsupportedType  Code = "DG040" // channels, functions, interfaces, unsafe pointers
	PointerToPointer Code = "DG041" // more than one level of optional
	MapKey           Code = "DG042" // a map key that is neither string nor integer
	RecursiveType    Code = "DG043" // a type that contains itself
	NothingStored    Code = "DG044" // a struct without exported fields
	InaccessibleType Code = "DG045" // a type that generated code may not name
	UnnamedStruct    Code = "DG046" // a struct literal type that generated code cannot spell
	CopiedLock       Code = "DG047" // a lock, which must not be copied
	HiddenMember     Code = "DG048" // a member that JSON leaves out, without a session tag
	TypeTooLarge     Code = "DG049" // a type that is too deep, or has too many parts
)

// Names.
const (
	AccessorClash Code = "DG050" // a field whose accessors meet other methods
	NameClash     Code = "DG051" // a generated name that is declared by hand
	SessionClash  Code = "DG052" // two sessions with one generated name
	SharedCookie  Code = "DG053" // two sessions with one cookie name
	SharedKind    Code = "DG054" // two sessions with one kind
)

// Other generators.
const (
	PendingMethods Code = "DG060" // a type that another generator has yet to give methods
)

// Codes returns every code in order.
func Codes() []Code {
	return []Code{
		PackageLoad, Syntax, MissingType, ForeignFile, SourceName,
		NearMiss, MisplacedDirective, GenericSession, UnknownKey, RepeatedKey, BadValue, CookiePolicy,
		NoDirective, NoFields,
		MalformedTag, UntaggedField, UnexportedTag, EmbeddedField, BadKey, DuplicateKey, UnknownOption,
		OptionValue, OptionMisfit, OptionConflict, BadDefault, RepeatedField,
		UnsupportedType, PointerToPointer, MapKey, RecursiveType, NothingStored, InaccessibleType, UnnamedStruct,
		CopiedLock, HiddenMember, TypeTooLarge,
		AccessorClash, NameClash, SessionClash, SharedCookie, SharedKind,
		PendingMethods,
	}
}
