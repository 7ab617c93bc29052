package storetest

import (
	"context"
	"errors"
	"iter"
	"maps"
	goruntime "runtime"
	"slices"
	"sync"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

var errDown = errors.New("toy store: the server is away")

// A toy is the simplest store that keeps the contract: one map, one lock. A
// mutant replaces one part of it.
type toy struct {
	mu      sync.Mutex
	records map[runtime.ID]*runtime.Record
	marks   []toyMark
	down    error
	watches []*toyWatch

	read    func(r *runtime.Record, key runtime.Key) (*runtime.Record, error)
	apply   func(r *runtime.Record, key runtime.Key, d *runtime.Delta) (*runtime.Record, *runtime.Result, error)
	end     func(r *runtime.Record, key runtime.Key) (*runtime.Record, error)
	create  func(old *runtime.Record, key runtime.Key, r *runtime.Record) (*runtime.Record, error)
	matches func(r *runtime.Record, v runtime.IndexValue, now time.Time) bool
	expired func(r *runtime.Record, now time.Time) bool
	copied  func(r *runtime.Record) *runtime.Record
	ready   func(ctx context.Context) error
	outage  func() error

	steps       int  // operations so far
	sweeping    bool // a torn sweep is between seeing and putting back
	torn        bool // between reading and writing a record others get time to change it
	tornSweep   bool // the sweep puts back what it saw
	noMarks     bool // Revoke leaves no mark
	lateMarks   bool // Revoke leaves its mark at the end
	sweptMarks  bool // the sweep takes the marks of revocations, too
	hasty       bool // Find stops when a session ends
	noException bool // Revoke excepts nobody
	tornTrim    bool // between looking and ending others sign in
	deaf        bool // a watch that is lost stays so
	silent      bool // and if not, it does not say so
	clientClock bool // on a server, it judges by the program's clock all the same
}

// A toyWatch has lost what is told while it is lost.
type toyWatch struct {
	tell func(runtime.Change)
	lost bool
}

type toyMark struct {
	value  runtime.IndexValue
	at     time.Time
	except []runtime.ID
}

// patience is how often a torn toy lets others run while nothing comes of it.
const patience = 500

func newToy() *toy {
	return &toy{
		records: map[runtime.ID]*runtime.Record{},
		read:    (*runtime.Record).Read,
		apply:   (*runtime.Record).Apply,
		end:     (*runtime.Record).End,
		create:  createUnlessHeld,
		matches: carriesLive,
		expired: func(r *runtime.Record, now time.Time) bool { return !now.Before(r.Expires) },
		copied:  copyRecord,
		ready:   context.Context.Err,
		outage:  func() error { return errDown },
	}
}

func createUnlessHeld(old *runtime.Record, key runtime.Key, r *runtime.Record) (*runtime.Record, error) {
	if old != nil && key.Now.Before(old.Expires) {
		return old, runtime.ErrExists
	}
	return r, nil
}

func carriesLive(r *runtime.Record, v runtime.IndexValue, now time.Time) bool {
	if v.Field == "" {
		return r.Kind == v.Kind && r.Live(now)
	}
	e, ok := r.Entries.Get(v.Field)
	return ok && e.Kind == runtime.IndexedEntry && e.Value == v.Value && r.Kind == v.Kind &&
		r.Ended.IsZero() && now.Before(r.Expires)
}

func copyRecord(r *runtime.Record) *runtime.Record {
	if r == nil {
		return nil
	}
	c := *r
	c.Earlier = slices.Clone(r.Earlier)
	if r.Ticket != nil {
		ticket := *r.Ticket
		c.Ticket = &ticket
	}
	return &c
}

func (s *toy) Load(ctx context.Context, key runtime.Key) (loaded *runtime.Record, err error) {
	err = s.step(ctx, key.ID, func(r *runtime.Record) (*runtime.Record, error) {
		next, err := s.read(r, key)
		loaded = s.copied(next)
		return next, err
	})
	return loaded, err
}

func (s *toy) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	return s.step(ctx, key.ID, func(old *runtime.Record) (*runtime.Record, error) {
		next, err := s.create(old, key, s.copied(r))
		if err == nil && s.barredBy(key, runtime.IndexValue{Kind: r.Kind}) {
			return old, runtime.ErrEnded
		}
		for e := range r.Entries.Indexed() {
			if err == nil && s.barred(key, r.Kind, e) {
				return old, runtime.ErrEnded
			}
		}
		return next, err
	})
}

func (s *toy) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (result *runtime.Result, err error) {
	err = s.step(ctx, key.ID, func(r *runtime.Record) (*runtime.Record, error) {
		next, applied, err := s.apply(r, key, d)
		if err != nil {
			return next, err
		}
		for _, op := range d.Ops {
			if op.Kind == runtime.OpSet && s.barred(key, next.Kind, op.Entry) {
				return r, runtime.ErrEnded
			}
		}
		result = applied
		return s.copied(next), nil
	})
	return result, err
}

func (s *toy) Delete(ctx context.Context, key runtime.Key) error {
	return s.step(ctx, key.ID, func(r *runtime.Record) (*runtime.Record, error) { return s.end(r, key) })
}

func (s *toy) step(
	ctx context.Context, id runtime.ID, judge func(*runtime.Record) (*runtime.Record, error),
) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return s.down
	}
	r := s.records[id]
	s.yieldUntil(s.torn, func() bool { return s.records[id] != r })
	s.yieldUntil(s.tornSweep, func() bool { return s.sweeping })
	s.steps++
	next, err := judge(r)
	if next != nil {
		if change, told := runtime.ChangeOf(id, r, next); told {
			s.tell(change)
		}
	}
	if next == nil {
		delete(s.records, id)
	} else {
		s.records[id] = next
	}
	return err
}

