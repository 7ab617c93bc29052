package runtime

import (
	"errors"
	"net/http"
)

// Browsers do not refresh a bound cookie for what another site has begun, be it a
// link that somebody follows. The page that such a link opens loads itself once more:
// that is the site's own request.

// comesAgain reports whether the browser is to send the request once more, because it
// has not brought the bound cookie that it can have.
func (r response) comesAgain() bool {
	return errors.Is(r.refusal, ErrUnbound) && isForeignNavigation(r.request)
}

// reload has the page of a response load itself again.
func reload(h http.Header) {
	h.Set("Refresh", "0")
	keepOutOfCaches(h, new([1]string))
}
