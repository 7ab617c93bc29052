package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/duckgen/duckgen/gen"
)

// read generates in memory.
func read(ctx context.Context, i Invocation) (*gen.Result, error) {
	if err := directory(i.Config.Dir); err != nil {
		return nil, err
	}
	return gen.Generate(ctx, i.Config)
}

// directory checks that a directory exists before it is worked in.
func directory(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", path)
	}
	return nil
}
