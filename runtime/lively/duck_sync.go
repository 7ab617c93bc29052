package lively

import "net/http"

// DuckSync lets the client of the Duck framework fetch its cookie from the SyncHandler
// of the sessions: it does so by GET, which an image or a link of a page could send as
// well. So a GET counts only where the browser says that a script of a page of the same
// origin has fetched, which it does over HTTPS and on this machine; all else is the
// handler's. Mount it at Config.SyncPath, for GET.
func DuckSync(sync http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			sync.ServeHTTP(w, r)
			return
		}
		if !isScriptsFetch(r.Header) {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
			return
		}
		asPost := r.Clone(r.Context())
		asPost.Method = http.MethodPost
		sync.ServeHTTP(w, asPost)
	})
}

func isScriptsFetch(h http.Header) bool {
	mode := h.Get("Sec-Fetch-Mode")
	return h.Get("Sec-Fetch-Site") == "same-origin" && h.Get("Sec-Fetch-Dest") == "empty" && (mode == "cors" || mode == "same-origin")
}
