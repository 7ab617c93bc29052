package sessiontest

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/duckgen/duckgen/runtime"
)

// A record that nobody can read does not lock its visitor out: reads give
// defaults, a write begins a new session, and the damaged one stays as it is.
func TestADamagedRecordLocksNobodyOut(t *testing.T) {
	for name, read := range map[string]func(*VisitorSession){
		"written blindly": func(*VisitorSession) {},
		"read first": func(v *VisitorSession) {
			if got := v.Name(); got != "" || v.Err() != nil {
				t.Errorf("name %q, Err %v", got, v.Err())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.signedUp()
			damaged := b.clone()
			s.store.fail = func(call string) error {
				if call == "create" {
					return nil
				}
				return fmt.Errorf("session %s: %w", "1f", runtime.ErrDamaged)
			}
			wantAnswer(t, b.visit(func(v *VisitorSession) { read(v); v.SetName("Grace") }), http.StatusOK)
			s.store.fail = nil
			if sameID(b.cookie, damaged.cookie) || b.name() != "Grace" || damaged.name() != "Ada" {
				t.Errorf("names %q and %q: want a new session, and the damaged one as it was", b.name(), damaged.name())
			}
			wantEvents(t, s, runtime.EventDamaged)
		})
	}
}
