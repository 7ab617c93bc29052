package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

const (
	roxy   = "https://roxy.example.com"
	gloria = "https://gloria.example.com"
)

// A town has the cinemas on one server, with one store.
type town struct {
	*testing.T
	server *httptest.Server
	store  *testStore
	roxy   *house
	gloria *house
	late   atomic.Int64 // how far the clock is ahead
}

func newTown(t *testing.T) *town {
	t.Helper()
	memory := memstore.New()
	t.Cleanup(func() { memory.Close() })
	store := &testStore{Store: memory}
	town := &town{T: t, store: store}
	site, err := newSite(store, []Cinema{
		{Host: "roxy.example.com", Name: "Roxy", Films: map[string]int{"Duck Soup": 7, "Key Largo": 2}},
		{Host: "gloria.example.com", Name: "Gloria", Films: map[string]int{"Duck Soup": 7}},
	}, func(c *runtime.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(town.late.Load())) }
	})
	if err != nil {
		t.Fatal(err)
	}
	town.roxy, town.gloria = site["roxy.example.com"], site["gloria.example.com"]
	town.server = httptest.NewTLSServer(site.handler())
	t.Cleanup(town.server.Close)
	return town
}

// A testStore fails, or has the next loads wait for each other, as a test says.
type testStore struct {
	runtime.Store
	down    atomic.Bool
	awaited atomic.Int64
	meeting sync.WaitGroup
}

// Unwrap keeps what else the store can do.
func (s *testStore) Unwrap() runtime.Store { return s.Store }

func (s *testStore) await(loads int) {
	s.meeting.Add(loads)
	s.awaited.Store(int64(loads))
}

func (s *testStore) Load(ctx context.Context, key runtime.Key) (*runtime.Record, error) {
	if s.down.Load() {
		return nil, errors.New("down")
	}
	record, err := s.Store.Load(ctx, key)
	if s.awaited.Add(-1) >= 0 {
		s.meeting.Done()
		s.meeting.Wait()
	}
	return record, err
}

// A browser keeps cookies and follows redirects.
type browser struct {
	*town
	client *http.Client
}

func (t *town) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := *t.server.Client() // it has every host of example.com at the server
	client.Jar = jar
	return &browser{t, &client}
}

// A shown is the page that a browser shows in the end.
type shown struct {
	url    string
	status int
	text   string
}

func (b *browser) get(address string) shown {
	b.Helper()
	return b.open(b.client.Get(address))
}

// post sends a form, given as name and value in turn.
func (b *browser) post(address string, form ...string) shown {
	b.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	return b.open(b.client.PostForm(address, values))
}

func (b *browser) open(res *http.Response, err error) shown {
	b.Helper()
	if err != nil {
		b.Error(err) // not Fatal: browsers are also used by other goroutines
		return shown{}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.Error(err)
	}
	return shown{res.Request.URL.String(), res.StatusCode, string(text)}
}

// want checks the last part of a page's path, its status and a part of it.
func (b *browser) want(got shown, page string, status int, text string) {
	b.Helper()
	if path.Base(got.url) != page || got.status != status || !strings.Contains(got.text, text) {
		b.Errorf("%s has status %d:\n%s\nwant %s with %d and %q", got.url, got.status, got.text, page, status, text)
	}
}

// begin starts a booking and returns what the paths of its pages begin with.
func (b *browser) begin(cinema string) string {
	b.Helper()
	page := b.post(cinema + "/bookings")
	b.want(page, "film", http.StatusOK, "Duck Soup")
	return strings.TrimSuffix(page.url, "film")
}

// fill goes through all steps but the last.
func (b *browser) fill(booking, film, seats string) {
	b.Helper()
	b.want(b.post(booking+"film", "film", film), "seats", http.StatusOK, "that are left")
	b.want(b.post(booking+"seats", "seats", seats), "guest", http.StatusOK, "E-mail")
	b.want(b.post(booking+"guest", "name", "Ada", "email", "ada@example.com"), "check", http.StatusOK, seats+" for "+film+", Ada, ada@example.com")
}

func (b *browser) wantTickets(cinema, want string) {
	b.Helper()
	if page := b.get(cinema); !strings.Contains(page.text, "<ul>"+want+"</ul>") {
		b.Errorf("%s shows\n%s\nwant %s", cinema, page.text, want)
	}
}

