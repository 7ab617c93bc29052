// Package tokens has a model of the rules of tokens (T2 to T5, T8, T10, T12, R3, R7,
// S1, S4, L3): what a session does with each token that was ever given out, without
// secrets, times and entries. The model is searched exhaustively for a browser with two
// requests under way and a live connection, with an attacker or without, and the record
// of package runtime is held to it.
//
// A token is a place: 0 is the current one of its session, 1 to 4 are the earlier ones
// that a record remembers, newest first, and from 5 on those that it has forgotten, by
// their family. A renewal moves all of them, so two histories with the same relations
// are one state. Time is one step, "a grace passes".
package tokens
