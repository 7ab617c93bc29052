package redisstore

import (
	"context"
	"iter"
	"strconv"
)

// A Client is what a store needs of a client of Redis. [Rueidis] makes one of a
// rueidis client, and package goredis, a module of its own, of a go-redis client. It is
// safe for concurrent use.
//
// What the server answers as an error is a [ServerError].
type Client interface {
	// Do sends one command. A command that is not ReadOnly it sends at most once,
	// unless the server has said that another one is to be asked.
	Do(ctx context.Context, c Command) (Value, error)

	// DoAll sends several commands, those for one server in one round trip, and
	// returns an answer for each.
	DoAll(ctx context.Context, commands []Command) []Answer

	// Nodes returns the servers behind the client: of a Cluster all that are known to
	// be in it.
	Nodes(ctx context.Context) ([]Node, error)

	// IsCluster reports whether keys belong to different servers.
	IsCluster() bool

	// Subscribe listens to a channel, over a connection of its own, until that is
	// lost or the context is done. It calls confirmed each time when the subscription
	// has begun, and receive with each message, one after the other.
	Subscribe(ctx context.Context, channel string, confirmed func(), receive func(message string)) error
}

// A Node is one server.
type Node struct {
	Address string
	Master  bool // it takes writes
	Do      func(ctx context.Context, c Command) (Value, error)
}

// A Command consists of its name and what belongs in front of the keys, the keys, of
// which the first decides about the server of a Cluster, and what comes after.
type Command struct {
	Name     []string
	Keys     []string
	Args     []string
	ReadOnly bool // it may be sent again if its answer does not come
}

// An Answer is that to one of several commands.
type Answer struct {
	Value Value
	Err   error
}

// A Value is what a server answers: a text, a number as its digits, or a list. A map
// is a list of keys and values in turns. Nil is the zero Value.
type Value struct {
	Text string
	List []Value // not nil if it is a list
}

// A ServerError is the text of an error that the server has answered. It begins with a
// code, such as NOPERM; the code ERR may be missing.
type ServerError string

// Error implements error.
func (e ServerError) Error() string { return string(e) }

// read returns a command that changes nothing.
func read(name, key string, args ...string) Command {
	return Command{Name: []string{name}, Keys: []string{key}, Args: args, ReadOnly: true}
}

// number returns a number, and -1 for anything else.
func (v Value) number() int64 {
	n, err := strconv.ParseInt(v.Text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// texts returns the texts of a list.
func (v Value) texts() []string {
	texts := make([]string, len(v.List))
	for i := range v.List {
		texts[i] = v.List[i].Text
	}
	return texts
}

// fields yields the fields of a hash with their texts. There are as many as half of
// the list is long.
func (v Value) fields() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(v.List); i += 2 {
			if !yield(v.List[i].Text, v.List[i+1].Text) {
				return
			}
		}
	}
}
