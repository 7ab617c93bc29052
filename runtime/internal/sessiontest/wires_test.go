package sessiontest

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/faultproxy"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// A wire is a store whose calls to its server go through a proxy, and the same
// store without that.
type wire struct {
	proxy           *faultproxy.Proxy
	through, direct runtime.Store
	warmUps         int  // requests of each kind that reach every server
	looks           bool // a creation looks afterwards whether all sessions were revoked meanwhile

	// transacts says that the program itself judges what is out of the ordinary: in a
	// transaction, with a call more. The server may undo the last of its calls if nobody
	// takes the replies.
	transacts bool
}

// wired are the stores that have a server.
var wired = []struct {
	name string
	open func(t *testing.T) *wire
}{
	{"Redis", wireRedis},
	{"Redis Cluster", wireCluster},
	{"Postgres", wirePostgres},
	{"MariaDB", wireMariaDB},
}

func onEveryWire(t *testing.T, show func(t *testing.T, w *wire)) {
	t.Helper()
	for _, server := range wired {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			show(t, server.open(t))
		})
	}
}

// redisProxy takes for calls what names a key of the store.
func redisProxy(t *testing.T, prefix string) *faultproxy.Proxy {
	return faultproxy.New(t, func(sent []byte) bool { return bytes.Contains(sent, []byte(prefix)) })
}

func wireRedis(t *testing.T) *wire {
	server, prefix := redisServer.start(t).URL(), newPrefix()
	proxy := redisProxy(t, prefix)
	return &wire{proxy, openRedisAt(t, through(t, proxy, server), prefix), openRedisAt(t, server, prefix), 1, false, false}
}

// wireCluster has a client of its own, because a Cluster tells its clients where
// its nodes are.
func wireCluster(t *testing.T) *wire {
	testtier.OnlyExhaustive(t, "it is the same on one server, mostly")
	server, prefix := redisCluster.start(t).nodes[0].URL(), newPrefix()
	proxy := redisProxy(t, prefix)
	settings, err := rueidis.ParseURL(server)
	if err != nil {
		t.Fatal(err)
	}
	settings.DisableCache, settings.DisableRetry = true, true
	settings.DialCtxFn = func(ctx context.Context, node string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
		front, err := proxy.Address(node)
		if err != nil {
			return nil, err
		}
		return d.DialContext(ctx, "tcp", front)
	}
	client, err := rueidis.NewClient(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s := redisstore.New(redisstore.Rueidis(client), redisstore.WithPrefix(prefix), redisstore.WithClientClock())
	return &wire{proxy, closing(t, s, nil), openRedisAt(t, server, prefix), 50, true, false}
}

// wirePostgres has one connection, so that a statement is prepared once.
func wirePostgres(t *testing.T) *wire {
	server := postgresServer.start(t).Schema(t)
	proxy := faultproxy.New(t, isPostgresCall)
	return &wire{proxy, openPostgresAt(t, through(t, proxy, server)+"&pool_max_conns=1"), openPostgresAt(t, server), 1, false, false}
}

// isPostgresCall tells queries, and the preparation and execution of statements,
// from the beginning and the end of a connection.
func isPostgresCall(sent []byte) bool { return bytes.IndexByte([]byte("QPB"), sent[0]) >= 0 }

// wireMariaDB has a proxy in the place of the server's address.
func wireMariaDB(t *testing.T) *wire {
	testtier.OnlyExhaustive(t, "it is the same in Postgres, mostly")
	server := mariaDBServer.start(t).Database(t)
	proxy := faultproxy.New(t, isMariaDBCall)
	config, err := mysql.ParseDSN(server)
	if err != nil {
		t.Fatal(err)
	}
	if config.Addr, err = proxy.Address(config.Addr); err != nil {
		t.Fatal(err)
	}
	return &wire{proxy, openMariaDBAt(t, config.FormatDSN()), openMariaDBAt(t, server), 1, false, true}
}

// isMariaDBCall tells statements from the beginning and the end of a connection: they
// are numbered 0, and of the kind 3. A new connection also asks for settings, and makes
// some; that @@ is within a statement tells nothing, because an id may have any bytes.
func isMariaDBCall(sent []byte) bool {
	return len(sent) > 5 && sent[3] == 0 && sent[4] == 3 &&
		!bytes.HasPrefix(sent[5:], []byte("SELECT @@")) && !bytes.Contains(sent, []byte("wait_timeout"))
}

// through returns a server's URL by way of the proxy.
func through(t *testing.T, proxy *faultproxy.Proxy, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	if u.Host, err = proxy.Address(u.Host); err != nil {
		t.Fatal(err)
	}
	return u.String()
}

func TestAStatementWithAnyIDIsACallOfMariaDB(t *testing.T) {
	for statement, want := range map[string]bool{
		"SELECT @@max_allowed_packet":                         false,
		"SET wait_timeout=600":                                false,
		"SELECT entries FROM duckgen_sessions WHERE id='@@!'": true,
	} {
		if got := isMariaDBCall(append([]byte{0, 0, 0, 0, 3}, statement...)); got != want {
			t.Errorf("%s: a call is %v", statement, got)
		}
	}
}
