// Package explain says what a session is, for people: its fields, how each is
// stored and how large that becomes, and how cookie and expiry stand to the
// rules for session management of OWASP's ASVS.
package explain

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/duckgen/duckgen/gen"
	"github.com/duckgen/duckgen/gen/example"
	"github.com/duckgen/duckgen/gen/schema"
	"github.com/duckgen/duckgen/gen/storedform"
	"github.com/duckgen/duckgen/runtime"
)

// A Session is what there is to say about one session.
type Session struct {
	Name   string  `json:"name"` // the struct
	Kind   string  `json:"kind"`
	File   string  `json:"file"` // relative to the directory of the result
	Fields []Field `json:"fields"`
	Policy []Rule  `json:"policy"`
}

// A Field is one field of a session.
type Field struct {
	Name    string   `json:"name"`
	Key     string   `json:"key"`
	Stored  string   `json:"stored"` // the type in a store
	Options []string `json:"options"`
	Sizes
}

// Sizes are in bytes of MessagePack, without the key. Of a map they are those of
// one entry, with the end of its key. Nil: only the type's own code knows.
type Sizes struct {
	Empty   *int `json:"empty"`
	Typical *int `json:"typical"`
}

// Sessions explains every session of a result, in the order of its files.
func Sessions(result *gen.Result) []Session {
	var list []Session
	for _, file := range result.Files {
		if file.Test {
			continue
		}
		source := filepath.Join(filepath.Dir(file.Path), file.Schema.Source)
		if rel, err := filepath.Rel(result.Dir, source); err == nil {
			source = rel
		}
		for _, s := range file.Schema.Sessions {
			list = append(list, session(s, source))
		}
	}
	return list
}

func session(s *schema.Session, source string) Session {
	out := Session{Name: s.Struct, Kind: s.Kind, File: filepath.ToSlash(source), Policy: policy(s)}
	for _, f := range s.Fields {
		out.Fields = append(out.Fields, Field{
			Name:    f.Name,
			Key:     f.Key,
			Stored:  storedform.TypeOf(f).String(),
			Options: options(f),
			Sizes:   sizes(f),
		})
	}
	return out
}

// options returns what the tag says, as it is written there.
func options(f *schema.Field) []string {
	list := []string{}
	if f.Default != nil {
		list = append(list, fmt.Sprintf("default=%v", f.Default.Value))
	}
	if f.Merge != schema.Last {
		list = append(list, "merge="+string(f.Merge))
	}
	if f.Max > 0 {
		list = append(list, fmt.Sprintf("max=%d", f.Max))
	}
	if f.Limit > 0 {
		list = append(list, fmt.Sprintf("limit=%d", f.Limit))
	}
	if f.TTL > 0 {
		list = append(list, "ttl="+schema.Span(f.TTL))
	}
	if f.Was != "" {
		list = append(list, "was="+f.Was)
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"once", f.Once}, {"secret", f.Secret}, {"index", f.Index}, {"renew", f.Renew}} {
		if flag.set {
			list = append(list, flag.name)
		}
	}
	return list
}

// sealOverhead is what sealing adds: version, key id, nonce and tag.
const sealOverhead = 1 + 4 + 12 + 16

// endOverhead is what storing a value with its end adds.
const endOverhead = 1 + 9

func sizes(f *schema.Field) Sizes {
	return Sizes{Empty: size(f, example.Empty), Typical: size(f, example.Measured)}
}

func size(f *schema.Field, of func(*schema.Type) (any, bool)) *int {
	n, stored := 0, f.Type
	if f.Shape == schema.Map || f.Shape == schema.CounterMap {
		key, _ := of(f.Type.Key)
		n, stored = len(example.Key(runtime.MessagePack, key)), f.Type.Elem
	}
	v, ok := of(stored)
	if !ok {
		return nil
	}
	encoded, err := example.Encode(stored, runtime.MessagePack, v)
	if err != nil {
		return nil
	}
	n += len(encoded)
	if f.TTL > 0 {
		n += endOverhead
	}
	if f.Secret {
		n += sealOverhead
	}
	return &n
}

// keysWith returns the keys of the fields for which a property holds.
func keysWith(s *schema.Session, has func(*schema.Field) bool) string {
	var keys []string
	for _, f := range s.Fields {
		if has(f) {
			keys = append(keys, f.Key)
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, ", ")
}
