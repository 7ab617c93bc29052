//go:build unix

package gen

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWriteObeysTheUmask(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "x.go")
	if _, err := (&Result{Files: []File{{Path: path, Content: []byte("new")}}}).Write(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v (%v)", info.Mode(), err)
	}
}
