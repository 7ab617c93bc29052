package main

import (
	"testing"

	"github.com/duckgen/duckgen/examples/routers/app"
	"github.com/duckgen/duckgen/examples/routers/app/apptest"
)

func TestTheKiosk(t *testing.T) { apptest.Run(t, app.HTTP(routes)) }
