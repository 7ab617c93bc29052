// Package sessions compares duckgen's sessions with those of other libraries:
// what a request costs, and what survives two requests at once. All of it is in
// tests and benchmarks.
package sessions
