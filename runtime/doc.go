// Package runtime is what generated sessions stand on. It imports the standard
// library alone.
//
// # For programs
//
// A program opens a [Store], of memstore, sqlitestore, redisstore or pgstore, and
// hands it to the generated New…Sessions with functions that change the [Config].
// Everything else it does with the generated types; of this package it meets the
// errors, [StatusOf], the [Event] that Config.OnEvent is given, and [LivelyConn] if
// it brings a live connection of its own.
//
// # For generated code
//
// Generated code describes a session type by a [Model] of typed fields, [Value],
// [Counter], [List], [Map] and [CounterMap], and wraps a [Session] and a [Manager].
// Data flows forward: a setter encodes its value and leaves a pending change in the
// session's draft; the commit turns the draft into one [Delta]; the store applies
// that to the [Record] in one atomic step. A getter reads the draft, which is what
// is stored with what is pending on top.
//
// # For authors of stores
//
// A store implements the four methods of [Store]; [Record.Read], [Record.Apply] and
// [Record.End] define what each of them does in one atomic step, and package
// storetest checks it. It may offer more: [Formatter], [Indexer], [Watcher],
// [Sweeper]. Nothing of the contract knows a session.
//
// # Words
//
//   - A token is what the cookie carries: the id of a session, which stays, and a
//     secret, which a renewal changes. The handle is the id as text, for logs.
//   - A proof is the hash of a secret, which is all that a store keeps of it. A
//     record has one current proof and the last earlier ones.
//   - A record is a stored session. Its entries are a scalar field each, or an
//     element of a map field each.
//   - A delta is what one commit changes of a record.
//   - A draft is the entries as one request sees them: what is stored, as far as it
//     is known, with what is pending on top. A pending change that would leave the
//     record as it is, is withdrawn.
//   - The sight of a session is what it knows of its record: nothing yet, that there
//     is none, the record, or why nothing more is committed.
//   - To renew is to change the secret. A sign-in, which is setting a field with the
//     option renew, ends every earlier token at once; a plain renewal leaves them
//     the grace.
//   - A mark is what a store keeps of a session that has ended, so that requests
//     under way learn that it has.
//   - A misfit is a stored value that does not fit its field. The field reads as its
//     default, and the value stays until the field is written.
//   - A ticket lets the page of a live connection fetch a new cookie, once.
package runtime
