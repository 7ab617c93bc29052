package copied

import (
	"fmt"
	"net/http"
	"reflect"
	"sync/atomic"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime/lively"
)

type visitor = session.VisitorSession

type page struct {
	session session.VisitorSession // want `a VisitorSession is used by its pointer: write \*session.VisitorSession`
	visitor                        // want `a visitor is used by its pointer: write \*visitor`
}

type fine struct {
	*session.VisitorSession
	other    *visitor
	last     atomic.Pointer[session.VisitorSession]
	endpoint *lively.Endpoint[visitor]
	from     func(*http.Request) *session.VisitorSession
	sessions *session.VisitorSessions
	plain    session.Visitor
}

var (
	list  []session.VisitorSession      // want `write \*session.VisitorSession`
	table map[string]visitor            // want `write \*visitor`
	queue chan (session.VisitorSession) // want `write \*session.VisitorSession`
	some  map[string][]*session.VisitorSession
	none  session.VisitorSession // want `this VisitorSession belongs to no request, and its first use panics: take it from VisitorFrom`
)

func byValue(s session.VisitorSession) {} // want `a VisitorSession is used by its pointer`

func several(s ...session.VisitorSession) {} // want `write \.\.\.\*session.VisitorSession`

func returned(s *session.VisitorSession) session.VisitorSession { // want `a VisitorSession is used by its pointer`
	return *s // want `this copies a VisitorSession`
}

func copies(s *session.VisitorSession) {
	before := *s                      // want `this copies a VisitorSession: the copy is the same session, and its data is not copied; keep the pointer, or use Snapshot`
	fmt.Println(before.Theme(), (*s)) // want `this copies a VisitorSession`
	*s = *new(session.VisitorSession) // want `this copies a VisitorSession` `this VisitorSession belongs to no request`
	_ = &session.VisitorSession{}     // want `this VisitorSession belongs to no request`
}

var (
	_ fmt.Formatter = session.VisitorSession{}
	_ fmt.Formatter = &session.VisitorSession{}
	_               = reflect.TypeOf(session.VisitorSession{})
	_               = reflect.TypeFor[session.VisitorSession]()
)

func uses(s *session.VisitorSession) string {
	same := &*s
	_ = any(s).(*visitor)
	plain := s.Snapshot()
	return (*s).Theme() + same.Theme() + plain.Theme
}

// new shadows the builtin function.
func shadowed(new func(s *session.VisitorSession), s *session.VisitorSession) { new(s) }
