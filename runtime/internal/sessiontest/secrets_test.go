package sessiontest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/sessiontest/newer"
	"github.com/duckgen/duckgen/runtime/memstore"
)

func newKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}

func withKeys(keys ...[]byte) func(*runtime.Config) {
	return func(c *runtime.Config) { c.Keys = keys }
}

func TestV13SecretsAreSealedInTheStore(t *testing.T) {
	const plain = "sesame, open"
	inEveryFormat(t, func(t *testing.T, s *site) {
		seen := map[string]bool{}
		for range 3 {
			b := s.browser()
			b.visit(func(s *VisitorSession) { s.SetAPIKey(plain) })
			sealed := b.entries()["api_key"].Value
			raw, _ := base64.StdEncoding.DecodeString(strings.Trim(sealed, `"`))
			if strings.Contains(sealed, plain) || strings.Contains(string(raw), plain) {
				t.Errorf("stored is %q, which shows the secret", sealed)
			}
			if seen[sealed] {
				t.Error("the same sealed value twice: equal secrets can be told")
			}
			seen[sealed] = true
			b.visit(func(s *VisitorSession) {
				if s.APIKey() != plain {
					t.Errorf("read %q, want %q", s.APIKey(), plain)
				}
			})
		}
	})
}

func TestV13ASealedValueOpensNowhereElse(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			p := everyType(t, format)
			store := p.store
			const kind = "github.com/duckgen/duckgen/runtime/internal/sessiontest.Everything"
			key := func(j jar) runtime.Key { return keyOf(t, kind, j.cookie, time.Now()) }
			var ada, eve jar
			p.visit(&ada, func(s *EverythingSession) { s.SetSecret("ada's"); s.SetOnce("ada's"); s.SetInt(1) })
			p.visit(&eve, func(s *EverythingSession) { s.SetSecret("eve's"); s.SetInt(2) })
			adas := entriesOf(t, store, key(ada))

			moved := adas["secret"]
			put(t, store, key(eve), moved)
			p.visit(&eve, func(s *EverythingSession) {
				if s.Secret() != "" || s.Int() != 2 {
					t.Errorf("in another session: secret %q, int %d", s.Secret(), s.Int())
				}
			})
			if got := p.told(); !slices.Equal(got, []string{"secret"}) {
				t.Errorf("misfits told: %q, want the secret's", got)
			}

			moved.Key = "once"
			put(t, store, key(ada), moved)
			p.visit(&ada, func(s *EverythingSession) {
				if s.TakeOnce() != "" || s.Secret() != "ada's" {
					t.Errorf("in another field: once %q, secret %q", s.TakeOnce(), s.Secret())
				}
			})
			if got := p.told(); !slices.Equal(got, []string{"once"}) {
				t.Errorf("misfits told: %q, want that of the field it was moved to", got)
			}
		})
	}
}

func TestV13ASealedValueOpensForNoOtherKind(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			s := newSiteOn(t, format.newStore(t))
			b := s.browser()
			b.visit(func(s *VisitorSession) { s.SetAPIKey("sesame"); s.SetName("Ada") })

			// The same id, secret, key ring and storage key, in a session of
			// another kind.
			other := start(t, format.newStore(t), newer.NewVisitorSessions, newer.VisitorFrom)
			key := keyOf(t, "example.com/shop.Visitor", b.cookie, time.Now())
			entries := b.entries()
			err := below(other.store).Create(context.Background(), key, &runtime.Record{
				Kind:     "example.com/shop.Visitor",
				Proof:    key.Proof,
				Created:  time.Now(),
				Renewed:  time.Now(),
				Deadline: time.Now().Add(time.Hour),
				Expires:  time.Now().Add(time.Hour),
				Entries:  runtime.NewEntries(entries["api_key"], entries["name"]),
			})
			if err != nil {
				t.Fatal(err)
			}
			browser := jar{"shop", b.cookie}
			other.visit(&browser, func(s *newer.VisitorSession) {
				if s.APIKey() != "" || s.Name() != "Ada" {
					t.Errorf("secret %q, name %q, want the name alone", s.APIKey(), s.Name())
				}
			})
			if got := other.told(); !slices.Equal(got, []string{"api_key"}) {
				t.Errorf("misfits told: %q", got)
			}
		})
	}
}

func TestV13SecretsAreResealedWhenTheIDChanges(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { s.SetAPIKey("first") })
		before := b.cookie
		s.now = s.now.Add(200 * time.Hour) // it has expired
		b.visit(func(s *VisitorSession) { s.SetAPIKey("second") })
		if b.cookie[:16] == before[:16] {
			t.Fatal("the same id after the session had expired")
		}
		b.visit(func(s *VisitorSession) {
			if s.APIKey() != "second" {
				t.Errorf("read %q from the new session", s.APIKey())
			}
			s.Renew()
		})
		b.visit(func(s *VisitorSession) {
			if s.APIKey() != "second" {
				t.Errorf("read %q after a renewal", s.APIKey())
			}
		})
		if got := s.misfits(); got != nil {
			t.Errorf("misfits told: %q", got)
		}
	})
}

