// Package goredis lets a program keep its sessions in Redis through the go-redis
// client that it has already:
//
//	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", ContextTimeoutEnabled: true})
//	store := redisstore.New(goredis.Client(client))
//
// It is a module of its own, so that nobody else needs go-redis.
package goredis

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/duckgen/duckgen/runtime/redisstore"
)

// Client returns what [redisstore.New] takes. The client is a [redis.Client], also one
// behind Sentinel, or a [redis.ClusterClient]. It should be made with
// ContextTimeoutEnabled: otherwise a call waits for a frozen server as long as
// ReadTimeout says, whatever its context does. A Cluster must not be read from replicas
// (ReadOnly, RouteByLatency, RouteRandomly): they may not have the latest commit yet.
func Client(client redis.UniversalClient) redisstore.Client { return adapter{client} }

type adapter struct{ client redis.UniversalClient }

// A once is a command that is not sent again if its answer does not come.
type once struct{ *redis.Cmd }

// NoRetry implements [redis.Cmder].
func (once) NoRetry() bool { return true }

// commandOf returns the command for a client, and where its answer will be.
func commandOf(ctx context.Context, c redisstore.Command) (redis.Cmder, *redis.Cmd) {
	args := make([]any, 0, len(c.Name)+len(c.Keys)+len(c.Args))
	for _, part := range [][]string{c.Name, c.Keys, c.Args} {
		for _, text := range part {
			args = append(args, text)
		}
	}
	cmd := redis.NewCmd(ctx, args...)
	if len(c.Keys) > 0 {
		cmd.SetFirstKeyPos(int8(len(c.Name)))
	}
	if c.ReadOnly {
		return cmd, cmd
	}
	return once{cmd}, cmd
}

// Do implements [redisstore.Client].
func (a adapter) Do(ctx context.Context, c redisstore.Command) (redisstore.Value, error) {
	return do(ctx, a.client, c)
}

type processor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

func do(ctx context.Context, client processor, c redisstore.Command) (redisstore.Value, error) {
	cmd, answer := commandOf(ctx, c)
	_ = client.Process(ctx, cmd) // the command has the error, too
	return answerOf(answer)
}

// DoAll implements [redisstore.Client].
func (a adapter) DoAll(ctx context.Context, commands []redisstore.Command) []redisstore.Answer {
	pipe := a.client.Pipeline()
	cmds := make([]*redis.Cmd, len(commands))
	answers := make([]redisstore.Answer, len(commands))
	for i, c := range commands {
		var cmd redis.Cmder
		cmd, cmds[i] = commandOf(ctx, c)
		_ = pipe.Process(ctx, cmd) // only waits for the rest
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for i, cmd := range cmds {
		answers[i].Value, answers[i].Err = answerOf(cmd)
	}
	return answers
}

// IsCluster implements [redisstore.Client].
func (a adapter) IsCluster() bool {
	_, is := a.client.(*redis.ClusterClient)
	return is
}

// Nodes implements [redisstore.Client].
func (a adapter) Nodes(ctx context.Context) (nodes []redisstore.Node, err error) {
	cluster, is := a.client.(*redis.ClusterClient)
	if !is {
		return []redisstore.Node{{Address: addressOf(a.client), Master: true, Do: a.Do}}, nil
	}
	var mu sync.Mutex // nodes are visited at once
	add := func(master bool) func(context.Context, *redis.Client) error {
		return func(_ context.Context, node *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			nodes = append(nodes, redisstore.Node{
				Address: addressOf(node), Master: master,
				Do: func(ctx context.Context, c redisstore.Command) (redisstore.Value, error) { return do(ctx, node, c) },
			})
			return nil
		}
	}
	return nodes, errors.Join(cluster.ForEachMaster(ctx, add(true)), cluster.ForEachSlave(ctx, add(false)))
}

func addressOf(client redis.UniversalClient) string {
	if single, is := client.(*redis.Client); is {
		return single.Options().Addr
	}
	return ""
}

// silence is after which time without a message a subscription is tested, and how long
// the server may take to answer then.
const silence = 10 * time.Second

// Subscribe implements [redisstore.Client].
func (a adapter) Subscribe(ctx context.Context, channel string, confirmed func(), receive func(string)) error {
	subscription := a.client.Subscribe(ctx, channel)
	closing := func() { _ = subscription.Close() } // it is of no more use
	defer closing()
	defer context.AfterFunc(ctx, closing)()
	tested := false
	for {
		received, err := subscription.ReceiveTimeout(ctx, silence)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() && !tested {
			tested = true
			err = subscription.Ping(ctx)
		} else {
			tested = false
		}
		if err != nil {
			return err
		}
		switch m := received.(type) {
		case *redis.Subscription:
			confirmed()
		case *redis.Message:
			receive(m.Payload)
		}
	}
}

func answerOf(cmd *redis.Cmd) (redisstore.Value, error) {
	answer, err := cmd.Result()
	if err == nil || errors.Is(err, redis.Nil) {
		return valueOf(answer), nil
	}
	var refused redis.Error
	if errors.As(err, &refused) {
		return redisstore.Value{}, redisstore.ServerError(strings.TrimPrefix(refused.Error(), "ERR "))
	}
	return redisstore.Value{}, err
}

// valueOf reads what an answer may be; nothing else comes of what a store asks.
func valueOf(answer any) redisstore.Value {
	switch v := answer.(type) {
	case string:
		return redisstore.Value{Text: v}
	case int64:
		return redisstore.Value{Text: strconv.FormatInt(v, 10)}
	case []any:
		list := make([]redisstore.Value, len(v))
		for i := range v {
			list[i] = valueOf(v[i])
		}
		return redisstore.Value{List: list}
	case map[any]any:
		list := make([]redisstore.Value, 0, 2*len(v))
		for key, value := range v {
			list = append(list, valueOf(key), valueOf(value))
		}
		return redisstore.Value{List: list}
	default:
		return redisstore.Value{}
	}
}
