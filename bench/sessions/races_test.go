package sessions

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
)

// rounds is how often each interleaving is forced.
const rounds = 1000

// begin starts a request that reads, and ends it with the handler when told to.
func (b browser) begin(a app, handler http.HandlerFunc) (end func()) {
	loaded, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	w := httptest.NewRecorder()
	h := a.handler(func(w http.ResponseWriter, r *http.Request) {
		a.read(r, "name")
		close(loaded)
		<-proceed
		handler(w, r)
	})
	go func() {
		defer close(done)
		h.ServeHTTP(w, b.request())
	}()
	<-loaded
	return func() {
		close(proceed)
		<-done
		b.receive(w.Result())
	}
}

// look returns a field as the next request sees it.
func (b browser) look(a app, field string) (value string) {
	b.visit(a, func(_ http.ResponseWriter, r *http.Request) { value = a.read(r, field) })
	return value
}

func set(a app, field, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { a.write(w, r, field, value) }
}

// TestTwoRequestsAtOnce counts, for each library, the changes that are lost and
// the sessions that come back to life. duckgen loses none and revives none.
func TestTwoRequestsAtOnce(t *testing.T) {
	for _, a := range apps(t) {
		var lost, revived int
		for range rounds {
			if losesAChange(a) {
				lost++
			}
			if revives(a) {
				revived++
			}
		}
		t.Logf("%-14s lost %4d, revived %4d of %d", a.name, lost, revived, rounds)
		if a.name == "duckgen" && lost+revived > 0 {
			t.Error("duckgen promises that neither happens")
		}
	}
}

// losesAChange has two requests change a field each.
func losesAChange(a app) bool {
	b := browser{}
	b.visit(a, a.fill)
	first, second := b.begin(a, set(a, "theme", "plain")), b.begin(a, set(a, "locale", "fr"))
	first()
	second()
	return b.look(a, "theme") != "plain" || b.look(a, "locale") != "fr"
}

// revives signs out while another request is about to write, and then looks
// whether the cookie from before still opens the session.
func revives(a app) bool {
	b := browser{}
	b.visit(a, a.fill)
	before := maps.Clone(b)
	slow := b.begin(a, set(a, "theme", "plain"))
	b.visit(a, a.destroy)
	slow()
	return before.look(a, "name") != ""
}
