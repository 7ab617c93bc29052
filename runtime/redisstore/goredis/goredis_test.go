package goredis_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/redisstore"
	"github.com/duckgen/duckgen/runtime/redisstore/goredis"
	"github.com/duckgen/duckgen/runtime/storetest"
)

// single is a client of one server.
func single(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.ContextTimeoutEnabled = true
	return redis.NewClient(options)
}

// cluster is a client of a Cluster that has the server.
func cluster(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	options, err := redis.ParseClusterURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.ContextTimeoutEnabled = true
	return redis.NewClusterClient(options)
}

type connecting func(t *testing.T, url string) redis.UniversalClient

// open returns a store on a client of its own.
func (c connecting) open(t *testing.T, url, prefix string, options ...redisstore.Option) *redisstore.Store {
	t.Helper()
	client := c(t, url)
	s := redisstore.New(goredis.Client(client), append(options, redisstore.WithPrefix(prefix))...)
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), client.Close()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract(t, single, func() ([]*servertest.Redis, error) {
		server, err := servertest.NewRedis()
		return []*servertest.Redis{server}, err
	})
}

func TestContractOnACluster(t *testing.T) {
	t.Parallel()
	contract(t, cluster, func() ([]*servertest.Redis, error) { return servertest.NewRedisCluster(3, 0) })
}

// contract runs the kit against servers that start with their first use: a process
// that the kit starts and kills uses those of its parent.
func contract(t *testing.T, connect connecting, start func() ([]*servertest.Redis, error)) {
	testtier.NotShort(t, "it needs servers")
	servertest.Check(t, servertest.HasRedis())
	var servers []*servertest.Redis
	url := sync.OnceValue(func() string {
		var err error
		servers, err = start()
		servertest.Check(t, err)
		t.Cleanup(func() {
			if err := servertest.CloseAll(servers); err != nil {
				t.Error(err)
			}
		})
		return servers[0].URL()
	})
	each := func(do func(*servertest.Redis)) {
		for _, server := range servers {
			do(server)
		}
	}
	byProgram := redisstore.WithClientClock()
	storetest.Run(t,
		func(t *testing.T) runtime.Store { return connect.open(t, url(), rand.Text()+":", byProgram) },
		storetest.WithHistory(testtier.Count(1000, 2000, 5000)),
		storetest.WithClocks(func(t *testing.T) [2]runtime.Store {
			prefix := rand.Text() + ":"
			return [2]runtime.Store{connect.open(t, url(), prefix), connect.open(t, url(), prefix)}
		}),
		storetest.WithReopen(func(t *testing.T, data string) runtime.Store {
			prefix := filepath.Base(filepath.Dir(data)) + filepath.Base(data) + ":"
			return connect.open(t, servertest.AddressIn(t, data, url), prefix, byProgram)
		}),
		storetest.WithOutage(func(*testing.T, runtime.Store) (end func()) {
			each((*servertest.Redis).Freeze)
			return func() { each((*servertest.Redis).Thaw) }
		}),
		storetest.WithLostWatch(func(t *testing.T, _ runtime.Store) {
			each(func(server *servertest.Redis) { command(t, server, "CLIENT", "KILL", "TYPE", "pubsub") })
		}))
}

func command(t *testing.T, server *servertest.Redis, parts ...string) string {
	t.Helper()
	answer, err := server.Command(parts...)
	if err != nil {
		t.Fatalf("%v: %v", parts, err)
	}
	return answer
}

// TestAUserWithoutFunctions runs scripts, also after the server has forgotten them.
func TestAUserWithoutFunctions(t *testing.T) {
	server, err := servertest.NewRedis()
	servertest.Check(t, err)
	t.Cleanup(func() { server.Close() })
	command(t, server, "ACL", "SETUSER", "scripted", "on", ">secret", "+@all", "-fcall", "-function", "~*", "&*")
	s := connecting(single).open(t, "redis://scripted:secret@"+server.Address(), "duckgen:")
	for range 2 {
		key, record := session()
		if err := s.Create(t.Context(), key, record); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Load(t.Context(), key); err != nil || r.Kind != record.Kind {
			t.Errorf("Load: %+v, %v", r, err)
		}
		command(t, server, "SCRIPT", "FLUSH")
	}
	if stats := command(t, server, "INFO", "commandstats"); !strings.Contains(stats, "cmdstat_evalsha") {
		t.Errorf("no script was called: %s", stats)
	}
}

