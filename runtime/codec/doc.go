// Package codec has the codecs of every type that a session field can have, in
// both formats of package runtime. Generated code puts them together; nothing
// in here uses reflection. Codecs have no state and are safe for concurrent use.
//
// # Stored form
//
//	            MessagePack                JSON
//	bool        bool                       true, false
//	integers    the shortest integer       a number, digits only
//	floats      float32 where exact,       a number, or one of "NaN", "Infinity",
//	            else float64               "-Infinity" and "-0"
//	complex     an array of two floats     the same
//	string      str                        a string, escaped as below
//	[]byte      bin                        a string in base64 (RFC 4648, section 4)
//	time.Time   timestamp extension        a string in RFC 3339, in UTC; outside of
//	                                       the years 0 to 9999 "@seconds.nanoseconds"
//	                                       since 1970
//	pointer     nil, or the value          null, or the value
//	slice       array                      an array
//	array       array, of exactly its      the same
//	            length
//	map         map, sorted by key         an object, sorted by key
//	struct      map from member names,     an object
//	            without zero members
//	Binary      bin                        a string in base64
//	Text        str                        a string, escaped as below
//
// A pointer to a pointer is nil or an array of one element, so that the
// pointers stay apart. Integer keys of a map are integers in MessagePack and
// decimal strings in JSON.
//
// Equal values have equal encodings. Floats are told apart by their bits, so -0
// is not 0; all NaNs are one. An empty slice or map is the same as a nil one and
// is read as nil. Times are instants, read in UTC.
//
// # Strings in JSON
//
// JSON has no bytes that are not UTF-8, and Postgres no NUL. In strings and in
// keys of maps, the bytes NUL, DEL and those that are not part of valid UTF-8
// are each written as DEL and two lower-case hexadecimal digits. All other
// strings are unchanged.
//
// # Reading
//
// JSON may come back with other white space, another order of members and other
// spellings of its numbers and strings, as from a Postgres jsonb column, and
// MessagePack with other widths of its numbers. An integer takes any number with
// exactly its value (1e2 is 100), or none; a float takes the nearest value, and
// none that is beyond its range. Of duplicate members and keys the last one
// counts. A struct skips members that it does not know, and those that are
// missing are zero.
//
// Reading any bytes gives a value or an error. Memory grows with the bytes that
// are really there, whatever lengths they claim, and however large the elements are
// that have only one: a value that refers to more than 64 bytes of memory for each
// byte, and 64 KiB, is refused, when it is to be stored as when it is read. For an
// element of a map field it is 4 KiB. An error says where in the value it is, what was expected and
// what kind of thing was found, but never shows a stored value except the keys
// of maps.
package codec
