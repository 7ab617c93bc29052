// Command oauth serves a small program whose users sign in at an identity provider,
// and beside it a provider to try that with. It needs no other server and forgets
// its sessions when it ends.
package main

import (
	"crypto/rand"
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/duckgen/duckgen/examples/oauth/provider"
	"github.com/duckgen/duckgen/examples/oauth/web"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8082", "`host:port` of the program, on this machine: it speaks plain HTTP")
	at := flag.String("provider", "127.0.0.1:8083", "`host:port` of the identity provider")
	flag.Parse()
	known := provider.Client{ID: "the example", Secret: rand.Text(), Callback: "http://" + *addr + web.CallbackPath}
	program, err := web.New(memstore.New(), &web.Provider{
		AuthorizeURL: "http://" + *at + "/authorize",
		TokenURL:     "http://" + *at + "/token",
		UserURL:      "http://" + *at + "/user",
		ClientID:     known.ID,
		ClientSecret: known.Secret,
		Callback:     known.Callback,
		HTTP:         &http.Client{Timeout: 10 * time.Second},
	}, func(c *runtime.Config) {
		c.Cookie.Secure = false // only for plain HTTP on this machine
	})
	if err != nil {
		log.Fatal(err)
	}
	go serve(*at, provider.New(known))
	log.Printf("The program is at http://%s", *addr)
	serve(*addr, program)
}

func serve(addr string, handler http.Handler) {
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
