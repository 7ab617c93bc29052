// Package runtime is what generated sessions stand on: the token and its
// cookie, expiry, the stored record and the deltas that change it, the typed
// fields with their dirty state, and the hooks that load and save a session
// around an HTTP request or a Lively event.
//
// Programs meet four things of it: [Store] and the packages that implement it,
// [Config] with its [Cookie], the errors, and [LivelyConn]. Everything else
// serves generated code and the authors of stores. It imports the standard
// library alone.
//
// Data flows forward through the package. A typed field ([Value], [Counter],
// [List], [Map], [CounterMap]) encodes what a program sets and leaves a pending
// change in the [Session]. At the commit the session turns its changes into one
// [Delta], the store applies it to the [Record] in one atomic step, and
// [Record.Apply] is the definition of that step.
package runtime
