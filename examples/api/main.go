// Command api serves a small JSON API whose clients have typed sessions. It needs
// no other server and forgets its sessions when it ends.
package main

import (
	"crypto/subtle"
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/duckgen/duckgen/examples/api/web"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "`host:port` to listen on; put a proxy that speaks HTTPS in front of any other")
	flag.Parse()
	api, err := web.New(memstore.New(), check)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: *addr, Handler: api, ReadHeaderTimeout: 10 * time.Second}
	log.Printf("The API is at http://%s", *addr)
	log.Fatal(server.ListenAndServe())
}

// check knows one user. A real program compares with a slow hash of the password.
func check(name, password string) int64 {
	if name == "ada" && subtle.ConstantTimeCompare([]byte(password), []byte("lovelace")) == 1 {
		return 1
	}
	return 0
}
