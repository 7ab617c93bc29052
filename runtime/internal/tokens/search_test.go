package tokens

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/internal/testtier"
)

// A scenario is what the search begins with, and what may happen.
type scenario struct {
	name     string
	begin    session // the one that the browser has the token of
	attacks  string  // "", "planted", "thief" or "ticket"
	mine     string  // the browser's ops
	events   string  // those of its live connection, which is open
	theirs   string  // the attacker's
	stranger bool    // the browser comes without a token
	requests [2]uint8

	lossless bool // no answer is lost
	ordered  bool // answers arrive in the order of the store's steps, requests in that of their sending
	late     bool // but requests may be on their way for as long as they like
}

var (
	anonymous = session{status: live, cart: true, saw: none}
	signed    = session{status: live, user: victim, victims: true, cart: true, saw: none}
	empty     = session{status: live, saw: none}
)

var scenarios = []scenario{
	{name: "alone", begin: anonymous, mine: "rwnsod", requests: [2]uint8{3, 0}},
	{name: "alone, signed in", begin: signed, mine: "rwnsod", requests: [2]uint8{3, 0}},
	{name: "alone, never signing out", begin: anonymous, mine: "rwns", requests: [2]uint8{4, 0}},
	{name: "alone, on a good network", begin: anonymous, mine: "rwns", requests: [2]uint8{4, 0}, lossless: true, ordered: true},
	{name: "alone, renewing", begin: signed, mine: "rn", requests: [2]uint8{7, 0}, ordered: true, late: true},
	{name: "planted", begin: empty, attacks: "planted", mine: "wns", theirs: "wns", requests: [2]uint8{2, 2}},
	{name: "live", begin: anonymous, mine: "rs", events: "wns", requests: [2]uint8{3, 0}},
	{name: "live, on a good network", begin: signed, mine: "rwns", events: "wns", requests: [2]uint8{3, 0}, lossless: true, ordered: true},
	{name: "live, signing out", begin: signed, mine: "r", events: "nsod", requests: [2]uint8{3, 0}, lossless: true, ordered: true},
	{name: "live, without a session", begin: nothing, stranger: true, mine: "rs", events: "wns", requests: [2]uint8{3, 0}, lossless: true, ordered: true},
	{name: "live, beginning a session", begin: nothing, stranger: true, mine: "r", events: "wns", requests: [2]uint8{3, 0}, lossless: true, ordered: true},
	{name: "planted, live", begin: empty, attacks: "planted", mine: "sc", events: "ns", theirs: "lf", requests: [2]uint8{2, 2}},
	{name: "thief of a ticket", begin: signed, attacks: "ticket", mine: "r", events: "ns", theirs: "f", requests: [2]uint8{2, 1}},
	{name: "thief, live", begin: signed, attacks: "thief", mine: "rs", events: "ns", theirs: "nlf", requests: [2]uint8{2, 2}},
	{name: "thief who renews", begin: signed, attacks: "thief", mine: "r", theirs: "n", requests: [2]uint8{1, 6}, ordered: true},
}

// larger are for the exhaustive tier.
var larger = []scenario{
	{name: "alone, 4 requests", begin: anonymous, mine: "rwnsod", requests: [2]uint8{4, 0}},
	{name: "planted, every op", begin: empty, attacks: "planted", mine: "rwnsod", theirs: "rwnsod", requests: [2]uint8{2, 2}},
	{name: "thief", begin: signed, attacks: "thief", mine: "rns", theirs: "rns", requests: [2]uint8{2, 2}},
}

// A search goes through all worlds of a scenario, breadth first, so that what it finds
// has a shortest history.
type search struct {
	scenario
	from   map[world]world // how each was reached first
	next   []world
	broken string // of the step that is being taken
	found  string
	last   world
}

