package lively_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/lively"
)

// storeVariable has the store of a program that is to be killed. The program is the
// test once more; it serves at a listener of the test, in whose queue pages wait while
// there is none.
const storeVariable = "LIVELY_VICTIM_STORE"

// The moments of an event at which a victim can be killed.
const (
	running = "running" // its handler runs
	stored  = "stored"  // what it changed is stored, and the page has not heard of that
	entered = "entered" // the same of a sign-in: the browser has the cookie that it ended
)

// Clicks on the second button are not sent again.
const victimPage = turnstilePage + `<button id="once" data-live-click="once">.</button>
<button id="list" data-live-click="list">.</button><p data-live-key="list"></p>`

func TestInABrowserNoClickCountsTwiceWhenAProcessIsKilled(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	if store := os.Getenv(storeVariable); store != "" {
		serveUntilKilled(t, store)
		return
	}
	t.Parallel()
	for name, start := range map[string]func(*testing.T) string{
		"SQLite": func(t *testing.T) string { return filepath.Join(t.TempDir(), "sessions.db") },
		"Redis":  startRedis,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			browser := chromium.Start(t)
			k := newKiller(t, start(t))
			url := k.start()
			k.tab = browser.Open(url)
			k.tab.Live()
			k.tab.Click("form button")
			named(k.tab, "Ada yes form")
			k.tab.Eval(`(window.given = 0, window.lost = [], document.addEventListener("lively:lost", ({ detail }) => lost.push(detail.name)), "")`)
			for round := range 5 {
				k.killAround(running, 1+3*round)
				k.killAround(stored, 1+3*round)
				k.killAround(entered, 1)
			}
			if k.tab.Eval("lost.length") == "0" {
				t.Error("no page has lost an answer: nothing was killed in time")
			}
		})
	}
}

// A killer has one victim after the other.
type killer struct {
	t        *testing.T
	store    string
	listener *os.File
	victim   *exec.Cmd
	orders   io.Writer
	says     *bufio.Scanner
	tab      *chromium.Tab
}

func newKiller(t *testing.T, store string) *killer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := listener.(*net.TCPListener).File()
	if err := errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	k := &killer{t: t, store: store, listener: file}
	t.Cleanup(func() {
		if k.victim != nil {
			k.kill()
		}
		_ = file.Close()
	})
	return k
}

