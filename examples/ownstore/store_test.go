package ownstore_test

import (
	"testing"

	"github.com/duckgen/duckgen/examples/ownstore"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) runtime.Store { return ownstore.New() })
}
