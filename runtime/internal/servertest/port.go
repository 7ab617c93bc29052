package servertest

import (
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

var ports atomic.Int64

// freePort returns a port that was free a moment ago. Until the server has it nobody
// else takes it: processes look for theirs in different places, below those that the
// system gives.
func freePort() (port int, err error) {
	const first, last, each = 10_000, 32_000, 100
	for range last - first {
		port = first + (os.Getpid()*each+int(ports.Add(1)))%(last-first)
		var listener net.Listener
		listener, err = net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, err
}
