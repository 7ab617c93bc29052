package sessiontest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// A program is a version of a program with sessions of type S. Several may run
// on one store and serve one browser.
type program[S any] struct {
	t          testing.TB
	store      runtime.Store
	middleware func(http.Handler) http.Handler
	from       func(context.Context) *S

	mu      sync.Mutex
	misfits []string // the entries that did not fit
	errs    []error
}

// testKey opens and seals the secret fields of every test.
var testKey = []byte("0123456789abcdef0123456789abc\x00\x01\x02")

// start runs a program on the store.
func start[S any, M interface {
	Middleware(http.Handler) http.Handler
}](
	t testing.TB, store runtime.Store,
	open func(runtime.Store, ...func(*runtime.Config)) (M, error),
	from func(context.Context) *S,
) *program[S] {
	t.Helper()
	p := &program[S]{t: t, store: store, from: from}
	sessions, err := open(store, func(c *runtime.Config) {
		c.Keys = [][]byte{testKey}
		c.OnEvent = func(_ context.Context, e runtime.Event) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if e.Kind == runtime.EventMisfit {
				p.misfits = append(p.misfits, e.Field)
			}
		}
		c.OnError = func(_ context.Context, err error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.errs = append(p.errs, err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.middleware = sessions.Middleware
	return p
}

// A jar holds the cookie of a browser.
type jar struct{ name, cookie string }

// visit serves a request of the browser.
func (p *program[S]) visit(j *jar, handler func(s *S)) {
	p.t.Helper()
	r := httptest.NewRequest("GET", "https://shop.example/", nil)
	if j.cookie != "" {
		r.Header.Set("Cookie", j.name+"="+j.cookie)
	}
	w := httptest.NewRecorder()
	p.middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		handler(p.from(r.Context()))
	})).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		j.name, j.cookie = c.Name, c.Value
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, err := range p.errs {
		p.t.Errorf("the program was told: %v", err)
	}
	p.errs = nil
}

// told returns the entries that did not fit, sorted, and forgets them.
func (p *program[S]) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	misfits := p.misfits
	p.misfits = nil
	slices.Sort(misfits)
	return misfits
}
