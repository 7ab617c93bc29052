// Package accounts hands out sessions that another package declares.
package accounts

import (
	"net/http"

	"github.com/duckgen/duckgen/examples/shop/session"
)

type Session = session.VisitorSession

// Account is a session with more to it.
type Account struct{ *session.VisitorSession }

func Of(r *http.Request) Account { return Account{session.VisitorFrom(r.Context())} }

func Current(r *http.Request) *Session { return session.VisitorFrom(r.Context()) }

// Box holds anything.
type Box[T any] struct{ Value *T }

func (b *Box[T]) Put(v *T) { b.Value = v }

// Visitor is a struct like a generated one, and none.
type VisitorSession struct{ core *http.Request }

func (VisitorSession) Save() error   { return nil }
func (VisitorSession) Destroy()      {}
func (VisitorSession) Theme() string { return "" }
