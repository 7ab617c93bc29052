package templates_test

import (
	"net/http"
	"time"

	"github.com/duckgen/duckgen/gen/schema"
)

const shopPath = "example.com/shop"

// The types that the hand-made schemas of these tests are made of.

func basic(name string) *schema.Type { return &schema.Type{Form: schema.Basic, Basic: name} }

func named(name string, t *schema.Type) *schema.Type {
	return from(shopPath, "shop", name, t)
}

func from(path, pkg, name string, t *schema.Type, args ...*schema.Type) *schema.Type {
	renamed := *t
	renamed.Name = &schema.Name{Path: path, Package: pkg, Name: name, Args: args}
	return &renamed
}

func pointer(elem *schema.Type) *schema.Type {
	return &schema.Type{Form: schema.Pointer, Elem: elem}
}

func slice(elem *schema.Type) *schema.Type { return &schema.Type{Form: schema.Slice, Elem: elem} }

func array(n int64, elem *schema.Type) *schema.Type {
	return &schema.Type{Form: schema.Array, Len: n, Elem: elem}
}

func mapOf(key, elem *schema.Type) *schema.Type {
	return &schema.Type{Form: schema.MapOf, Key: key, Elem: elem}
}

func structOf(members ...schema.StructField) *schema.Type {
	t := &schema.Type{Form: schema.Struct}
	for _, m := range members {
		t.Members = append(t.Members, schema.Member{StructField: m, Key: m.Name})
	}
	return t
}

func member(name string, t *schema.Type) schema.StructField {
	return schema.StructField{Name: name, Type: t}
}

func instant() *schema.Type {
	return from("time", "time", "Time", &schema.Type{Form: schema.Time})
}

func duration() *schema.Type { return from("time", "time", "Duration", basic("int64")) }

func address() *schema.Type {
	return named("Address", structOf(
		member("Street", basic("string")),
		member("Lines", slice(basic("string"))),
	))
}

func pair(a, b *schema.Type) *schema.Type {
	return from(shopPath, "shop", "Pair", structOf(member("First", a), member("Second", b)), a, b)
}

func day() *schema.Type { return named("Day", basic("uint8")) }

func stamp() *schema.Type { return named("Stamp", &schema.Type{Form: schema.Time}) }

// layoutOf is the layout of a struct that has the fields and nothing else.
func layoutOf(fields []*schema.Field) []schema.StructField {
	var layout []schema.StructField
	for _, f := range fields {
		layout = append(layout, member(f.Name, f.Type))
	}
	return layout
}

// file is a file of package shop with the sessions.
func file(sessions ...*schema.Session) *schema.File {
	return &schema.File{
		Package: schema.Package{
			Path:    shopPath,
			Name:    "shop",
			Scope:   map[string]bool{},
			Imports: map[string]bool{},
		},
		Source:   "session.go",
		Output:   "session_duckgen.go",
		Sessions: sessions,
	}
}

// session is one with all hooks and no settings.
func session(name string, fields ...*schema.Field) *schema.Session {
	return &schema.Session{
		Name:   name,
		Struct: name,
		Kind:   shopPath + "." + name,
		Hooks:  schema.Hooks{HTTP: true, Lively: true},
		Fields: fields,
		Layout: layoutOf(fields),
	}
}

// shop is the schema of testdata/shop/session.go.
func shop() *schema.File {
	f := file(visitor(), admin())
	for _, name := range []string{"Visitor", "Address", "Pair", "Stamps", "Day", "Stamp", "Admin"} {
		f.Package.Scope[name] = true
	}
	for _, name := range []string{"netip", "time"} {
		f.Package.Imports[name] = true
	}
	return f
}

func visitor() *schema.Session {
	s := session("Visitor",
		&schema.Field{Name: "UserID", Key: "user_id", Type: basic("int64"), Index: true, Renew: true,
			Doc: []string{"find and end a user's sessions; a change renews the token"}},
		&schema.Field{Name: "Name", Key: "name", Type: basic("string"),
			Doc: []string{"Name is how the visitor wants to be called,", "at most a few words."}},
		&schema.Field{Name: "Theme", Key: "theme", Type: basic("string"), Default: &schema.Literal{Value: "light"}},
		&schema.Field{Name: "Cart", Key: "cart", Type: mapOf(basic("string"), basic("int")),
			Shape: schema.CounterMap, Merge: schema.Sum},
		&schema.Field{Name: "Views", Key: "views", Type: basic("int64"), Shape: schema.Counter, Merge: schema.Sum},
		&schema.Field{Name: "Recent", Key: "recent", Type: slice(basic("string")), Shape: schema.List,
			Merge: schema.Append, Max: 20},
		&schema.Field{Name: "Notice", Key: "notice", Type: basic("string"), Once: true},
		&schema.Field{Name: "APIKey", Key: "api_key", Type: basic("string"), Secret: true, Max: 64},
		&schema.Field{Name: "Address", Key: "address", Type: address()},
		&schema.Field{Name: "SeenAt", Key: "seen_at", Type: instant(), Merge: schema.Max},
		&schema.Field{Name: "Stamps", Key: "stamps", Shape: schema.Map, Type: named("Stamps", mapOf(day(), stamp()))},
		&schema.Field{Name: "Old", Key: "old", Was: "older", Type: pointer(basic("uint8")),
			Doc: []string{"Old is the visitor's age.", "", "Deprecated: ask again."}},
		&schema.Field{Name: "Grid", Key: "grid", Type: array(3, slice(pair(basic("string"), duration())))},
		&schema.Field{Name: "Spot", Key: "spot",
			Type: structOf(member("X", basic("float64")), member("Y", basic("float64")))},
		&schema.Field{Name: "From", Key: "from",
			Type: from("net/netip", "netip", "Addr", &schema.Type{Form: schema.BinaryMarshaler})},
	)
	s.Layout = append(s.Layout, member("scratch", &schema.Type{Literal: []schema.LiteralPart{
		{Text: "func("}, {Name: address().Name}, {Text: ") error"},
	}}))
	s.Policy = schema.Policy{
		Cookie:   new("shop"),
		SameSite: new(http.SameSiteStrictMode),
		Secure:   new(false),
		Age:      new(168 * time.Hour),
		Idle:     new(90 * time.Second),
		Reserved: []string{"basket"},
	}
	return s
}

func admin() *schema.Session {
	return session("Admin",
		&schema.Field{Name: "User", Key: "user", Type: basic("string"), Index: true, Renew: true},
		&schema.Field{Name: "Home", Key: "home", Type: address()},
		&schema.Field{Name: "Logins", Key: "logins", Type: basic("uint32"), Shape: schema.Counter, Merge: schema.Sum},
		&schema.Field{Name: "LastAt", Key: "last_at", Type: stamp(), Merge: schema.Min},
		&schema.Field{Name: "Trail", Key: "trail", Type: slice(address()), Shape: schema.List, Once: true},
		&schema.Field{Name: "Tries", Key: "tries", Type: mapOf(day(), basic("uint16")),
			Shape: schema.CounterMap, Merge: schema.Sum},
		&schema.Field{Name: "Backoff", Key: "backoff", Type: duration(),
			Default: &schema.Literal{Value: 90 * time.Second}, Merge: schema.Last},
	)
}