func TestTheRulesHold(t *testing.T) {
	list := scenarios
	if testtier.Exhaustive() {
		list = slices.Concat(scenarios, larger)
	}
	for _, sc := range list {
		t.Run(sc.name, func(t *testing.T) {
			s := &search{scenario: sc, from: map[world]world{}}
			s.run()
			if s.found != "" {
				t.Errorf("%s\n%s", s.found, s.history())
			}
			t.Logf("%d states", len(s.from))
		})
	}
}

func (s *search) run() {
	first := world{jar: token{session: 0}, left: s.requests, sessions: [3]session{s.begin, nothing, nothing}}
	if s.stranger {
		first.jar = none
	}
	if s.events != "" {
		first.connect()
	}
	first.in, first.carted = s.begin.user == victim, s.begin.cart
	if s.attacks == "planted" {
		first.knows[0] = 1
	}
	first.tidy()
	s.from[first] = first
	for level := []world{first}; len(level) > 0 && s.found == ""; level = s.next {
		s.next = nil
		for _, w := range level {
			if s.found == "" {
				s.last = w
				s.successors(w)
			}
		}
	}
}

// reach takes note of a world that a step has made, and judges it.
func (s *search) reach(w world) {
	broken := s.broken
	s.broken = ""
	w.tidy()
	if _, seen := s.from[w]; seen && broken == "" {
		return
	}
	if broken == "" {
		broken = s.judge(&w)
	}
	if _, seen := s.from[w]; !seen {
		s.from[w] = s.last
		s.next = append(s.next, w)
	}
	if broken != "" && s.found == "" {
		s.found, s.last = broken, w
	}
}