// TestACommitTakesLittleOnTheWire has a figure of docs/stores.md: with -v it logs it.
func TestACommitTakesLittleOnTheWire(t *testing.T) {
	server, err := servertest.NewRedis()
	servertest.Check(t, err)
	t.Cleanup(func() { server.Close() })
	s := connecting(single).open(t, server.URL(), "duckgen:")
	key, record := session()
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	theme := runtime.Entry{Key: "theme", Value: strings.Repeat("d", 40)}
	d := &runtime.Delta{MaxBytes: 1 << 20, Ops: []runtime.Op{{Kind: runtime.OpSet, Entry: theme}}}
	received, sent, err := server.Traffic(func() {
		if _, err := s.Update(t.Context(), key, d); err != nil {
			t.Error(err)
		}
	})
	t.Logf("the server receives %d bytes and sends %d", received, sent)
	if err != nil || received > 320 || sent > 80 {
		t.Errorf("the server receives %d bytes and sends %d, %v, want at most 320 and 80", received, sent, err)
	}
}

// TestItBringsFewModules holds what a program's go.mod lists for this package to what
// docs/stores.md says.
func TestItBringsFewModules(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	want := []string{
		"github.com/cespare/xxhash/v2",
		"github.com/duckgen/duckgen",
		"github.com/duckgen/duckgen/runtime/redisstore/goredis",
		"github.com/redis/go-redis/v9",
		"github.com/redis/rueidis",
		"go.uber.org/atomic",
		"golang.org/x/sys",
	}
	if got := slices.Compact(modules); !slices.Equal(got, want) {
		t.Errorf("packages come from %q, want %q", got, want)
	}
}

func session() (runtime.Key, *runtime.Record) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	key := runtime.Key{Now: now}
	rand.Read(key.ID[:])
	rand.Read(key.Proof[:])
	return key, &runtime.Record{
		Kind: "example.com/shop.Visitor", Proof: key.Proof,
		Created: now, Renewed: now, Deadline: now.Add(time.Hour), Expires: now.Add(time.Hour),
	}
}

// TestNothingIsSentTwice lets connections break behind a commit: the client, which
// repeats commands otherwise, must not know better.
func TestNothingIsSentTwice(t *testing.T) {
	server, err := servertest.NewRedis()
	servertest.Check(t, err)
	t.Cleanup(func() { server.Close() })
	var broken atomic.Bool
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return deaf{conn, &broken}, err
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { client.Close() })
	s := redisstore.New(goredis.Client(client))
	t.Cleanup(func() { s.Close() })
	key, record := session()
	if err := s.Create(t.Context(), key, record); err != nil {
		t.Fatal(err)
	}
	add := &runtime.Delta{Ops: []runtime.Op{{Kind: runtime.OpAdd, Entry: runtime.Entry{Key: "views", Count: 1}}}}
	for want := int64(1); want < 4; want++ {
		broken.Store(true)
		if _, err := s.Update(t.Context(), key, add); err == nil {
			t.Error("an update without an answer succeeds")
		}
		r, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if views, _ := r.Entries.Get("views"); views.Count != want {
			t.Errorf("after %d updates that may have taken place the count is %d", want, views.Count)
		}
	}
}

// A deaf connection does not get the answer that comes once broken is set.
type deaf struct {
	net.Conn
	broken *atomic.Bool
}

func (d deaf) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	if d.broken.CompareAndSwap(true, false) {
		d.Close()
		return 0, io.EOF
	}
	return n, err
}