// start starts the next victim and returns its URL.
func (k *killer) start() (url string) {
	k.t.Helper()
	victim := exec.Command(os.Args[0], "-test.run=^TestInABrowserNoClickCountsTwiceWhenAProcessIsKilled$", "-test.count=1")
	victim.Env = append(os.Environ(), storeVariable+"="+k.store)
	victim.ExtraFiles = []*os.File{k.listener}
	victim.Stderr = os.Stderr
	orders, err := victim.StdinPipe()
	says, err2 := victim.StdoutPipe()
	if err := errors.Join(err, err2); err != nil {
		k.t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.victim, k.orders, k.says = victim, orders, bufio.NewScanner(says)
	return k.await("open")
}

// await waits until the victim says so, and returns what else it says.
func (k *killer) await(what string) (more string) {
	k.t.Helper()
	for k.says.Scan() {
		if more, ok := strings.CutPrefix(k.says.Text(), what); ok {
			return strings.TrimSpace(more)
		}
	}
	k.t.Fatalf("the program has ended before it was %s: %v", what, k.says.Err())
	return ""
}

func (k *killer) kill() {
	_ = k.victim.Process.Kill()
	_ = k.victim.Wait() // it was killed
}

// killAround clicks 40 times and signs in, and kills the victim at the moment of one of
// the events of that kind.
func (k *killer) killAround(moment string, event int) {
	k.t.Helper()
	if _, err := fmt.Fprintln(k.orders, moment, event); err != nil {
		k.t.Fatal(err)
	}
	k.await("ready")
	k.tab.Eval(`(window.clicks = (async () => {
		enter.dataset.liveValue = 7;
		for (let n = 0; n < 20; n++) {
			if (n === 10) {
				while (document.querySelector("[data-live-busy]")) await new Promise((then) => setTimeout(then, 10));
				enter.click();
			}
			document.getElementById("count").click();
			once.dataset.liveValue = ++window.given;
			once.click();
			await new Promise((then) => setTimeout(then, 10));
		}
		window.clicks = null;
	})(), "")`)
	k.await("stopped")
	k.kill()
	k.start()
	k.tab.Eval(`(dispatchEvent(new Event("online")), "")`) // rather than to wait
	k.tab.Wait(`window.clicks === null && !document.querySelector("[data-live-busy]")`)
	k.tab.Eval(`(total.click(), list.click(), "")`)
	k.tab.Wait(`!document.querySelector("[data-live-busy]")`)
	given, _ := strconv.Atoi(k.tab.Eval("given"))
	if got := k.tab.Text("[data-live-key=total]"); got != strconv.Itoa(given) {
		k.t.Errorf("killed while event %d was %s: %s clicks have counted, want %d", event, moment, got, given)
	}
	k.checkOnce(given)
}

// checkOnce demands that of the clicks which are not sent again each has counted once,
// but for those of which the page has said that it does not know.
func (k *killer) checkOnce(given int) {
	k.t.Helper()
	counted := strings.Fields(k.tab.Text("[data-live-key=list]"))
	for _, click := range counted {
		if _, times, _ := strings.Cut(click, ":"); times != "x" {
			k.t.Errorf("click %s has counted more than once", click)
		}
	}
	lost, _ := strconv.Atoi(k.tab.Eval(`lost.filter((name) => name === "once").length`))
	if len(counted) < given-lost {
		k.t.Errorf("%d of %d clicks have counted, and the page has heard of %d that are lost", len(counted), given, lost)
	}
	if got := k.tab.Eval(`lost.includes("count")`); got != "false" {
		k.t.Error("an event that is sent again is said to be lost")
	}
}

// serveUntilKilled is the program.
func serveUntilKilled(t *testing.T, store string) {
	open := openSQLite
	if strings.Contains(store, "://") {
		open = openRedis
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWebOn(t, open(t, store).(closingStore))
	s := &stop{}
	w.body = victimPage
	w.onEvent = func(_ context.Context, r lively.Report) { // before the page hears of it
		switch r.Name {
		case "count", "once":
			s.pass(stored)
		case "enter":
			s.pass(entered)
		}
	}
	w.serve(listener)
	w.turnstile()
	w.live.Handle("count", func(ctx context.Context, c *lively.Conn, e lively.Event, v *visitor) error {
		s.pass(running)
		return countOnce(ctx, c, e, v)
	})
	w.live.Handle("once", func(_ context.Context, _ *lively.Conn, e lively.Event, v *visitor) error {
		s.pass(running)
		n, err := strconv.Atoi(e.Value.(string))
		click, _ := v.PrefsItem(n)
		click.Value += "x"
		v.SetPrefsItem(n, click)
		return err
	})
	w.live.Handle("list", func(ctx context.Context, c *lively.Conn, _ lively.Event, v *visitor) error {
		var list strings.Builder
		for n, click := range v.Prefs() {
			fmt.Fprintf(&list, "%d:%s ", n, click.Value)
		}
		return c.Patch(ctx, lively.Text("list", list.String()))
	})
	fmt.Println("open", w.url)
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); { // until the test is over
		s.order(t, orders.Text())
	}
}

// A stop stops the program at a moment of an event.
type stop struct {
	mu     sync.Mutex
	moment string
	events int // until then
}

func (s *stop) order(t *testing.T, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := fmt.Sscan(text, &s.moment, &s.events); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
}

func (s *stop) pass(moment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moment != moment {
		return
	}
	if s.events--; s.events == 0 {
		fmt.Println("stopped")
		select {} // until it is killed
	}
}
