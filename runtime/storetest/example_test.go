package storetest_test

import (
	"testing"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
	"github.com/duckgen/duckgen/runtime/storetest"
)

// A store's test is one call. Each call of the function returns an empty store,
// and sees to its end.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestStore(t *testing.T)
		storetest.Run(t, func(t *testing.T) runtime.Store {
			s := memstore.New() // your store
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return s
		})
	}
}
