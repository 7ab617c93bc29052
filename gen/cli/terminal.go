package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// isTerminal reports whether people read what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// showsColours obeys the convention of no-color.org.
func showsColours(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }

// A progress shows on a terminal that a long run is under way, in a line that
// is gone when anything else is printed.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	timer *time.Timer
	start time.Time
	shown bool
	done  bool
}

// patience is how long a run may take without a word.
const patience = time.Second

const eraseLine = "\r\x1b[K" // ECMA-48, EL

// showProgress begins to wait. Elsewhere than on a terminal nothing is shown.
func showProgress(w io.Writer) *progress {
	p := &progress{w: w, start: time.Now(), done: !isTerminal(w)}
	if !p.done {
		p.timer = time.AfterFunc(patience, p.tick)
	}
	return p
}

func (p *progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	p.shown = true
	fmt.Fprintf(p.w, "%sduckgen: reading packages, %d s", eraseLine, int(time.Since(p.start).Seconds()))
	p.timer.Reset(patience)
}

// stop ends it for good. It may be called again.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	if p.shown {
		p.shown = false
		_, _ = io.WriteString(p.w, eraseLine) // nothing is lost
	}
}

// before returns a writer that stops the progress at its first byte.
func (p *progress) before(w io.Writer) io.Writer { return stopper{p, w} }

type stopper struct {
	*progress
	io.Writer
}

func (s stopper) Write(b []byte) (int, error) {
	s.stop()
	return s.Writer.Write(b)
}