const none = "<li>You have no tickets.</li>"

func TestSeatsAreBookedStepByStep(t *testing.T) {
	b := newTown(t).browser()
	b.wantTickets(roxy, none)
	booking := b.begin(roxy)
	b.fill(booking, "Duck Soup", "3")
	b.want(b.post(booking+"confirm"), "roxy.example.com", http.StatusOK, "3 for Duck Soup, Ada")
	b.want(b.get(booking+"check"), "check", http.StatusGone, "This booking is over")
	if left := b.roxy.left("Duck Soup"); left != 4 {
		t.Errorf("%d seats are left", left)
	}
}

func TestAStepCannotBeSkipped(t *testing.T) {
	b := newTown(t).browser()
	booking := b.begin(roxy)
	b.want(b.get(booking+"check"), "film", http.StatusOK, "Key Largo")
	b.want(b.post(booking+"guest", "name", "Ada", "email", "ada@example.com"), "film", http.StatusOK, "Key Largo")
	b.want(b.post(booking+"film", "film", "Key Largo"), "seats", http.StatusOK, "of 2 that are left")
	b.want(b.post(booking+"confirm"), "seats", http.StatusOK, "of 2 that are left")
	b.want(b.get(booking+"intermission"), "intermission", http.StatusNotFound, "")
	b.wantTickets(roxy, none)
}

func TestAStepThatIsFilledInWronglyIsShownAgain(t *testing.T) {
	b := newTown(t).browser()
	booking := b.begin(roxy)
	b.want(b.post(booking+"film", "film", "Jaws"), "film", http.StatusUnprocessableEntity, "Please choose a film.")
	b.post(booking+"film", "film", "Duck Soup")
	for _, seats := range []string{"", "none", "0", "7"} {
		b.want(b.post(booking+"seats", "seats", seats), "seats", http.StatusUnprocessableEntity, "Please choose 1 to 6 seats.")
	}
	b.post(booking+"seats", "seats", "6")
	b.want(b.post(booking+"guest", "name", "Ada", "email", "none"), "guest", http.StatusUnprocessableEntity, `value="Ada"`)
	b.want(b.get(booking+"check"), "guest", http.StatusOK, `name="name" value=""`)
}

func TestGoingBackKeepsWhatIsFilledIn(t *testing.T) {
	b := newTown(t).browser()
	booking := b.begin(roxy)
	b.fill(booking, "Duck Soup", "2")
	b.want(b.get(booking+"seats"), "seats", http.StatusOK, `value="2"`)
	b.want(b.get(booking+"film"), "film", http.StatusOK, `value="Duck Soup" checked`)
	b.want(b.post(booking+"film", "film", "Key Largo"), "check", http.StatusOK, "2 for Key Largo, Ada")
}

func TestTwoTabsHaveABookingEach(t *testing.T) {
	b := newTown(t).browser()
	one, other := b.begin(roxy), b.begin(roxy)
	b.fill(one, "Duck Soup", "2")
	b.fill(other, "Key Largo", "1")
	b.post(one + "confirm")
	b.post(other + "confirm")
	b.wantTickets(roxy, "<li>2 for Duck Soup, Ada</li><li>1 for Key Largo, Ada</li>")
}

func TestADiscardedBookingIsOver(t *testing.T) {
	b := newTown(t).browser()
	kept, discarded := b.begin(roxy), b.begin(roxy)
	b.want(b.post(discarded+"discard"), "roxy.example.com", http.StatusOK, "You have no tickets.")
	b.want(b.post(discarded+"film", "film", "Duck Soup"), "film", http.StatusGone, "This booking is over")
	b.fill(kept, "Duck Soup", "2")
}

func TestABookingIsOverHalfAnHourAfterItsLastStep(t *testing.T) {
	b := newTown(t).browser()
	goesOn, left := b.begin(roxy), b.begin(roxy)
	b.late.Add(int64(29 * time.Minute))
	b.want(b.post(goesOn+"film", "film", "Duck Soup"), "seats", http.StatusOK, "of 7 that are left")
	b.late.Add(int64(29 * time.Minute))
	b.want(b.get(left+"film"), "film", http.StatusGone, "left alone for half an hour")
	b.want(b.post(goesOn+"seats", "seats", "2"), "guest", http.StatusOK, "E-mail")
	b.late.Add(int64(30 * time.Minute))
	b.want(b.post(goesOn+"confirm"), "confirm", http.StatusGone, "left alone for half an hour")
}

