//go:build !linux

package cli

import (
	"os"
	"runtime"
	"testing"
)

// withoutPrivilege runs f as somebody to whom the modes of files apply.
func withoutPrivilege(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("modes of directories keep nobody here from writing")
	}
	f()
}
