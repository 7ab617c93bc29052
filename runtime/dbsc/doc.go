// Package dbsc binds sessions to the devices of their browsers, by the W3C draft
// Device Bound Session Credentials: the wire format, the proofs that a browser
// signs, and the endpoint to which it sends them. What is stored of a binding, and
// which requests it opens a session to, package runtime decides.
//
// Programs mount the generated BindHandler, and need nothing of this package but
// [Skipped], in a Config.BoundSkipped.
package dbsc
