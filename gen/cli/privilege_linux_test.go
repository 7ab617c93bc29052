package cli

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"
)

// withoutPrivilege runs f as somebody to whom the modes of files apply: as root
// on a thread that has given up CAP_DAC_OVERRIDE and ends with f.
func withoutPrivilege(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan syscall.Errno)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		failure := giveUp(capDACOverride)
		if failure == 0 {
			f()
		}
		done <- failure
	}()
	if failure := <-done; failure != 0 {
		t.Fatalf("the privilege cannot be given up: %v", failure)
	}
}

const (
	capDACOverride       = 1 // capabilities(7)
	linuxCapabilityOfAll = 0x20080522
)

// giveUp takes a capability away from what is in effect for this thread.
func giveUp(capability uint) syscall.Errno {
	header := struct {
		version uint32
		pid     int32
	}{linuxCapabilityOfAll, 0}
	var sets [2]struct{ effective, permitted, inheritable uint32 }
	if _, _, failure := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0); failure != 0 {
		return failure
	}
	sets[0].effective &^= 1 << capability
	_, _, failure := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0)
	return failure
}
