// Command duckgen generates typed sessions from annotated Go structs. Its
// manual is what duckgen help prints.
package main

import (
	"context"
	"os"

	"github.com/duckgen/duckgen/gen/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
