package sessiontest

import (
	"errors"
	"image"
	"log/slog"
	"math/big"
	"net/netip"
	"net/url"
	"time"
)

// Everything has a field of every type that can be stored.
//
//duckgen:session cookie=everything
type Everything struct {
	Bool       bool       `session:"bool"`
	Int        int        `session:"int"`
	Int8       int8       `session:"int8"`
	Int16      int16      `session:"int16"`
	Int32      int32      `session:"int32"`
	Int64      int64      `session:"int64"`
	Uint       uint       `session:"uint"`
	Uint8      uint8      `session:"uint8"`
	Uint16     uint16     `session:"uint16"`
	Uint32     uint32     `session:"uint32"`
	Uint64     uint64     `session:"uint64"`
	Uintptr    uintptr    `session:"uintptr"`
	Float32    float32    `session:"float32"`
	Float64    float64    `session:"float64"`
	Complex64  complex64  `session:"complex64"`
	Complex128 complex128 `session:"complex128"`
	String     string     `session:"string"`
	Byte       byte       `session:"byte"`
	Rune       rune       `session:"rune"`
	Bytes      []byte     `session:"bytes"`

	// Named types, of this package and of others.
	Flag    Flag          `session:"flag"`
	Grade   Grade         `session:"grade"`
	Word    Word          `session:"word"`
	Blob    Blob          `session:"blob"`
	Stamp   Stamp         `session:"stamp"`
	Month   time.Month    `session:"month"`
	Time    time.Time     `session:"time"`
	Patient time.Duration `session:"patient"`

	// Collections of every depth.
	Digest   [32]byte                           `session:"digest"`
	Grid     [2][3]int16                        `session:"grid"`
	Empty    [0]string                          `session:"empty"`
	Words    []Word                             `session:"words"`
	Matrix   [][]float64                        `session:"matrix"`
	Blobs    [][]byte                           `session:"blobs"`
	Rounds   Rounds                             `session:"rounds"`
	Strings  map[string]string                  `session:"strings"`
	ByWord   map[Word][]int                     `session:"by_word"`
	ByInt8   map[int8]bool                      `session:"by_int8"`
	ByUint64 map[uint64]Point                   `session:"by_uint64"`
	ByGrade  Grades                             `session:"by_grade"`
	Deep     map[string]map[int]map[Word]*Point `session:"deep"`
	Counts   map[string]int64                   `session:"counts,merge=sum"`
	Small    map[Word]uint8                     `session:"small,merge=sum"`
	Count    int64                              `session:"count,merge=sum"`
	Narrow   uint16                             `session:"narrow,merge=sum"`

	// Optional values.
	MaybeInt    *int                `session:"maybe_int"`
	MaybePoint  *Point              `session:"maybe_point"`
	MaybeTime   *time.Time          `session:"maybe_time"`
	MaybeList   *[]string           `session:"maybe_list"`
	MaybeMany   []*int              `session:"maybe_many"`
	MaybeByName map[string]*float64 `session:"maybe_by_name"`

	// Structs, of this package and of others.
	Point   Point       `session:"point"`
	Shape   Shape       `session:"shape"`
	Pixel   image.Point `session:"pixel"`
	Corners []Point     `session:"corners"`
	Inline  struct {
		A int
		B string
	} `session:"inline"`

	// Generics and aliases.
	Pair   Pair[string, []int]      `session:"pair"`
	Pairs  []Pair[Word, *Point]     `session:"pairs"`
	Option Option[Pair[int, Grade]] `session:"option"`
	Names  Names                    `session:"names"`
	Couple Couple                   `session:"couple"`

	// Types that marshal themselves.
	Addr    netip.Addr            `session:"addr"`
	Prefix  *netip.Prefix         `session:"prefix"`
	Addrs   map[string]netip.Addr `session:"addrs"`
	Link    url.URL               `session:"link"`
	Back    *url.URL              `session:"back"`
	Balance big.Int               `session:"balance"`
	Ratio   *big.Rat              `session:"ratio"`
	Amounts []big.Int             `session:"amounts"`
	Log     slog.Level            `session:"log"`
	Celsius Celsius               `session:"celsius"`

	// Sealed.
	Secret  string    `session:"secret,secret"`
	Secrets []string  `session:"secrets,secret,merge=append"`
	Hidden  Shape     `session:"hidden,secret"`
	Key     *[32]byte `session:"key,secret"`
	Until   time.Time `session:"until,secret,merge=max"`
	Once    string    `session:"once,secret,once"`
}

// Named types on basic kinds, byte slices and time.Time.
type (
	Flag  bool
	Grade int8
	Word  string
	Blob  []byte
	Stamp time.Time
)

// Rounds and Grades are named collections.
type (
	Rounds []Grade
	Grades map[Grade]Shape
)

// Point is a struct in many places.
type Point struct{ X, Y int }

// Shape embeds a struct and holds others.
type Shape struct {
	Point
	Name   Word
	Corner [2]Point
	Holes  []Shapeless
	Next   *Point
	Tags   map[string]Flag
}

// Shapeless is nested in Shape.
type Shapeless struct {
	At   time.Time
	Size float32
	Raw  []byte
}

// Pair and Option are generic.
type (
	Pair[A, B any] struct {
		First  A
		Second B
	}
	Option[T any] struct{ Value *T }
)

// Names and Couple are aliases.
type (
	Names  = []string
	Couple = Pair[Names, Flag]
)

var errDegrees = errors.New("not 0 to 255 degrees")

// Celsius marshals itself to one byte, and refuses what is below zero.
type Celsius int

// MarshalBinary returns the degrees.
func (c Celsius) MarshalBinary() ([]byte, error) {
	if c < 0 || c > 255 {
		return nil, errDegrees
	}
	return []byte{byte(c)}, nil
}

// UnmarshalBinary reads the degrees.
func (c *Celsius) UnmarshalBinary(b []byte) error {
	if len(b) != 1 {
		return errDegrees
	}
	*c = Celsius(b[0])
	return nil
}
