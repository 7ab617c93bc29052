package redisstore

import (
	"container/list"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
)

// WithCache lets the store keep loaded sessions in the memory of the program,
// about maxBytes of them and each for at most ttl. A load of one of them makes no
// round trip. The server tells when somebody else has changed a session.
//
// Such a load may miss what another process wrote a moment ago, usually less
// than a millisecond, and up to ttl where the connection is broken without
// notice; so a session that another process has just ended may still be read. It
// never misses what this store has written. Commits never see the cache, and
// neither do loads for live connections or those that a request repeats. Nobody
// is turned away by a cached session: the server is asked then.
//
// The cache has connections of its own, so only Open can make it.
func WithCache(ttl time.Duration, maxBytes int) OpenOption {
	return openOption(func(s *Store) {
		s.cache = newCache(ttl, maxBytes)
	})
}

// CacheCounts returns how many loads the cache has answered, and how many that might
// have been answered by it the server has. Both are 0 without [WithCache].
func (s *Store) CacheCounts() (hits, misses uint64) {
	if s.cache == nil {
		return 0, 0
	}
	return s.cache.hits.Load(), s.cache.misses.Load()
}

// A cache holds records as they were read. A record is kept only if nothing has
// changed it since the read began: the server's message about a change and the
// store's own writes both remove the slot that waits for the record.
type cache struct {
	ttl time.Duration
	max int // bytes
	now func() time.Time

	client Client // its connections track what is read on them
	hangUp func()

	mu      sync.Mutex
	slots   map[runtime.ID]*slot
	recent  *list.List // of filled slots, the one used last in front
	size    int        // of the filled slots, in bytes
	writing map[runtime.ID]int

	hits, misses atomic.Uint64
}

// A slot is the place of one session, empty until its record has been read.
type slot struct {
	id      runtime.ID
	record  *runtime.Record
	ends    time.Time
	size    int
	element *list.Element
}

func newCache(ttl time.Duration, maxBytes int) *cache {
	return &cache{
		ttl: ttl, max: maxBytes, now: time.Now,
		slots: map[runtime.ID]*slot{}, recent: list.New(), writing: map[runtime.ID]int{},
	}
}

// connect makes the client that the cache reads with.
func (c *cache) connect(
	ctx context.Context, connections *connections, settings rueidis.ClientOption, prefix string,
) error {
	if c.ttl <= 0 || c.max <= 0 {
		return errors.New("the cache wants a time to live and a size above 0")
	}
	settings.DisableCache, settings.AlwaysRESP2 = false, false
	settings.ClientTrackingOptions = []string{} // all that is read, without asking each time
	settings.OnInvalidations = func(keys []rueidis.RedisMessage) { c.changed(prefix, keys) }
	client, err := connections.connect(ctx, settings)
	if err != nil {
		return err
	}
	c.client, c.hangUp = Rueidis(client), client.Close
	return nil
}

// changed forgets the sessions of the keys, and all of them where a connection
// was lost: nobody tells any more what happens to them.
func (c *cache) changed(prefix string, keys []rueidis.RedisMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if keys == nil {
		for _, s := range c.slots {
			c.forget(s)
		}
		return
	}
	for i := range keys {
		key, _ := keys[i].ToString()
		if id, ok := idIn(key, prefix); ok {
			c.forget(c.slots[id])
		}
	}
}

// idIn reads the id from the key of a session.
func idIn(key, prefix string) (id runtime.ID, ok bool) {
	text, ok := strings.CutPrefix(key, prefix+"{")
	if !ok || len(text) != 2*len(id)+1 {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(text[:2*len(id)]))
	return id, err == nil
}

// get returns the record, nil where it is not here.
func (c *cache) get(id runtime.ID) *runtime.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.slots[id]
	if s == nil || s.record == nil {
		return nil
	}
	if !c.now().Before(s.ends) {
		c.forget(s)
		return nil
	}
	c.recent.MoveToFront(s.element)
	return s.record
}

// begin returns a slot for the record that is about to be read, nil while
// somebody else reads it or the store writes it.
func (c *cache) begin(id runtime.ID) *slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slots[id] != nil || c.writing[id] > 0 {
		return nil
	}
	s := &slot{id: id, ends: c.now().Add(c.ttl)}
	c.slots[id] = s
	return s
}

// fill keeps the record that was read, unless the slot has been forgotten. Nil
// is not kept.
func (c *cache) fill(s *slot, r *runtime.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slots[s.id] != s {
		return
	}
	if r == nil {
		c.forget(s)
		return
	}
	s.record, s.size = r, sizeInMemory(r)
	s.element = c.recent.PushFront(s)
	c.size += s.size
	for c.size > c.max {
		c.forget(c.recent.Back().Value.(*slot))
	}
}

// sizeInMemory is about what a record takes.
func sizeInMemory(r *runtime.Record) int {
	const fixed = 512 // of the record and its slot
	packed := len(r.Entries.Packed())
	return fixed + len(r.Kind) + earlierSize*len(r.Earlier) + packed + packed/8 // which is lost by rounding up
}

// forget removes a slot, nil for none. The caller holds the lock.
func (c *cache) forget(s *slot) {
	if s == nil {
		return
	}
	delete(c.slots, s.id)
	if s.element != nil {
		c.recent.Remove(s.element)
		c.size -= s.size
	}
}

// write tells the cache that the store is about to write the sessions, and
// returns what tells it that this is over. In between nothing of them is kept.
func (c *cache) write(ids ...runtime.ID) (done func()) {
	if c == nil {
		return func() {}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		c.forget(c.slots[id])
		c.writing[id]++
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, id := range ids {
			if c.writing[id]--; c.writing[id] == 0 {
				delete(c.writing, id)
			}
		}
	}
}
