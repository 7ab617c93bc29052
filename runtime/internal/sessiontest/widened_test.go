package sessiontest

import (
	"iter"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest/newer"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest/older"
)

// TestV18AnIndexComparesValues has one version of the program sign in and the other
// look for that: Tier was a uint8 and is an int64, Code marshalled itself to text
// and is a string.
func TestV18AnIndexComparesValues(t *testing.T) {
	inEveryDeploy(t, func(d *deploy) {
		ctx := d.Context()
		before, err := older.NewVisitorSessions(d.store, withKey)
		if err != nil {
			d.Fatal(err)
		}
		after, err := newer.NewVisitorSessions(d.store, withKey)
		if err != nil {
			d.Fatal(err)
		}

		for _, c := range []struct {
			tier uint8
			code string
		}{{1, "a"}, {127, strings.Repeat("a", 31)}, {128, strings.Repeat("a", 32)}, {200, "ä\"\x7f"}, {255, "b"}} {
			tier, code := c.tier, c.code
			d.jar = jar{}
			d.before(func(s *older.VisitorSession) { s.SetTier(tier); s.SetCode(older.Code{Text: code}) })
			foundOnce(d, "the widened integer", after.FindByTier(ctx, int64(tier)))
			foundOnce(d, "the string", after.FindByCode(ctx, code))
			if n, err := after.RevokeByTier(ctx, int64(tier)); n != 1 || err != nil {
				d.Errorf("revoked %d by %d, %v", n, tier, err)
			}
			d.jar = jar{}
			d.before(func(s *older.VisitorSession) { s.SetCode(older.Code{Text: code}) })
			if n, err := after.RevokeByCode(ctx, code); n != 1 || err != nil {
				d.Errorf("revoked %d by %q, %v", n, code, err)
			}
			d.jar = jar{}
			d.after(func(s *newer.VisitorSession) { s.SetTier(int64(tier)); s.SetCode(code) })
			foundOnce(d, "the narrower integer", before.FindByTier(ctx, tier))
			foundOnce(d, "the text", before.FindByCode(ctx, older.Code{Text: code}))
			if n, err := before.RevokeByTier(ctx, tier); n != 1 || err != nil {
				d.Errorf("revoked %d by the narrower %d, %v", n, tier, err)
			}
		}
	})
}

func foundOnce[S any](d *deploy, what string, sessions iter.Seq2[*S, error]) {
	d.Helper()
	n := 0
	for _, err := range sessions {
		if err != nil {
			d.Errorf("%s: %v", what, err)
		}
		n++
	}
	if n != 1 {
		d.Errorf("%s finds %d sessions", what, n)
	}
}

func withKey(c *runtime.Config) { c.Keys = [][]byte{testKey} }
