package runtime

import "path"

// Generated1 is the form of generated code that this runtime serves. Generated
// code refers to it, so that a mismatch is a readable compile error.
const Generated1 = true

// typedField is what a [Model] needs of a field whatever its type.
type typedField interface {
	base() *Field
	prepare()
	show(*Session) any
}

// A Model is what generated code says about one session type.
type Model[S any] struct {
	kind     string
	name     string
	wrap     func(*Session) S
	fields   []typedField
	secrets  []string // keys of secret fields
	renewing []*Field // with the option renew
	limited  []*Field // with the option limit
	outside  *engine  // of sessions that have no manager
}

// NewModel describes a session type: its kind, how a session becomes the
// generated type, and its fields. It is called once, by generated code.
func NewModel[S any](kind string, wrap func(*Session) S, fields ...typedField) *Model[S] {
	m := &Model[S]{kind: kind, name: path.Base(kind), wrap: wrap, fields: fields}
	for _, f := range fields {
		f.prepare()
		base := f.base()
		base.elements, base.wasElements = base.Key+":", base.Was+":"
		if base.Secret {
			m.secrets = append(m.secrets, base.Key)
		}
		if base.Renew {
			m.renewing = append(m.renewing, base)
		}
		if base.Limit > 0 {
			m.limited = append(m.limited, base)
		}
	}
	config, _ := Configure()
	m.outside = &engine{kind: m.kind, name: m.name, config: config, carrier: config.carrier(), clock: newClock(config.Now), renewing: m.renewing}
	return m
}
