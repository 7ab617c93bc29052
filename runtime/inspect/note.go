package inspect

import (
	"context"
	"strings"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/observe"
)

// A note leads from the context of a request, or of an event, to its entry. The nil
// note is that of anything else.
type note struct {
	journal *journal
	entry   *entry
	view    func(context.Context) (runtime.View, error) // nil: an event
	outer   *note                                       // of other sessions around this one
}

type noteKey struct{}

func noteOf(ctx context.Context) *note {
	n, _ := ctx.Value(noteKey{}).(*note)
	return n
}

func (n *note) update(change func(*entry)) {
	if n != nil {
		n.journal.update(n.entry, change)
	}
}

// A tracer notes what the runtime notifies it of.
type tracer struct{ *journal }

func (t tracer) Begin(ctx context.Context, b runtime.TraceBegin) context.Context {
	e := &entry{Kind: "EVENT", Session: b.Session}
	if b.Request != nil {
		e.Kind, e.Name = cut(b.Request.Method), cut(b.Request.URL.Path) // a query may have a ticket
	}
	t.add(e)
	return context.WithValue(ctx, noteKey{}, &note{t.journal, e, b.View, noteOf(ctx)})
}

func (t tracer) Read(ctx context.Context, field string) {
	noteOf(ctx).update(func(e *entry) { e.read(field) })
}

func (t tracer) Event(ctx context.Context, event runtime.Event) {
	text := event.Field
	if event.Err != nil {
		text = strings.TrimSpace(text + " " + event.Err.Error())
	}
	t.report(ctx, event.Handle, notice{Kind: string(event.Kind), Text: text})
}

func (t tracer) Error(ctx context.Context, err error) {
	t.report(ctx, "", notice{Kind: "error", Text: err.Error(), Error: true})
}

// report notes what belongs to a request, or to none.
func (t tracer) report(ctx context.Context, handle string, what notice) {
	n := noteOf(ctx)
	if n == nil {
		n = &note{journal: t.journal, entry: &entry{Ended: true}}
		t.add(n.entry)
	}
	n.update(func(e *entry) {
		e.handle(handle)
		e.notice(what)
	})
}

func (t tracer) End(ctx context.Context, end runtime.TraceEnd) {
	noteOf(ctx).update(func(e *entry) {
		e.handle(end.Handle)
		if end.Err != nil {
			e.notice(notice{Kind: "error", Text: end.Err.Error(), Error: true})
		}
		e.end(end.Status)
	})
}

// calls notes each call of a store. Those that belong to no request are left out.
type calls struct{}

func (calls) Begin(ctx context.Context, _ observe.Op) context.Context { return ctx }

func (calls) End(ctx context.Context, c observe.Call) {
	noteOf(ctx).update(func(e *entry) {
		if c.ID != (runtime.ID{}) {
			e.handle(c.ID.String())
		}
		e.call(call{string(c.Op), c.Outcome(), c.Failed(), c.Bytes, c.Sessions, milliseconds(c.Took)})
	})
}

// writes notes which fields a store is asked to write.
type writes struct{ runtime.Store }

// Unwrap leads to what the store can do besides.
func (w writes) Unwrap() runtime.Store { return w.Store }

func (w writes) Create(ctx context.Context, key runtime.Key, r *runtime.Record) error {
	noteOf(ctx).update(func(e *entry) {
		for stored := range r.Entries.All() {
			e.write(fieldOf(stored.Key))
		}
	})
	return w.Store.Create(ctx, key, r)
}

func (w writes) Update(ctx context.Context, key runtime.Key, d *runtime.Delta) (*runtime.Result, error) {
	noteOf(ctx).update(func(e *entry) {
		for i := range d.Ops {
			e.write(fieldOf(d.Ops[i].Entry.Key))
		}
	})
	return w.Store.Update(ctx, key, d)
}

// fieldOf returns the field of an entry, which may be an element of it.
func fieldOf(entry string) string {
	field, _, _ := strings.Cut(entry, ":")
	return field
}
