package lively

import (
	"container/list"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The protocol of the browser client, which numbers the events of a page and has
// each of them answered.
const subprotocol = "duckgen.live.1"

// A page names itself in the handshake by a second subprotocol, which is never
// selected: duckgen.page.ID.KEY.ANSWERED.FETCHED. The header is not in the logs in
// which a URL is. The id is no secret, because handlers keep it and logs have it: only
// who has the key, too, takes over the events of a page and what it was to fetch.
const pagePrefix = "duckgen.page."

// A pageName has an id and a key, by chance for each load of a document.
type pageName struct{ id, key string }

// A greeting is what a page says of itself when it connects: its name, the number of
// the last event whose answer it has, and how often it was told to fetch a cookie.
type greeting struct {
	name              pageName
	answered, fetched uint64
}

var errGreeting = errors.New("the page names itself in no way that the protocol has")

// greetingOf returns what the page says of itself, nil if it does not ask for the
// protocol in which it would.
func greetingOf(r *http.Request) (*greeting, error) {
	asked, page := false, ""
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			asked = asked || name == subprotocol
			if rest, ok := strings.CutPrefix(name, pagePrefix); ok {
				page = rest
			}
		}
	}
	if !asked {
		return nil, nil
	}
	parts := strings.Split(page, ".")
	if len(parts) != 4 || !isRandom(parts[0]) || !isRandom(parts[1]) {
		return nil, errGreeting
	}
	answered, err := strconv.ParseUint(parts[2], 10, 63)
	fetched, err2 := strconv.ParseUint(parts[3], 10, 63)
	if errors.Join(err, err2) != nil {
		return nil, errGreeting
	}
	return &greeting{pageName{parts[0], parts[1]}, answered, fetched}, nil
}

// isRandom reports whether a text can be one by chance.
func isRandom(text string) bool { return len(text) >= 16 && len(text) <= 64 }

// pages remembers which events of its pages an endpoint has taken up, also for
// those whose connection broke: they come back and ask.
type pages struct {
	limit   int // of pages without a connection
	answers int // that are kept for each page

	mu     sync.Mutex
	byName map[pageName]*pageState
	gone   list.List // of *pageState, without a connection, the longest first
}

func newPages(limit, answers int) *pages {
	return &pages{limit: limit, answers: answers, byName: map[pageName]*pageState{}}
}

// A pageState is what is known of one page. Its fields are guarded by pages.mu.
type pageState struct {
	all  *pages
	name pageName
	conn *Conn         // the last one, until its last event has run
	open bool          // more events of it may be taken up
	gone *list.Element // while it is not open

	taken    uint64 // the number of the last event that was taken up
	answers  []answer
	fetches  uint64 // how often the page was told to fetch
	fetch    string // what, the last time
	fetchEnd time.Time
}

// An answer is what has become of an event.
type answer struct {
	number  uint64
	outcome Outcome
}

// ticketLife is how long what a page is told to fetch can be of use to it.
const ticketLife = 30 * time.Second

// join makes the connection the page's. It returns the one before, if events of
// that may run, and whether anything is known of the page.
func (all *pages) join(g *greeting, c *Conn) (p *pageState, before *Conn, known bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	p, known = all.byName[g.name]
	if !known {
		p = &pageState{all: all, name: g.name, fetches: g.fetched}
		all.byName[g.name] = p
	}
	if p.gone != nil {
		all.gone.Remove(p.gone)
		p.gone = nil
	}
	before = p.conn
	p.conn, p.open = c, true
	return p, before, known
}

// leave takes no more events of the connection.
func (p *pageState) leave(c *Conn) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	if p.conn != c || !p.open {
		return
	}
	p.open = false
	p.gone = p.all.gone.PushBack(p)
	if p.all.gone.Len() > p.all.limit {
		oldest := p.all.gone.Remove(p.all.gone.Front()).(*pageState)
		delete(p.all.byName, oldest.name)
	}
}

// ended notes that the last event of the connection has run.
func (p *pageState) ended(c *Conn) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	if p.conn == c {
		p.conn = nil
	}
}

// take reports whether an event is to be run: it is new, and the connection is
// still the page's.
func (p *pageState) take(c *Conn, number uint64) bool {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	if p.conn != c || !p.open || number <= p.taken {
		return false
	}
	p.taken = number
	return true
}

// answer remembers what has become of an event.
func (p *pageState) answer(a answer) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	if len(p.answers) >= p.all.answers {
		p.answers = append(p.answers[:0], p.answers[len(p.answers)-p.all.answers+1:]...)
	}
	p.answers = append(p.answers, a)
}

// since returns the answers of the events after that number, and the number of the
// last one that was taken up.
func (p *pageState) since(number uint64) (answers []answer, taken uint64) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	for _, a := range p.answers {
		if a.number > number {
			answers = append(answers, a)
		}
	}
	return answers, p.taken
}

// toFetch notes what the page is told to fetch.
func (p *pageState) toFetch(url string) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	p.fetches++
	p.fetch, p.fetchEnd = url, time.Now().Add(ticketLife)
}

// unfetched returns what the page was told to fetch when its connection broke, if
// it does not know that.
func (p *pageState) unfetched(known uint64) (url string, ok bool) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	return p.fetch, p.fetches > known && time.Now().Before(p.fetchEnd)
}

// eventID is different for each event of each page.
func (p *pageState) eventID(number uint64) string { return fmt.Sprintf("%s.%d", p.name.id, number) }
