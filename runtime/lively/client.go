package lively

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
)

//go:generate go tool esbuild client/main.js --bundle --minify --format=esm --target=es2022 --log-level=error "--banner:js=// Code generated from client/*.js; DO NOT EDIT." --outfile=client.js

//go:embed client.js
var clientScript string

// clientTag changes with the script.
var clientTag = func() string {
	sum := sha256.Sum256([]byte(clientScript))
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}()

// Client serves the browser's end of the connection, an ES module: load it with
// <script type="module" src="…"></script>. docs/lively.md has what it offers to a
// page. A strict Content-Security-Policy needs script-src 'self' and connect-src
// 'self' for it, nothing more, and one with Trusted Types the policy duckgen-live.
func Client() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Cache-Control", "no-cache") // to be asked for with the tag
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("ETag", clientTag)
		if r.Header.Get("If-None-Match") == clientTag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = strings.NewReader(clientScript).WriteTo(w) // the browser may be gone
	})
}
