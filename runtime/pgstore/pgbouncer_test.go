package pgstore_test

import (
	"strings"
	"testing"

	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/pgstore"
	"github.com/duckgen/duckgen/runtime/storetest"
)

// pooled returns the URLs of an empty schema: through a pooler in transaction mode,
// and of the server.
func pooled(t *testing.T) (pooler, direct string) {
	t.Helper()
	server := server(t)
	direct = server.Schema(t)
	b, err := servertest.NewPgBouncer(server, schemaOf(t, direct))
	servertest.Check(t, err)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b.URL(), direct
}

func TestAWatcherBehindAPoolerSaysThatItIsDeaf(t *testing.T) {
	t.Parallel() // it waits, mostly
	pooler, _ := pooled(t)
	err := open(t, pooler).Watch(t.Context(), func(runtime.Change) {})
	if err == nil || !strings.Contains(err.Error(), "WithWatchURL") {
		t.Errorf("Watch through a pooler: %v, want an error that names WithWatchURL", err)
	}
}

func TestAWatcherHearsBesideAPooler(t *testing.T) {
	pooler, direct := pooled(t)
	s := openServed(t, pooler, pgstore.WithClientClock(), pgstore.WithWatchURL(direct))
	changes := watch(t, s)
	key, record := session(1)
	create(t, s, key, record)
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	expect(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: key.ID})
}

func TestContractThroughAPooler(t *testing.T) {
	testtier.OnlyExhaustive(t, "it is TestContract once more")
	pooler, direct := pooled(t)
	storetest.Run(t, func(t *testing.T) runtime.Store {
		t.Cleanup(func() { servertest.EmptyTables(t, direct) })
		return open(t, pooler)
	}, storetest.WithHistory(historyLength()))
}
