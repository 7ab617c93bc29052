package inspect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	tick       = 100 * time.Millisecond // how often a page hears of what is new
	alive      = 15 * time.Second       // how often it hears anything
	patience   = 10 * time.Second       // for a page that reads slowly
	maxStreams = 32
)

// streams are the pages that look.
type streams struct {
	mu      sync.Mutex
	n       int
	leaving map[*http.Server]chan struct{} // closed once the server is to shut down
}

// open counts a page in, unless there are too many.
func (s *streams) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == maxStreams {
		return false
	}
	s.n++
	return true
}

func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n--
}

// end returns a channel that is closed once the server of the request is to shut down,
// which waits for all requests. It is nil if that is not net/http's.
func (s *streams) end(r *http.Request) <-chan struct{} {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ended, known := s.leaving[server]; known {
		return ended
	}
	if s.leaving == nil {
		s.leaving = map[*http.Server]chan struct{}{}
	}
	ended := make(chan struct{})
	s.leaving[server] = ended
	server.RegisterOnShutdown(sync.OnceFunc(func() { close(ended) }))
	return ended
}

// A batch is what is new.
type batch struct {
	Run     string  `json:"run"`    // of the program: IDs are its own
	Oldest  uint64  `json:"oldest"` // ID of what is kept
	Entries []entry `json:"entries"`
}

// run tells the programs apart that a page sees one after the other.
var run = fmt.Sprint(time.Now().UnixNano())

// serveEvents sends what happens, as Server-Sent Events, as long as the page looks.
func (in *Inspector) serveEvents(w http.ResponseWriter, r *http.Request) {
	if !in.streams.open() {
		http.Error(w, "Too many pages look.", http.StatusServiceUnavailable)
		return
	}
	defer in.streams.close()
	w.Header().Set("Content-Type", "text/event-stream")
	response := http.NewResponseController(w)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	ended := in.streams.end(r)
	var version uint64
	for wrote := (time.Time{}); ; {
		changed, next := in.journal.since(version)
		version = next
		if message := in.message(changed, time.Since(wrote) >= alive); message != "" {
			wrote = time.Now()
			_ = response.SetWriteDeadline(wrote.Add(patience))
			if _, err := fmt.Fprint(w, message); err != nil || response.Flush() != nil {
				return
			}
		}
		select {
		case <-ticker.C:
		case <-ended:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// message returns what a page is sent of that, empty for nothing.
func (in *Inspector) message(changed []entry, due bool) string {
	switch {
	case len(changed) > 0:
		b, _ := json.Marshal(batch{run, in.journal.oldest(), changed}) // texts and numbers always marshal
		return "data: " + string(b) + "\n\n"
	case due:
		return ":\n\n"
	default:
		return ""
	}
}
