package runtime

import (
	"io"
	"net/http"
)

// Browsers do not refresh a bound cookie for what another site has begun, be it a
// link that somebody follows. The page that such a link opens loads itself once more:
// that is the site's own request.

// reload answers with a page that loads itself again.
func reload(w http.ResponseWriter) {
	keepOutOfCaches(w.Header(), new([1]string))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, `<!DOCTYPE html><meta http-equiv="refresh" content="0"><title>One moment</title>`+"\n")
}