// history is the way to the last world.
func (s *search) history() string {
	var lines []string
	for w := s.last; ; w = s.from[w] {
		lines = append(lines, w.String())
		if s.from[w] == w {
			break
		}
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// String shows what there is in a world.
func (w world) String() string {
	text := fmt.Sprintf("jar %v, in %v, connection %v:", w.jar, w.in, w.conn)
	for i, s := range w.sessions {
		if s.status != absent {
			text += fmt.Sprintf(" session %d {user %d, status %d, earlier %07b, families %v, ticket %d for %v}", i, s.user, s.status, s.old, s.family, s.ticket, s.saw)
		}
	}
	for _, q := range slices.Concat(w.mine[:], w.theirs[:]) {
		if q.stage != idle {
			text += fmt.Sprintf(" %c (live %v) at %d with %v and ticket %d", q.op, q.event, q.stage, q.with, q.ticket)
		}
	}
	return text
}

func (w *world) isQuiet() bool { return w.mine[0].stage == idle && w.mine[1].stage == idle }

// judge returns which invariant a world breaks.
func (s *search) judge(w *world) string {
	if s.attacks == "" {
		return s.judgeAlone(w)
	}
	for i := range w.sessions {
		for _, t := range w.known(int8(i)) {
			if w.at(t).judge(t.place, evidence{}, read) != admitted {
				continue
			}
			switch {
			case s.attacks == "planted" && w.at(t).victims:
				return "T3: the token of an attacker opens the victim's session"
			case s.attacks == "thief" && w.clean && w.at(t).user == victim:
				return "T3: the token of a thief opens the session after a sign-in"
			case s.attacks == "thief" && w.at(t).user == victim && w.jar.session == t.session && w.jar.place >= forgotten &&
				w.at(t).judge(w.jar.place, evidence{}, read) == notFound:
				return "T12: the victim's token is merely unknown, and the thief goes on"
			}
		}
	}
	return ""
}

// judgeAlone is of a browser without an attacker.
func (s *search) judgeAlone(w *world) string {
	opens := w.jar.real() && w.at(w.jar).judge(w.jar.place, evidence{}, read) == admitted
	switch {
	case !w.in || !opens && !(w.isQuiet() && s.lossless && s.ordered):
		return ""
	case !opens:
		return "T2: the browser is signed in by its answers, and its cookie opens nothing"
	case s.lossless && s.ordered && w.at(w.jar).user != victim:
		return "T2: the browser is signed in by its answers, and its cookie is of nobody's session"
	case !s.stranger && !strings.ContainsAny(s.mine, "od") && w.carted && w.at(w.jar).user == victim && !w.at(w.jar).cart:
		return "T2: the cart is lost"
	}
	return ""
}

// successors takes every step that is possible.
func (s *search) successors(w world) {
	for i := range w.mine {
		s.sendMine(w, i)
		s.sendEvent(w, i)
		s.stepMine(w, i)
		if s.attacks != "" {
			s.sendTheirs(w, i)
			s.stepTheirs(w, i)
		}
	}
	if s.attacks == "thief" && !w.stolen && w.jar.real() {
		w := w
		w.stolen = true
		w.knows[w.jar.session] |= 1 << w.jar.place
		s.reach(w)
	}
	if s.attacks == "ticket" && !w.stolen {
		s.stealTicket(w)
	}
	if w.isQuiet() {
		w.pass()
		s.reach(w)
	}
}

func (s *search) sendMine(w world, i int) {
	if w.left[0] == 0 || w.mine[i].stage != idle || i == 1 && w.mine[0].stage == idle {
		return
	}
	for _, o := range []op(s.mine) {
		n := w
		n.left[0]--
		if o == connects {
			s.reconnect(n)
			continue
		}
		n.mine[i] = request{op: o, stage: sent, with: n.jar, answer: unchanged, robbed: n.stolen, bare: !n.jar.real()}
		n.leave(i)
		s.depart(n, i)
	}
}

// leave takes note of what signs out.
func (w *world) leave(i int) {
	if w.mine[i].op.leaves() {
		w.in, w.carted, w.mine[1-i].outdated = false, false, true
	}
}

// depart sends a request, which arrives at once if that is how the network is.
func (s *search) depart(w world, i int) {
	if s.ordered && !s.late {
		w.arrive(&w.mine[i])
	}
	s.reach(w)
}

func (w *world) arrive(q *request) {
	q.stage = arrived
	if q.with.real() {
		q.evidence = w.at(q.with).arrival(q.with.place)
	}
}

func (s *search) stepMine(w world, i int) {
	q := &w.mine[i]
	switch q.stage {
	case sent:
		w.arrive(q)
		s.reach(w)
	case arrived:
		if looks := w; q.with.real() {
			looks.load(&looks.mine[i])
			s.judgeAlarm(&w, &looks, q.with)
			looks.endLook(i)
			s.reach(looks)
		}
		switch {
		case q.op == fetches && !q.with.real():
			w.load(q)
			s.reach(w)
		case q.op == fetches:
		case q.op != reads && q.op != destroys:
			s.commitMine(w, i)
		case !q.with.real():
			*q = request{}
			s.reach(w)
		}
	case loaded:
		s.commitMine(w, i)
	case answered:
		s.answer(w, i)
	case told:
		s.sendFetch(w, i)
	}
}

// endLook ends a request that has nothing to commit.
func (w *world) endLook(i int) {
	if q := &w.mine[i]; q.op == reads || q.op == destroys && !q.seen {
		*q = request{}
	}
}

func (s *search) commitMine(w world, i int) {
	before := w
	q := &w.mine[i]
	if q.op == fetches {
		s.redeemMine(w, i)
		return
	}
	with := q.with
	answer, ok, room := w.commit(q)
	if !room {
		return
	}
	s.judgeAlarm(&before, &w, with)
	switch {
	case q.event:
		w.endEvent(q, answer, ok)
		s.reach(w)
	case answer != unchanged:
		s.reply(w, i, answer)
	default:
		if ok {
			w.acknowledge(*q, with)
		}
		*q = request{}
		s.reach(w)
	}
}

// reply sends an answer with a cookie.
func (s *search) reply(w world, i int, answer token) {
	q := &w.mine[i]
	q.stage, q.answer, q.with, q.ticket, q.shows = answered, answer, none, noTicketOf, redemption{cookie: none}
	q.later = s.ordered && w.mine[1-i].stage == answered
	s.reach(w)
}

// judgeAlarm judges whether a step of one of the browser's requests may raise an alarm.
func (s *search) judgeAlarm(before, after *world, with token) {
	if !with.real() || !after.at(with).alarmed || before.at(with).status != live {
		return
	}
	switch {
	case s.attacks == "":
		s.broken = "T5: an alarm without an attacker"
	case s.attacks == "planted" && before.at(with).victims:
		s.broken = "T10: an attacker's token raises an alarm in the victim's session"
	}
}

// acknowledge takes note of what an answer without a cookie says.
func (w *world) acknowledge(q request, with token) {
	if q.op == writes && with.real() && w.jar.session == with.session && w.jar.real() && !q.outdated {
		w.carted = true
	}
}

// answer brings the answer of a request to the browser, or loses it.
func (s *search) answer(w world, i int) {
	q := w.mine[i]
	if q.later {
		return
	}
	w.mine[i], w.mine[1-i].later = request{}, false
	if !s.lossless {
		s.reach(lostAnswer(w, q))
	}
	if q.bare && w.jar.session != q.answer.session { // R10: the browser keeps the last cookie
		w.in, w.carted = false, false
		w.mine[1-i].bare = true // its answer is of the session that the browser has left
	}
	w.jar = q.answer
	w.owed = w.owed && !q.pays
	switch {
	case q.does() == signsIn && !q.outdated:
		w.in, w.clean = true, w.clean || q.robbed
	case q.does() == writes && !q.outdated:
		w.carted = true
	}
	s.reach(w)
}

// lostAnswer is a world in which the browser does not know who is signed in.
func lostAnswer(w world, q request) world {
	owed := q.op == fetches && w.owed // what only a ticket can deliver ends with it
	w.in = w.in && q.does() != signsIn && !owed
	w.carted = w.carted && !owed
	return w
}

func (s *search) sendTheirs(w world, i int) {
	if w.left[1] == 0 || w.theirs[i].stage != idle || i == 1 && w.theirs[0].stage == idle {
		return
	}
	s.redeemTheirs(w, none)
	for session := range w.sessions {
		for _, t := range w.known(int8(session)) {
			s.redeemTheirs(w, t)
			for _, o := range []op(s.theirs) {
				if o == fetches {
					continue
				}
				n := w
				n.left[1]--
				if o == liveRenews {
					s.liveTheirs(n, i, t, o)
					continue
				}
				n.theirs[i] = request{op: o, with: t, answer: unchanged}
				n.arrive(&n.theirs[i])
				s.reach(n)
			}
		}
	}
}

func (s *search) stepTheirs(w world, i int) {
	q := w.theirs[i]
	switch q.stage {
	case arrived:
		looks := w
		looks.load(&looks.theirs[i])
		s.judgeAttack(&w, &looks, q.with)
		if l := &looks.theirs[i]; q.op == reads || !l.seen {
			*l = request{}
		}
		s.reach(looks)
		if q.op != reads && q.op != destroys {
			s.commitTheirs(w, i)
		}
	case loaded:
		s.commitTheirs(w, i)
	}
}

func (s *search) commitTheirs(w world, i int) {
	q := w.theirs[i]
	if !q.with.real() {
		w.theirs[i] = request{}
		s.reach(w)
		return
	}
	before := w
	if q.op == destroys {
		w.at(q.with).destroy(q.with.place, q.evidence)
	} else if v, won := w.update(q.with, q.evidence, changes[q.op], attacker, nil); v == admitted && won {
		w.knows[q.with.session] |= 1 << current
	}
	s.judgeAttack(&before, &w, q.with)
	w.theirs[i] = request{}
	s.reach(w)
}

// judgeAttack judges what a step of the store has done for the attacker.
func (s *search) judgeAttack(before, after *world, with token) {
	if s.attacks != "planted" || !with.real() || !before.at(with).victims || before.at(with).status != live {
		return
	}
	switch {
	case after.at(with).status != live:
		s.broken = "T3: an attacker ends the victim's session"
	case after.at(with).user == attacker:
		s.broken = "T3: an attacker signs in to the victim's session"
	}
}
