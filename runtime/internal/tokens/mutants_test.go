package tokens

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/internal/mutation"
)

// A mutant is the model with a fault in its rules, which the search has to find, or the
// record with one, which the comparison has to find.
type mutant struct {
	fault    string
	file     string
	old, new string // what stands there once, and what replaces it
	found    string // what the test says
}

const (
	rulesFile = "rules_test.go"
	liveFile  = "live_test.go"
)

var applyFile = filepath.Join("..", "..", "apply.go")

var mutants = []mutant{
	{"L3: anybody redeems a ticket", rulesFile,
		"return by.same || listed(s.saw) && listed(by.cookie)", "return by.same || listed(s.saw)",
		"L3: a ticket opens a session without the cookie"},
	{"T3: a ticket outlives a sign-in", rulesFile,
		"\ts.ticket = noTicket\n\tfor i := range s.old[1:] {", "\tif how == 0 {\n\t\ts.ticket = noTicket\n\t}\n\tfor i := range s.old[1:] {",
		"T3: the token of an attacker opens the victim's session"},
	{"L3: a ticket is for who was there at the handshake alone", rulesFile,
		"return by.same || listed(s.saw) && listed(by.cookie)", "return by.same || listed(s.saw) && false",
		"L3: a page is refused the cookie of its own event"},
	{"L3: a ticket is for what was there at the handshake, however long ago", liveFile,
		"w.conn.with, w.conn.saw = answer, answer", "w.conn.with = answer",
		"L3: a page is refused the cookie of its own event"},
	{"T4: a plain renewal by a live connection ends a session that nobody fetches", liveFile,
		"sole: q.op == signsIn || q.op == signsOut,", "sole: true,",
		"T2: the browser is signed in by its answers, and its cookie opens nothing"},
	{"L3: a renewal of what is not delivered makes its ticket a spare one", rulesFile,
		"case before == sole: // the browser still has what it had", "case before == sole && v != admitted:",
		"L3: a page is refused the cookie of its own event"},
	{"L3: a ticket without a room for its renewal forgets a token in use", rulesFile,
		"case !s.isFor(number, by), s.ticket == spare && !s.hasRoom(current):", "case !s.isFor(number, by):",
		"T5: an alarm without an attacker"},
	{"L2: the token of a connection is an earlier one once its page has fetched", rulesFile,
		"s.replace(current, joined, family, holders)\n\ts.tidyTicket()", "s.replace(current, 0, family, holders)\n\ts.tidyTicket()",
		"L2: a connection is sent away"},
	{"S4: a ticket is redeemed as often as somebody likes", rulesFile,
		"\ts.replace(current, joined, family, holders)\n\ts.tidyTicket()", "\twas := s.ticket\n\ts.replace(current, joined, family, holders)\n\ts.ticket = was",
		"T2: "},
	{"T8: a connection's token is presented by what it does", rulesFile,
		"case v == admitted && !e.ofOwn && p < forgotten:", "case v == admitted && p < forgotten:",
		"T5: an alarm without an attacker"},

	{"S4: the record leaves the ticket at a renewal", applyFile,
		"\tr.Ticket = nil\n\tswitch kind {", "\tswitch kind {", "the record answers"},
	{"L3: the record redeems a ticket for anybody", applyFile,
		"return !by.Live\n", "return true\n", "the record answers"},
	{"L3: the record takes over nothing of a ticket that nobody has redeemed", applyFile,
		"if !r.isUndelivered() {", "if true {", "the record answers"},
	{"L3: the record makes a spare ticket a sole one", applyFile,
		"if !r.isUndelivered() {", "if r.Ticket == nil {", "the record answers"},
	{"S4: the record renews for a ticket although there is no room", applyFile,
		"if key.Ticket && r.isUndelivered() {", "if key.Ticket {", "the record answers"},
}

// TestEachFaultIsFound builds the model with each of the mutants.
func TestEachFaultIsFound(t *testing.T) {
	testtier.OnlyExhaustive(t, "it compiles the runtime for each mutant")
	for _, m := range mutation.Chosen(mutants) {
		t.Run(m.fault, func(t *testing.T) {
			test := "^TestTheRulesHold$/(live|ticket)"
			if m.file == applyFile {
				test = "^TestTheRecordKeepsTheRules$"
			}
			cmd := exec.Command(mutation.Build(t, m.file, m.old, m.new), "-test.run="+test, "-rapid.nofailfile")
			cmd.Env = append(os.Environ(), testtier.Variable+"=false") // the small scenarios do
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), m.found) {
				t.Fatalf("not found: %v\n%s", err, out)
			}
		})
	}
}

func TestMutantsAreUpToDate(t *testing.T) {
	for _, m := range mutants {
		mutation.Check(t, m.file, m.old)
	}
}
