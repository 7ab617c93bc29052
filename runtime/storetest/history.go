package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/duckgen/duckgen/runtime"
)

// C19: what concurrent clients saw of each session can be explained by some
// order of their operations, one after the other, each as the methods of
// runtime.Record define it.

const (
	historyClients = 8
	historyLength  = 10_000 // operations in all
	historyShare   = 100    // of them on one session
	historyTimeout = 20 * time.Second
)

// An operation is what a client asked the store for.
type operation struct {
	name   string
	key    runtime.Key
	record *runtime.Record // of a Create
	delta  *runtime.Delta  // of an Update
}

// An answer is what the store gave back.
type answer struct {
	err     error
	entries runtime.Entries // of a Load
	won     bool            // of an Update
}

func linearizable(k *kit) {
	length := shortened(cmp.Or(k.history, historyLength))
	sessions := make([]*contended, length/historyShare+1)
	for i := range sessions {
		sessions[i] = k.contend(uint64(i))
	}
	var clients sync.WaitGroup
	for client := range historyClients {
		clients.Go(func() {
			for _, s := range sessions {
				s.operate(k, client, historyShare/historyClients+1)
			}
		})
	}
	clients.Wait()
	for i, s := range sessions {
		switch porcupine.CheckOperationsTimeout(definition, s.history, historyTimeout) {
		case porcupine.Ok:
		case porcupine.Unknown:
			k.Fatalf("the history of session %d could not be judged in %v", i, historyTimeout)
		default:
			k.Fatalf("no order of these operations explains what the clients saw:\n%s", s.describe())
		}
	}
}

// contended is a session that all clients work on at once.
type contended struct {
	seed   uint64
	tokens []session // what the clients present
	create *runtime.Record
	now    time.Time

	moments atomic.Int64 // calls and returns so far
	mu      sync.Mutex
	history []porcupine.Operation
}

func (k *kit) contend(seed uint64) *contended {
	first := newSession()
	c := &contended{seed: seed, tokens: []session{first}, now: k.now}
	for range 3 {
		c.tokens = append(c.tokens, first.with(newProof()))
	}
	c.create = k.record(first, k.entry("theme", "0"))
	return c
}

// operate lets one client do some operations and records them.
func (c *contended) operate(k *kit, client, n int) {
	choice := rand.New(rand.NewPCG(c.seed, uint64(client)))
	for range n {
		op := c.choose(k, choice)
		call := c.moments.Add(1)
		got := op.run(k)
		c.mu.Lock()
		c.history = append(c.history, porcupine.Operation{
			ClientId: client,
			Input:    op,
			Call:     call,
			Output:   got,
			Return:   c.moments.Add(1),
		})
		c.mu.Unlock()
	}
}

// choose picks what to do next. Deletes are rare: nothing happens after them.
func (c *contended) choose(k *kit, choice *rand.Rand) operation {
	token := c.tokens[choice.IntN(2)]
	key := runtime.Key{ID: token.id, Proof: token.proof, Now: c.now}
	update := func(name string, d *runtime.Delta) operation { return operation{name: name, key: key, delta: d} }
	value := fmt.Sprint(choice.IntN(3))
	switch n := choice.IntN(100); {
	case n < 10:
		return operation{name: "Create", key: key, record: c.create}
	case n < 40:
		return operation{name: "Load", key: key}
	case n < 60:
		return update("Add", add("views", int64(choice.IntN(5))))
	case n < 75:
		return update("Set theme="+value, set(k.entry("theme", value)))
	case n < 90:
		d := set(k.entry("theme", fmt.Sprint(choice.IntN(3))))
		d.Ops[0].If = &runtime.Condition{Value: k.value(value)}
		return update("Set theme if "+value, d)
	case n < 98:
		return update("Renew", renewal(c.tokens[1+choice.IntN(len(c.tokens)-1)]))
	default:
		return operation{name: "Delete", key: key}
	}
}

func (op operation) run(k *kit) (got answer) {
	ctx := k.Context()
	switch {
	case op.record != nil:
		got.err = k.store.Create(ctx, op.key, op.record)
	case op.delta != nil:
		var result *runtime.Result
		if result, got.err = k.store.Update(ctx, op.key, op.delta); got.err == nil {
			got.won = result.Won
		}
	case op.name == "Delete":
		got.err = k.store.Delete(ctx, op.key)
	default:
		var r *runtime.Record
		if r, got.err = k.store.Load(ctx, op.key); got.err == nil {
			got.entries = r.Entries
		}
	}
	return got
}

// definition is the store as runtime.Record defines it. Its state is the stored
// record, nil where there is none.
var definition = porcupine.Model{
	Init: func() any { return (*runtime.Record)(nil) },
	Step: func(state, input, output any) (bool, any) {
		next, want := input.(operation).define(state.(*runtime.Record))
		return want.explains(output.(answer)), next
	},
	Equal: func(a, b any) bool { return sameState(a.(*runtime.Record), b.(*runtime.Record)) },
}

// define is what the operation makes of the stored record, and its answer.
func (op operation) define(r *runtime.Record) (next *runtime.Record, want answer) {
	switch {
	case op.record != nil && r != nil:
		return r, answer{err: runtime.ErrExists}
	case op.record != nil:
		return op.record, answer{}
	case op.delta != nil:
		next, result, err := r.Apply(op.key, op.delta)
		return next, answer{err: err, won: err == nil && result.Won}
	case op.name == "Delete":
		next, err := r.End(op.key)
		return next, answer{err: err}
	default:
		next, err := r.Read(op.key)
		if err != nil {
			return next, answer{err: err}
		}
		return next, answer{entries: next.Entries}
	}
}

func (want answer) explains(got answer) bool {
	return errors.Is(got.err, want.err) && got.won == want.won && got.entries.Equal(want.entries)
}

func sameState(a, b *runtime.Record) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Proof != b.Proof || !a.Ended.Equal(b.Ended) || len(a.Earlier) != len(b.Earlier) {
		return false
	}
	for i := range a.Earlier {
		if a.Earlier[i].Proof != b.Earlier[i].Proof || !a.Earlier[i].Presented.Equal(b.Earlier[i].Presented) {
			return false
		}
	}
	return a.Entries.Equal(b.Entries)
}

// describe lists the history in the order of the calls.
func (c *contended) describe() (text string) {
	for _, o := range c.history {
		op, got := o.Input.(operation), o.Output.(answer)
		text += fmt.Sprintf("client %d, %d to %d: %s with proof %x: %v, won %v, %s\n",
			o.ClientId, o.Call, o.Return, op.name, op.key.Proof[:2], got.err, got.won, list(got.entries))
	}
	return text
}