func TestAnOutageEndsNoBooking(t *testing.T) {
	b := newTown(t).browser()
	booking := b.begin(roxy)
	b.store.down.Store(true)
	b.want(b.get(booking+"film"), "film", http.StatusServiceUnavailable, "Please try again.")
	b.want(b.post(booking+"confirm"), "confirm", http.StatusServiceUnavailable, "Please try again.")
}

func TestADoubleClickBooksOnce(t *testing.T) {
	b := newTown(t).browser()
	booking := b.begin(roxy)
	b.fill(booking, "Duck Soup", "1")
	var clicks sync.WaitGroup
	b.store.await(2)
	for range 2 {
		clicks.Go(func() { b.post(booking + "confirm") })
	}
	clicks.Wait()
	b.wantTickets(roxy, "<li>1 for Duck Soup, Ada</li>")
	if left := b.roxy.left("Duck Soup"); left != 6 {
		t.Errorf("%d seats are left", left)
	}
}

func TestABookingGoesOnWhereSeatsAreGone(t *testing.T) {
	town := newTown(t)
	ada, eve := town.browser(), town.browser()
	hers, other := ada.begin(roxy), eve.begin(roxy)
	ada.fill(hers, "Key Largo", "2")
	eve.fill(other, "Key Largo", "1")
	eve.post(other + "confirm")
	ada.want(ada.post(hers+"confirm"), "confirm", http.StatusConflict, "There are not as many seats left.")
	ada.want(ada.post(hers+"seats", "seats", "1"), "check", http.StatusOK, "1 for Key Largo, Ada")
	ada.post(hers + "confirm")
	ada.wantTickets(roxy, "<li>1 for Key Largo, Ada</li>")
}

func TestOneCinemaSeesNothingOfAnother(t *testing.T) {
	town := newTown(t)
	b := town.browser()
	booking := b.begin(roxy)
	b.fill(booking, "Duck Soup", "3")
	b.carry(roxy, gloria)
	b.wantTickets(gloria, none)
	b.want(b.get(gloria+strings.TrimPrefix(booking, roxy)+"check"), "check", http.StatusGone, "This booking is over")
	b.fill(b.begin(gloria), "Duck Soup", "1")
	town.wantSessions(1, 1)
	if n, err := town.gloria.sessions.RevokeAll(t.Context()); n != 1 || err != nil {
		t.Errorf("%d sessions of one cinema are ended (%v)", n, err)
	}
	town.wantSessions(1, 0)
	b.post(booking + "confirm")
	b.wantTickets(roxy, "<li>3 for Duck Soup, Ada</li>")
	if town.roxy.left("Duck Soup") != 4 || town.gloria.left("Duck Soup") != 7 {
		t.Error("the seats of two cinemas are the same")
	}
}

// carry gives one host the cookies of another, as no browser would.
func (b *browser) carry(from, to string) {
	b.Helper()
	source, err := url.Parse(from)
	if err != nil {
		b.Fatal(err)
	}
	target, err := url.Parse(to)
	if err != nil {
		b.Fatal(err)
	}
	cookies := b.client.Jar.Cookies(source)
	if len(cookies) == 0 {
		b.Fatalf("%s has set no cookie", from)
	}
	b.client.Jar.SetCookies(target, cookies)
}

func (t *town) wantSessions(atRoxy, atGloria int) {
	t.Helper()
	for h, want := range map[*house]int{t.roxy: atRoxy, t.gloria: atGloria} {
		n := 0
		for _, err := range h.sessions.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != want {
			t.Errorf("%s has %d sessions, want %d", h.name, n, want)
		}
	}
}

func TestThereIsNoCinemaAtAnotherHost(t *testing.T) {
	b := newTown(t).browser()
	b.want(b.get("https://example.com/"), "example.com", http.StatusNotFound, "there is no cinema at this address")
}
