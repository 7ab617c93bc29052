package inspect

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// What is kept of one request is bounded: texts in bytes, lists in elements.
const (
	longest = 300
	most    = 50
)

// settled is how long a request that goes on is not shown. It may turn out to be one
// for the inspector itself.
const settled = 100 * time.Millisecond

// An entry is what is known of a request, or of an event, as the page gets it.
type entry struct {
	ID      uint64    `json:"id"`
	Began   time.Time `json:"began"`
	Took    float64   `json:"took"` // in milliseconds
	Ended   bool      `json:"ended"`
	Kind    string    `json:"kind"` // the method, or EVENT; empty: neither
	Name    string    `json:"name"` // the path, or the event's name
	Session string    `json:"session"`
	Handles []string  `json:"handles"`
	Status  int       `json:"status"`
	Reads   []string  `json:"reads"`
	Writes  []string  `json:"writes"`
	Calls   []call    `json:"calls"`
	Notices []notice  `json:"notices"`
	Left    int       `json:"left"` // calls and notices that there was no room for

	version uint64
}

// A call is one of the store.
type call struct {
	Op       string  `json:"op"`
	Outcome  string  `json:"outcome"`
	Failed   bool    `json:"failed"`
	Bytes    int     `json:"bytes"`
	Sessions int     `json:"sessions"`
	Took     float64 `json:"took"` // in milliseconds
}

// A notice is what the program was notified of.
type notice struct {
	Kind  string `json:"kind"`
	Text  string `json:"text"`
	Error bool   `json:"error"`
}

// A journal keeps the last entries, those that began first before the others.
type journal struct {
	keep int

	mu      sync.Mutex
	entries []*entry
	last    uint64 // ID
	version uint64 // of the last change
}

// add keeps an entry that begins now. Others make room for it when it ends, since it
// may turn out to be one for the inspector itself, unless most never end.
func (j *journal) add(e *entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.trim(2*j.keep - 1)
	j.last++
	e.ID, e.Began = j.last, time.Now()
	j.entries = append(j.entries, e)
	j.changed(e)
}

func (j *journal) trim(size int) {
	if over := len(j.entries) - size; over > 0 {
		j.entries = slices.Delete(j.entries, 0, over)
	}
}

// update changes an entry.
func (j *journal) update(e *entry, change func(*entry)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(e)
	j.changed(e)
}

func (j *journal) changed(e *entry) {
	if e.Ended {
		j.trim(j.keep)
	}
	j.version++
	e.version = j.version
}

// drop forgets an entry, if it is there.
func (j *journal) drop(e *entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = slices.DeleteFunc(j.entries, func(other *entry) bool { return other == e })
}

// since returns what has changed after the version, and the version to ask for next.
// The entries share lists with the journal, which only appends to them.
func (j *journal) since(version uint64) (changed []entry, next uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next = j.version
	for _, e := range j.entries {
		switch {
		case e.version <= version:
		case !e.Ended && time.Since(e.Began) < settled:
			next = min(next, e.version-1)
		default:
			changed = append(changed, *e)
		}
	}
	return changed, next
}

// oldest returns the ID of the first entry that is kept.
func (j *journal) oldest() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == 0 {
		return j.last + 1
	}
	return j.entries[0].ID
}

func (e *entry) end(status int) {
	e.Ended, e.Status, e.Took = true, status, milliseconds(time.Since(e.Began))
}

func (e *entry) read(field string)    { e.Reads = with(e.Reads, field) }
func (e *entry) write(field string)   { e.Writes = with(e.Writes, field) }
func (e *entry) handle(handle string) { e.Handles = with(e.Handles, handle) }

func (e *entry) call(c call) {
	if len(e.Calls) == most {
		e.Left++
		return
	}
	e.Calls = append(e.Calls, c)
}

func (e *entry) notice(n notice) {
	if len(e.Notices) == most {
		e.Left++
		return
	}
	n.Text = cut(n.Text)
	e.Notices = append(e.Notices, n)
}

// with appends a text that the list does not have.
func with(list []string, text string) []string {
	if text == "" || len(list) == most || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// cut shortens what somebody else has made as long as they liked.
func cut(text string) string {
	if len(text) <= longest {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:longest], ""), len(text))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
