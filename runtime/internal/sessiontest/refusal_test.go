package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// TestS5ARefusalIsNotStored shows that what a server states is not said to be
// unknown.
func TestS5ARefusalIsNotStored(t *testing.T) {
	for name, do := range map[string]func(*VisitorSession){
		"update":  func(s *VisitorSession) { s.AddViews(1) },
		"destroy": func(s *VisitorSession) { s.Destroy() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			full := errors.New("out of memory")
			s.store.fail = func(call string) error {
				if call == "load" {
					return nil
				}
				return fmt.Errorf("%w: %w", runtime.ErrRefused, full)
			}
			b.do(func(w http.ResponseWriter, _ *http.Request, v *VisitorSession) {
				do(v)
				err := v.Save(context.Background())
				wantErr(t, err, runtime.ErrRefused)
				wantErr(t, err, full)
				if errors.Is(err, runtime.ErrOutcomeUnknown) {
					t.Errorf("the outcome of a refused commit is said to be unknown: %v", err)
				}
				w.WriteHeader(http.StatusNoContent)
			})
		})
	}
}