func (s *toy) Watch(_ context.Context, tell func(runtime.Change)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf && slices.ContainsFunc(s.watches, func(w *toyWatch) bool { return w.lost }) {
		return errDown
	}
	s.watches = append(s.watches, &toyWatch{tell: tell})
	return nil
}

func (s *toy) tell(c runtime.Change) {
	for _, w := range s.watches {
		if !w.lost {
			w.tell(c)
		}
	}
}

// loseWatches breaks the connections of the watches, which come back at once.
func (s *toy) loseWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.watches {
		w.lost = s.deaf
	}
	if !s.silent {
		s.tell(runtime.Change{Kind: runtime.ChangesMissed})
	}
}

// yieldUntil lets others run in the middle of a torn operation until they have
// done harm, or for a while.
func (s *toy) yieldUntil(torn bool, harmed func() bool) {
	for n := 0; torn && n < patience && !harmed(); n++ {
		s.mu.Unlock()
		goruntime.Gosched()
		s.mu.Lock()
	}
}

func (s *toy) barred(key runtime.Key, kind string, e runtime.Entry) bool {
	return e.Kind == runtime.IndexedEntry && s.barredBy(key, runtime.IndexValue{Kind: kind, Field: e.Key, Value: e.Value})
}

func (s *toy) barredBy(key runtime.Key, v runtime.IndexValue) bool {
	return slices.ContainsFunc(s.marks, func(m toyMark) bool {
		mark := runtime.Revocation{At: m.at, Except: m.except}
		return m.value == v && mark.Bars(key)
	})
}

func (s *toy) All(ctx context.Context, kind string, now time.Time) iter.Seq2[runtime.Found, error] {
	return s.Find(ctx, runtime.IndexValue{Kind: kind}, now)
}

func (s *toy) RevokeAll(ctx context.Context, kind string, now time.Time) (int, error) {
	return s.Revoke(ctx, runtime.IndexValue{Kind: kind}, now)
}

func (s *toy) ByID(ctx context.Context, kind string, id runtime.ID, now time.Time) (*runtime.Record, error) {
	for found, err := range s.All(ctx, kind, now) {
		if found.ID == id || err != nil {
			return found.Record, err
		}
	}
	return nil, runtime.ErrNotFound
}

func (s *toy) Trim(ctx context.Context, values []runtime.IndexValue, most int, keep runtime.ID, now time.Time) (ended int, err error) {
	var list []runtime.Found
	s.mu.Lock()
	defer s.mu.Unlock()
	s.yieldUntil(s.tornTrim, func() bool { return false })
	for id, r := range s.records {
		if slices.ContainsFunc(values, func(v runtime.IndexValue) bool { return s.matches(r, v, now) }) {
			list = append(list, runtime.Found{ID: id, Record: r})
		}
	}
	s.yieldUntil(s.tornTrim, func() bool { return false })
	for _, f := range runtime.Surplus(list, most, keep) {
		if s.tornTrim || s.records[f.ID].Live(now) {
			s.records[f.ID] = f.Record.Mark(now)
			ended++
		}
	}
	return ended, s.down
}

func (s *toy) Find(ctx context.Context, v runtime.IndexValue, now time.Time) iter.Seq2[runtime.Found, error] {
	return func(yield func(runtime.Found, error) bool) {
		ids, err := s.carriers(ctx, v, now)
		if err != nil {
			yield(runtime.Found{}, err)
			return
		}
		for _, id := range ids {
			s.mu.Lock()
			found := runtime.Found{ID: id, Record: s.copied(s.records[id])}
			s.mu.Unlock()
			if !yield(found, nil) {
				return
			}
			if now, _ := s.carriers(ctx, v, now); s.hasty && len(now) < len(ids) {
				return
			}
		}
	}
}

func (s *toy) carriers(ctx context.Context, v runtime.IndexValue, now time.Time) (ids []runtime.ID, err error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.records {
		if s.matches(r, v, now) {
			ids = append(ids, id)
		}
	}
	return ids, s.down
}

func (s *toy) Revoke(
	ctx context.Context, v runtime.IndexValue, now time.Time, except ...runtime.ID,
) (ended int, err error) {
	if s.noException {
		except = nil
	}
	mark := toyMark{v, now, slices.Clone(except)}
	if !s.noMarks && !s.lateMarks && s.ready(ctx) == nil {
		s.mark(mark)
	}
	ids, err := s.carriers(ctx, v, now)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		goruntime.Gosched()
		s.mu.Lock()
		if r := s.records[id]; s.matches(r, v, now) && !slices.Contains(except, id) {
			s.records[id] = r.Mark(now)
			ended++
		}
		s.mu.Unlock()
	}
	if s.lateMarks {
		goruntime.Gosched()
		s.mark(mark)
	}
	return ended, nil
}

func (s *toy) mark(m toyMark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, m)
}

func (s *toy) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := maps.Clone(s.records)
	for id, r := range seen {
		if s.expired(r, now) {
			delete(seen, id)
			removed++
		}
	}
	s.sweeping = true
	steps := s.steps
	s.yieldUntil(s.tornSweep, func() bool { return s.steps > steps })
	s.sweeping = false
	s.records = seen
	if s.sweptMarks {
		s.marks = nil
	}
	return removed, nil
}

func (s *toy) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = errors.New("toy store: closed")
	return nil
}

// fail makes the toy's server unreachable until the returned function is called.
func (s *toy) fail() (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = s.outage()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.down = nil
	}
}
