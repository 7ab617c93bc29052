package main

import (
	"testing"

	"github.com/duckgen/duckgen/examples/routers/app/apptest"
)

func TestTheKiosk(t *testing.T) { apptest.Run(t, serve) }
