package cache

import (
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"reflect"
	"slices"
	"strings"
)

// A digest hashes values by what they are made of. Different values have
// different streams of bytes: every length is a part of them, and the type of
// what an interface holds.
type digest struct {
	hash.Hash
	buffer []byte
}

func (d *digest) add(value any) {
	d.value(reflect.ValueOf(value))
	d.flush()
}

func (d *digest) flush() {
	d.Write(d.buffer)
	d.buffer = d.buffer[:0]
}

func (d *digest) number(n uint64) { d.buffer = binary.AppendUvarint(d.buffer, n) }

func (d *digest) text(s string) {
	d.number(uint64(len(s)))
	d.buffer = append(d.buffer, s...)
	if len(d.buffer) > 1<<12 {
		d.flush()
	}
}

func (d *digest) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			d.number(1)
		} else {
			d.number(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		d.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		d.number(math.Float64bits(v.Float()))
	case reflect.String:
		d.text(v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			d.value(v.Field(i))
		}
	case reflect.Pointer, reflect.Interface:
		d.held(v)
	case reflect.Slice:
		d.number(uint64(v.Len()))
		for i := range v.Len() {
			d.value(v.Index(i))
		}
	case reflect.Map:
		d.entries(v)
	default:
		panic(fmt.Sprintf("no digest of a %s", v.Type())) // no input reaches this: types are fixed
	}
}

// held adds what a pointer or an interface holds.
func (d *digest) held(v reflect.Value) {
	if v.IsNil() {
		d.number(0)
		return
	}
	d.number(1)
	if v.Kind() == reflect.Interface {
		d.text(v.Elem().Type().String())
	}
	d.value(v.Elem())
}

// entries adds a map in the order of its keys.
func (d *digest) entries(v reflect.Value) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	d.number(uint64(len(keys)))
	for _, key := range keys {
		d.text(key.String())
		d.value(v.MapIndex(key))
	}
}
