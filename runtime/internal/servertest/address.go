package servertest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// AddressIn returns the address that a file of the folder tells, and writes the file at
// first: a process that a test starts and kills finds the server of its parent.
func AddressIn(t testing.TB, dir string, address func() string) string {
	t.Helper()
	file := filepath.Join(dir, "address")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(address())
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
