// Command cinemas serves two cinemas, each at a host of its own, from one store. It
// needs no other server and forgets its sessions when it ends.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/duckgen/duckgen/examples/cinemas/web"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/memstore"
)

// cinemas are at names that browsers find on this machine.
var cinemas = []web.Cinema{
	{Host: "roxy.localhost", Name: "Roxy", Films: map[string]int{"Duck Soup": 40, "The Ghost Goes West": 40}},
	{Host: "gloria.localhost", Name: "Gloria", Films: map[string]int{"Duck Soup": 120}},
}

func main() {
	port := flag.String("port", "8084", "`port` to listen on, on this machine: it speaks plain HTTP")
	flag.Parse()
	site, err := web.New(memstore.New(), cinemas, func(c *runtime.Config) {
		c.Cookie.Secure = false // only for plain HTTP on this machine
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range cinemas {
		log.Printf("%s is open at http://%s", c.Name, net.JoinHostPort(c.Host, *port))
	}
	server := &http.Server{Addr: net.JoinHostPort("127.0.0.1", *port), Handler: site, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
