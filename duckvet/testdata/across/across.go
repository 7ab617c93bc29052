package across

import (
	"net/http"

	"github.com/duckgen/duckgen/duckvet/testdata/accounts"
)

var (
	latest *accounts.Session
	box    accounts.Box[accounts.Session]
	other  accounts.VisitorSession
)

func alias(w http.ResponseWriter, r *http.Request) {
	s := accounts.Current(r)
	latest = s    // want `package variable latest`
	box.Value = s // want `package variable box`
	box.Put(s)
	s.Load(r.Context()) // want `the error of Load is dropped`
	byValue(*s)         // want `this copies a VisitorSession`
}

func byValue(accounts.Session) {} // want `a Session is used by its pointer: write \*accounts.Session`

func embedded(w http.ResponseWriter, r *http.Request) {
	a := accounts.Of(r)
	a.Load(r.Context())       // want `the error of Load is dropped`
	latest = a.VisitorSession // want `package variable latest`
	a.Destroy()
	println(a.Theme()) // want `Theme is read after Destroy`
}

func notGenerated() string {
	s := other
	s.Save()
	s.Destroy()
	return s.Theme()
}
