package redisstore_test

import (
	"cmp"
	"crypto/rand"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/redisstore"
	"github.com/duckgen/duckgen/runtime/storetest"
)

var operations = flag.Int("history", 0,
	"how many operations are recorded for the linearizability check; 0: as the tier says")

func historyLength() int { return cmp.Or(*operations, testtier.Count(500, 500, 20_000)) }

func TestMain(m *testing.M) {
	testtier.WaitTogether()
	os.Exit(m.Run())
}

// start starts a server for one test.
func start(t testing.TB, settings ...string) *servertest.Redis {
	t.Helper()
	testtier.NotShort(t, "it needs a server")
	server, err := servertest.NewRedis(settings...)
	servertest.Check(t, err)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// startCluster starts a Cluster of three masters for one test.
func startCluster(t testing.TB, replicas int) []*servertest.Redis {
	t.Helper()
	testtier.NotShort(t, "it needs servers")
	nodes, err := servertest.NewRedisCluster(3, replicas)
	servertest.Check(t, err)
	t.Cleanup(func() {
		if err := servertest.CloseAll(nodes); err != nil {
			t.Error(err)
		}
	})
	return nodes
}

// open opens a store, and closes it at the end of the test.
func open(t testing.TB, url, prefix string, options ...redisstore.OpenOption) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(t.Context(), url, append(options, redisstore.WithPrefix(prefix))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// fresh opens a store that shares nothing with others on the server.
func fresh(t testing.TB, url string, options ...redisstore.OpenOption) *redisstore.Store {
	t.Helper()
	return open(t, url, rand.Text()+":", options...)
}

func TestContract(t *testing.T) {
	t.Parallel()
	if own := os.Getenv(servertest.RedisVariable); own != "" {
		contract(t, func() string { return own }, nil)
		return
	}
	onOneServer(t)
}

// TestContractWithACache shows that to one store the cache makes no difference.
func TestContractWithACache(t *testing.T) {
	t.Parallel()
	testtier.OnlyExhaustive(t, "it is TestContract once more")
	onOneServer(t, redisstore.WithCache(time.Hour, 1<<20))
}

// TestContractWithScripts gives the operations to a server whose user may not call
// functions.
func TestContractWithScripts(t *testing.T) {
	t.Parallel()
	testtier.OnlyExhaustive(t, "it is TestContract once more")
	inForm(t, withoutFunctions)
}

func onOneServer(t *testing.T, how ...redisstore.OpenOption) {
	inForm(t, func(_ testing.TB, servers ...*servertest.Redis) string { return servers[0].URL() }, how...)
}

// inForm runs the contract on one server with the URL that a form has for it.
func inForm(t *testing.T, of func(testing.TB, ...*servertest.Redis) string, how ...redisstore.OpenOption) {
	testtier.NotShort(t, "it needs a server")
	servertest.Check(t, servertest.HasRedis())
	var server *servertest.Redis
	url := sync.OnceValue(func() string {
		server = start(t)
		return of(t, server)
	})
	contract(t, url, how,
		storetest.WithOutage(func(*testing.T, runtime.Store) (end func()) {
			server.Freeze()
			return server.Thaw
		}),
		storetest.WithLostWatch(func(t *testing.T, _ runtime.Store) { killSubscribers(t, server) }))
}

func TestContractOnACluster(t *testing.T) {
	t.Parallel()
	testtier.OnlyExhaustive(t, "it is TestContract once more")
	servertest.Check(t, servertest.HasRedis())
	var nodes []*servertest.Redis
	url := sync.OnceValue(func() string {
		nodes = startCluster(t, 0)
		return nodes[0].URL()
	})
	contract(t, url, nil,
		storetest.WithOutage(func(*testing.T, runtime.Store) (end func()) {
			for _, node := range nodes {
				node.Freeze()
			}
			return func() {
				for _, node := range nodes {
					node.Thaw()
				}
			}
		}),
		storetest.WithLostWatch(func(t *testing.T, _ runtime.Store) { killSubscribers(t, nodes...) }))
}

// killSubscribers closes the connections that have subscribed to something.
func killSubscribers(t *testing.T, servers ...*servertest.Redis) {
	t.Helper()
	for _, server := range servers {
		command(t, server, "CLIENT", "KILL", "TYPE", "pubsub")
	}
}

// contract runs the kit against a server that starts with its first use: a
// process that the kit starts and kills uses that of its parent.
func contract(t *testing.T, url func() string, how []redisstore.OpenOption, options ...storetest.Option) {
	byServer := slices.Clone(how)
	clocks := func(t *testing.T) [2]runtime.Store {
		prefix := rand.Text() + ":"
		return [2]runtime.Store{open(t, url(), prefix, byServer...), open(t, url(), prefix, byServer...)}
	}
	how = append(byServer[:len(byServer):len(byServer)], redisstore.WithClientClock())
	reopen := func(t *testing.T, data string) runtime.Store {
		return open(t, servertest.AddressIn(t, data, url), filepath.Base(filepath.Dir(data))+filepath.Base(data)+":", how...)
	}
	storetest.Run(t,
		func(t *testing.T) runtime.Store { return fresh(t, url(), how...) },
		append(options, storetest.WithReopen(reopen), storetest.WithHistory(historyLength()), storetest.WithRounds(testtier.Rounds()), storetest.WithClocks(clocks))...)
}