func TestV13KeysRotate(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			store, old, fresh := format.newStore(t), newKey(), newKey()
			during := newSiteOn(t, store, withKeys(fresh, old))
			b := newSiteOn(t, store, withKeys(old)).browser()
			at := func(s *site) *browser { b.site = s; return b }
			b.visit(func(s *VisitorSession) { s.SetAPIKey("first"); s.SetName("Ada") })
			at(during).visit(func(s *VisitorSession) {
				if s.APIKey() != "first" {
					t.Errorf("read %q with the old key second", s.APIKey())
				}
				s.SetAPIKey("second")
			})
			after := newSiteOn(t, store, withKeys(fresh))
			at(after).visit(func(s *VisitorSession) {
				if s.APIKey() != "second" {
					t.Errorf("read %q: the first key seals", s.APIKey())
				}
			})
			gone := newSiteOn(t, store, withKeys(old))
			at(gone).visit(func(s *VisitorSession) {
				if s.APIKey() != "" || s.Name() != "Ada" {
					t.Errorf("secret %q, name %q without the key that sealed it", s.APIKey(), s.Name())
				}
			})
			if got := gone.misfits(); !slices.Equal(got, []string{"api_key"}) {
				t.Errorf("misfits told: %q", got)
			}
		})
	}
}

func TestV13ATamperedSecretResetsThatFieldAlone(t *testing.T) {
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.visit(func(s *VisitorSession) { fill(s); s.ClearNotice(); s.ClearNotices() })
		var want Visitor
		b.visit(func(s *VisitorSession) { want = s.Snapshot() })
		want.APIKey = ""
		sealed := b.entries()["api_key"]
		for i := range sealed.Value {
			for _, value := range []string{sealed.Value[:i], flip(sealed.Value, i)} {
				b.corrupt(runtime.Entry{Key: "api_key", Value: value})
				s.misfits()
				b.visit(func(s *VisitorSession) {
					if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
						t.Fatalf("with %q (-want +got):\n%s", value, diff)
					}
				})
				if got := s.misfits(); !slices.Equal(got, []string{"api_key"}) {
					t.Fatalf("with %q: misfits told: %q", value, got)
				}
			}
		}
		b.visit(func(s *VisitorSession) { s.SetAPIKey("new") })
		b.visit(func(s *VisitorSession) {
			if s.APIKey() != "new" {
				t.Errorf("read %q after it was written again", s.APIKey())
			}
		})
	})
}

// flip changes one byte.
func flip(value string, i int) string {
	b := []byte(value)
	b[i] ^= 0x11
	return string(b)
}

func TestV13AMissingOrWrongKeySaysHowToMakeOne(t *testing.T) {
	for name, keys := range map[string][][]byte{
		"no key":                {},
		"a short key":           {make([]byte, 31)},
		"a long one in between": {newKey(), make([]byte, 33), newKey()},
	} {
		_, err := NewVisitorSessions(memstore.New(), withKeys(keys...))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range []string{"Keys", "32", "rand"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}

func TestV13SecretsWorkWithEveryOptionThatTheyAllow(t *testing.T) {
	for _, format := range storeFormats {
		t.Run(format.name, func(t *testing.T) {
			p := everyType(t, format)
			var browser jar
			p.visit(&browser, func(s *EverythingSession) {
				s.SetSecrets([]string{"a"})
				s.SetUntil(begin)
				s.SetOnce("once")
			})
			p.visit(&browser, func(s *EverythingSession) {
				s.AppendSecrets("b")
				s.SetUntil(begin.Add(time.Hour))
				s.SetUntil(begin.Add(-time.Hour))
				if s.TakeOnce() != "once" {
					t.Error("a secret that is read once was lost")
				}
			})
			p.visit(&browser, func(s *EverythingSession) {
				if !slices.Equal(slices.Collect(s.Secrets()), []string{"a", "b"}) || s.Until() != begin.Add(time.Hour) || s.TakeOnce() != "" {
					t.Errorf("secrets %q, until %v", slices.Collect(s.Secrets()), s.Until())
				}
				s.AppendSecrets()
				s.SetUntil(begin)
				if s.Dirty() {
					t.Errorf("dirty: %q", s.DirtyFields())
				}
			})
		})
	}
}

func TestV13ASessionForTestsNeedsNoKeys(t *testing.T) {
	ctx, s := WithVisitor(context.Background(), Visitor{APIKey: "sesame"})
	if s.APIKey() != "sesame" || VisitorFrom(ctx).APIKey() != "sesame" {
		t.Errorf("read %q", s.APIKey())
	}
	s.SetAPIKey("other")
	if err := s.Save(ctx); err != nil || s.APIKey() != "other" {
		t.Errorf("saved: %v, read %q", err, s.APIKey())
	}
}

// TestV13NoSecretReachesTheStoreUnsealed looks at everything that any call hands
// to the store.
func TestV13NoSecretReachesTheStoreUnsealed(t *testing.T) {
	const plain = "sesame, open"
	inEveryFormat(t, func(t *testing.T, s *site) {
		b := s.browser()
		for _, suffix := range []string{"", " again"} {
			b.do(func(_ http.ResponseWriter, r *http.Request, v *VisitorSession) {
				v.SetAPIKey(plain + suffix)
				if err := v.Save(r.Context()); err != nil {
					t.Error(err)
				}
				v.SetAPIKey(plain + suffix + " and again")
			})
		}
		for _, d := range s.store.deltas {
			for _, op := range d.Ops {
				if raw, _ := base64.StdEncoding.DecodeString(strings.Trim(op.Entry.Value, `"`)); strings.Contains(op.Entry.Value+string(raw), plain) {
					t.Errorf("a delta carries %q", op.Entry.Value)
				}
			}
		}
		if len(s.store.deltas) != 3 {
			t.Errorf("%d deltas, want 3", len(s.store.deltas))
		}
	})
}
