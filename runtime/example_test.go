package runtime_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"net/http"
	"time"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// The functions given to the generated constructor change the configuration. The
// error lists everything that cannot work.
func ExampleConfig() {
	_, err := session.NewVisitorSessions(memstore.New(), func(c *runtime.Config) {
		c.Age = 30 * 24 * time.Hour
		c.Idle = time.Hour
		c.Cookie.SameSite = http.SameSiteNoneMode
		c.Cookie.Secure = false
	})
	fmt.Println(err)
	// Output: sessions of session.Visitor: Cookie.SameSite is None without Secure, and browsers refuse that: set Secure, or use Lax
}

// Events are counted, and only what an operator has to look at is logged.
func ExampleEvent() {
	counts := expvar.NewMap("session_events")
	sessions, err := session.NewVisitorSessions(memstore.New(), func(c *runtime.Config) {
		c.OnEvent = func(_ context.Context, e runtime.Event) { counts.Add(string(e.Kind), 1) }
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/", sessions.Middleware(http.NotFoundHandler()))
}

// A handler that must know whether its change is stored saves by itself.
func ExampleStatusOf() {
	order := func(w http.ResponseWriter, r *http.Request) {
		s := session.VisitorFrom(r.Context())
		s.ClearCart()
		if err := s.Save(r.Context()); err != nil {
			http.Error(w, "Your order was not taken.", runtime.StatusOf(err))
			return
		}
		fmt.Fprintln(w, "Thank you.")
	}
	http.HandleFunc("POST /order", order)

	fmt.Println(runtime.StatusOf(runtime.ErrEnded), runtime.StatusOf(errors.New("the store is down")))
	// Output: 409 503
}
