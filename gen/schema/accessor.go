package schema

import (
	"slices"
	"strings"
)

// An Accessor is a method that a field adds to the generated types, by its name
// with X for the name of the field.
type Accessor string

// The accessors of the session, and below them those that an index adds to its
// manager.
const (
	GetX        Accessor = "X"
	TakeX       Accessor = "TakeX"
	ClaimX      Accessor = "ClaimX"
	XSlice      Accessor = "XSlice"
	XLen        Accessor = "XLen"
	XAt         Accessor = "XAt"
	XItem       Accessor = "XItem"
	TakeXItem   Accessor = "TakeXItem"
	ClaimXItem  Accessor = "ClaimXItem"
	SetX        Accessor = "SetX"
	EnsureX     Accessor = "EnsureX"
	AddX        Accessor = "AddX"
	AppendX     Accessor = "AppendX"
	SetXItem    Accessor = "SetXItem"
	EnsureXItem Accessor = "EnsureXItem"
	AddXItem    Accessor = "AddXItem"
	DeleteXItem Accessor = "DeleteXItem"
	ClearX      Accessor = "ClearX"
	XDirty      Accessor = "XDirty"

	FindByX   Accessor = "FindByX"
	RevokeByX Accessor = "RevokeByX"
)

// Readers are the accessors that return what a field holds.
var Readers = []Accessor{GetX, TakeX, ClaimX, XSlice, XLen, XAt, XItem, TakeXItem, ClaimXItem}

// Writers are the accessors whose change is pending until the session is stored.
var Writers = []Accessor{SetX, AddX, AppendX, SetXItem, AddXItem, DeleteXItem, ClearX}

// Of returns the accessor's name for a field.
func (a Accessor) Of(field string) string {
	before, after := a.around()
	return before + field + after
}

// Field returns the field for which a method of this name would be the accessor.
func (a Accessor) Field(method string) (name string, ok bool) {
	before, after := a.around()
	name, begins := strings.CutPrefix(method, before)
	name, ends := strings.CutSuffix(name, after)
	return name, begins && ends && name != ""
}

func (a Accessor) around() (before, after string) {
	before, after, _ = strings.Cut(string(a), "X")
	return before, after
}

// Accessors returns the accessors of the field in its session, in the order in
// which they are generated.
func (f *Field) Accessors() []Accessor {
	return slices.Concat(f.readers(), f.setters(), f.writers(), []Accessor{ClearX, XDirty})
}

// readers leave the field as it is, except that a field that is read once has
// only the ones that take it, and those that look at a map without taking.
func (f *Field) readers() []Accessor {
	isMap := f.Shape == Map || f.Shape == CounterMap
	switch {
	case f.Once && isMap:
		return []Accessor{TakeX, ClaimX, XLen, XItem, TakeXItem, ClaimXItem}
	case f.Once:
		return []Accessor{TakeX, ClaimX}
	case f.Shape == List:
		return []Accessor{GetX, XSlice, XLen, XAt}
	case isMap:
		return []Accessor{GetX, XLen, XItem}
	default:
		return []Accessor{GetX}
	}
}

// setters give the field a value as a whole. What stays as it is there, has none of
// its own, and elements are ensured one by one.
func (f *Field) setters() []Accessor {
	switch {
	case f.Merge != First:
		return []Accessor{SetX}
	case f.Shape == Map:
		return nil
	default:
		return []Accessor{EnsureX}
	}
}

// writers change a part of the field.
func (f *Field) writers() []Accessor {
	switch {
	case f.Shape == Counter:
		return []Accessor{AddX}
	case f.Shape == List && f.Merge == Append:
		return []Accessor{AppendX}
	case f.Shape == Map && f.Merge == First:
		return []Accessor{EnsureXItem, DeleteXItem}
	case f.Shape == Map:
		return []Accessor{SetXItem, DeleteXItem}
	case f.Shape == CounterMap:
		return []Accessor{SetXItem, AddXItem, DeleteXItem}
	default:
		return nil
	}
}

// Methods returns the names of the field's accessors, sorted.
func (f *Field) Methods() []string {
	var names []string
	for _, a := range f.Accessors() {
		names = append(names, a.Of(f.Name))
	}
	slices.Sort(names)
	return names
}
