package storetest

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C16: a process is killed while it writes. The process is the test binary once
// more; the environment tells Run in it to be the victim.

const (
	victimVariable = "STORETEST_VICTIM" // the data to write to
	victimKills    = 5
	victimWrites   = 23      // acknowledged before the kill
	victimLimit    = 100_000 // should nobody kill it
)

// victim is the session that is written. It is the same in both processes.
var victim = session{runtime.ID{0x16}, runtime.Proof{0x16}}

func killed(k *kit) {
	if k.reopen == nil {
		k.Skipf("no WithReopen option")
	}
	data := k.TempDir()
	k.reopened(data, func() {
		err := k.store.Create(k.Context(), k.key(victim), k.record(victim, k.entry("a", "0"), k.entry("b", "0")))
		if err != nil {
			k.Fatalf("Create: %v", err)
		}
	})
	written := 0
	kills := cmp.Or(k.kills, victimKills)
	for n := range kills {
		moment := (float64(n) + 0.5) / float64(kills)
		acknowledged := k.killWriter(data, written+victimWrites, moment)
		k.reopened(data, func() { written = k.whole(acknowledged) })
	}
}

// reopened runs work with the store open on the data.
func (k *kit) reopened(data string, work func()) {
	k.Helper()
	store := k.store
	k.store = k.reopen(data)
	work()
	if closer, ok := k.store.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			k.Errorf("Close: %v", err)
		}
	}
	k.store = store
}

// whole demands that the record is that of one write, no older than the last
// that was acknowledged, and returns its number.
func (k *kit) whole(acknowledged int) int {
	k.Helper()
	entries := k.load(victim).Entries
	a, _ := entries.Get("a")
	b, _ := entries.Get("b")
	views, _ := entries.Get("views")
	n, err := strconv.Atoi(k.payload(a.Value))
	if err != nil || a.Value != b.Value || views.Count != int64(n) {
		k.Fatalf("kill -9 left a record of parts: %s", list(entries))
	}
	if n < acknowledged {
		k.Fatalf("kill -9 lost a write that had been acknowledged: the record is that of write %d, want %d", n, acknowledged)
	}
	return n
}

// killWriter lets a process write until it has acknowledged a number, and kills
// it at some moment of the next write, as a part of the time that writes take.
// It returns the last number that was acknowledged.
func (k *kit) killWriter(data string, until int, moment float64) (acknowledged int) {
	k.Helper()
	writer := exec.Command(os.Args[0], "-test.run="+k.test, "-test.count=1")
	writer.Env = append(os.Environ(), victimVariable+"="+data)
	output, err := writer.StdoutPipe()
	if err == nil {
		err = writer.Start()
	}
	if err != nil {
		k.Fatalf("start of a process to kill: %v", err)
	}
	var first time.Time
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		n, found := strings.CutPrefix(lines.Text(), "stored ")
		if !found {
			continue
		}
		acknowledged, _ = strconv.Atoi(n)
		if first.IsZero() {
			first = time.Now()
		}
		if acknowledged == until {
			each := time.Since(first) / victimWrites
			time.AfterFunc(time.Duration(moment*float64(each)), func() { _ = writer.Process.Kill() })
		}
	}
	_ = writer.Wait() // it was killed
	if acknowledged < until {
		k.Fatalf("the process to kill ended by itself after write %d", acknowledged)
	}
	return acknowledged
}

// writeUntilKilled writes whole records and says so after each.
func writeUntilKilled(t *testing.T, store runtime.Store) {
	k := newKit(t, subject{open: func() runtime.Store { return store }})
	first := k.number()
	for n := first + 1; n <= first+victimLimit; n++ {
		d := set(k.entry("a", strconv.Itoa(n)), k.entry("b", strconv.Itoa(n)))
		d.Ops = append(d.Ops, runtime.Op{Kind: runtime.OpAdd, Entry: counter("views", 1)})
		k.update(k.key(victim), d)
		fmt.Println("stored", n)
	}
}

// number returns the number of the last write.
func (k *kit) number() int {
	a, _ := k.load(victim).Entries.Get("a")
	n, err := strconv.Atoi(k.payload(a.Value))
	if err != nil {
		k.Fatalf("the record to write to: %v", err)
	}
	return n
}

// pattern matches one test by its name.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}
