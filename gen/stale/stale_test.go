package stale

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/gen"
)

func TestStateOfAFile(t *testing.T) {
	for want, c := range map[State]gen.Change{
		Missing:  {New: []byte("a")},
		Outdated: {Old: []byte{}, New: []byte("a")},
		Orphaned: {Old: []byte("a")},
	} {
		if got := Of(c); got != want {
			t.Errorf("%+v is %s, not %s", c, got, want)
		}
	}
}

func TestUnifiedDiffs(t *testing.T) {
	const ten = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"
	for name, c := range map[string]struct{ old, new, want string }{
		"in the middle": {ten, strings.Replace(ten, "5\n", "five\n", 1),
			"--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"},
		"far apart": {ten, "0\n" + strings.Replace(ten, "10\n", "ten\n", 1),
			"--- f\n+++ f\n@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -7,4 +8,4 @@\n 7\n 8\n 9\n-10\n+ten\n"},
		"near each other": {ten, "1\n3\n4\n5\n6\n7\n8\n10\n",
			"--- f\n+++ f\n@@ -1,10 +1,8 @@\n 1\n-2\n 3\n 4\n 5\n 6\n 7\n 8\n-9\n 10\n"},
		"missing":  {"", "a\nb\n", "--- /dev/null\n+++ f\n@@ -0,0 +1,2 @@\n+a\n+b\n"},
		"orphaned": {"a\n", "", "--- f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"},
		"cut off":  {"a\nb", "a\nb\n", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"},
	} {
		got := Unified("f", change(c.old, c.new), Plain)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// change has nil for an empty text, which is no file.
func change(before, after string) gen.Change {
	var c gen.Change
	if before != "" {
		c.Old = []byte(before)
	}
	if after != "" {
		c.New = []byte(after)
	}
	return c
}

func TestColoursSurroundLines(t *testing.T) {
	got := Unified("f", change("a\nb\n", "a\nc\n"), Coloured)
	want := "\x1b[1m--- f\x1b[m\n\x1b[1m+++ f\x1b[m\n\x1b[36m@@ -1,2 +1,2 @@\x1b[m\n a\n\x1b[31m-b\x1b[m\n\x1b[32m+c\x1b[m\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEditsTurnTheOneIntoTheOther(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		before, after := randomLines(random), randomLines(random)
		var old, new strings.Builder
		for _, e := range edits(lines([]byte(before)), lines([]byte(after))) {
			if e.op != added {
				old.WriteString(e.line)
			}
			if e.op != removed {
				new.WriteString(e.line)
			}
		}
		if old.String() != before || new.String() != after {
			t.Fatalf("%q to %q gives %q and %q", before, after, old.String(), new.String())
		}
	}
}

func randomLines(random *rand.Rand) string {
	var b strings.Builder
	for range random.IntN(12) {
		b.WriteString(string(rune('a'+random.IntN(6))) + "\n")
	}
	return b.String()
}

func TestPatchTakesTheDiff(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	random := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	for range 10 {
		before, after := "x\n"+randomLines(random), randomLines(random)+"y\n"
		if err := os.WriteFile(file, []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(t.Context(), "git", "apply", "-p0", "-")
		command.Dir = dir
		command.Stdin = strings.NewReader(Unified("f", change(before, after), Plain))
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, []byte(after)) {
			t.Fatalf("%q became %q, not %q (%v)", before, got, after, err)
		}
	}
}
