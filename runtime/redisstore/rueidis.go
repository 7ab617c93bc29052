package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// Rueidis returns a client for [New]. The rueidis client should be made with
// DisableRetry: otherwise loads wait for an unreachable server as long as their context
// lets them. With AlwaysRESP2 loads are somewhat quicker.
func Rueidis(client rueidis.Client) Client { return rueidisClient{client} }

type rueidisClient struct{ rueidis.Client }

// Do implements [Client].
func (c rueidisClient) Do(ctx context.Context, command Command) (Value, error) {
	return answerOf(c.Client.Do(ctx, c.build(command)))
}

// DoAll implements [Client].
func (c rueidisClient) DoAll(ctx context.Context, commands []Command) []Answer {
	built := make(rueidis.Commands, len(commands))
	for i := range commands {
		built[i] = c.build(commands[i])
	}
	answers := make([]Answer, len(commands))
	for i, result := range c.DoMulti(ctx, built...) {
		answers[i].Value, answers[i].Err = answerOf(result)
	}
	return answers
}

func (c rueidisClient) build(command Command) rueidis.Completed {
	built := c.B().Arbitrary(command.Name...).Keys(command.Keys...).Args(command.Args...)
	if command.ReadOnly {
		return built.ReadOnly()
	}
	return built.Build()
}

// IsCluster implements [Client].
func (c rueidisClient) IsCluster() bool { return c.Mode() == rueidis.ClientModeCluster }

// Subscribe implements [Client]. The client would not notice that a connection to
// which it has added a subscription is lost, if it speaks RESP2.
func (c rueidisClient) Subscribe(ctx context.Context, channel string, confirmed func(), receive func(string)) error {
	client, _ := c.Dedicate()
	defer client.Close()
	ctx = rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
		if s.Kind == "subscribe" {
			confirmed()
		}
	})
	subscribe := client.B().Subscribe().Channel(channel).Build()
	return client.Receive(ctx, subscribe, func(m rueidis.PubSubMessage) {
		if m.Channel == channel {
			receive(m.Message)
		}
	})
}

// Nodes implements [Client].
func (c rueidisClient) Nodes(ctx context.Context) (list []Node, err error) {
	nodes := c.Client.Nodes()
	if !c.IsCluster() {
		addresses := slices.Sorted(maps.Keys(nodes)) // of the master, and of replicas that it may read from
		return []Node{{strings.Join(addresses, ","), true, c.Do}}, nil
	}
	masters, err := mastersAmong(ctx, nodes)
	for address, node := range nodes {
		list = append(list, Node{address, slices.Contains(masters, address), rueidisClient{node}.Do})
	}
	return list, err
}

// mastersAmong asks one node after the other for the addresses of all masters.
func mastersAmong(ctx context.Context, nodes map[string]rueidis.Client) (masters []string, err error) {
	err = errReply
	for address, node := range nodes {
		if masters, err = mastersKnownTo(ctx, address, node); err != nil {
			continue
		}
		for _, master := range masters {
			if nodes[master] == nil {
				return nil, fmt.Errorf("the master %s of the Cluster is not connected", master)
			}
		}
		return masters, nil
	}
	return nil, err
}

// mastersKnownTo asks one node for the addresses of all masters. One that does not
// know its own name has that by which it was reached.
func mastersKnownTo(ctx context.Context, address string, node rueidis.Client) (masters []string, err error) {
	ranges, err := answerOf(node.Do(ctx, node.B().ClusterSlots().Build()))
	if err != nil {
		return nil, err
	}
	own, _, _ := net.SplitHostPort(address)
	for _, r := range ranges.List {
		if len(r.List) < 3 || len(r.List[2].List) < 2 {
			return nil, errReply
		}
		host, port := r.List[2].List[0].Text, r.List[2].List[1].Text
		if at := net.JoinHostPort(cmp.Or(host, own), port); !slices.Contains(masters, at) {
			masters = append(masters, at)
		}
	}
	return masters, nil
}

// answerOf reads a result.
func answerOf(result rueidis.RedisResult) (Value, error) {
	message, err := result.ToMessage()
	if rueidis.IsRedisNil(err) {
		return Value{}, nil
	}
	if refused, ok := rueidis.IsRedisErr(err); ok {
		return Value{}, ServerError(refused.Error())
	}
	if err != nil {
		return Value{}, err
	}
	return valueOf(&message)
}

func valueOf(m *rueidis.RedisMessage) (v Value, err error) {
	switch {
	case m.IsNil():
	case m.IsInt64():
		n, err := m.ToInt64()
		return Value{Text: strconv.FormatInt(n, 10)}, err
	case m.IsMap():
		return valueOfMap(m)
	case m.IsArray():
		parts, err := m.ToArray()
		if err != nil {
			return v, err
		}
		v.List = make([]Value, len(parts))
		for i := range parts {
			if v.List[i], err = valueOf(&parts[i]); err != nil {
				return v, err
			}
		}
	default:
		v.Text, err = m.ToString()
	}
	return v, err
}

func valueOfMap(m *rueidis.RedisMessage) (v Value, err error) {
	hash, err := m.AsMap()
	v.List = make([]Value, 0, 2*len(hash))
	for key, message := range hash {
		value, err := valueOf(&message)
		if err != nil {
			return v, err
		}
		v.List = append(v.List, Value{Text: key}, value)
	}
	return v, err
}
