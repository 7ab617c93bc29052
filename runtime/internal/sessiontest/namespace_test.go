package sessiontest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	duckgen "github.com/duckgen/duckgen/runtime"
)

func in(namespace string) func(*duckgen.Config) {
	return func(c *duckgen.Config) { c.Namespace = namespace }
}

func TestS7NamespacesNeverSeeEachOther(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b backend) {
		store := &spyStore{Store: b.open(t)}
		none, acme, other := newSiteOn(t, store), newSiteOn(t, store, in("acme")), newSiteOn(t, store, in("other"))
		sites := []*site{none, acme, other}
		browsers := map[*site]*browser{}
		for _, s := range sites {
			b := s.browser()
			b.visit(func(v *VisitorSession) { v.SetUserID(7); v.SetName("Ada"); v.SetAPIKey("secret") })
			browsers[s] = b
		}
		for _, s := range sites {
			own := browsers[s].handle()
			for _, o := range sites {
				stranger := &browser{site: o, cookie: browsers[s].cookie}
				if name := stranger.name(); (name == "Ada") != (o == s) {
					t.Errorf("a token of %q opens %q in another namespace", own, name)
				}
				_, err := o.Find(t.Context(), own)
				if (err == nil) != (o == s) {
					t.Errorf("Find in another namespace: %v", err)
				}
			}
			found := 0
			for v, err := range s.FindByUserID(t.Context(), 7) {
				if err != nil || v.Handle() != own || v.APIKey() != "secret" {
					t.Errorf("found %q, error %v, want %q alone", v.Handle(), err, own)
				}
				found++
			}
			all := 0
			for v, err := range s.All(t.Context()) {
				if err != nil || v.Handle() != own {
					t.Errorf("All has %q, error %v, want %q alone", v.Handle(), err, own)
				}
				all++
			}
			if found != 1 || all != 1 {
				t.Errorf("%d found and %d in all, want 1", found, all)
			}
		}
		if n, err := acme.RevokeByUserID(t.Context(), 7); n != 1 || err != nil {
			t.Errorf("revoked %d, error %v, want 1", n, err)
		}
		if n, err := other.RevokeAll(t.Context()); n != 1 || err != nil {
			t.Errorf("revoked %d in all, error %v, want 1", n, err)
		}
		for s, want := range map[*site]string{none: "Ada", acme: "", other: ""} {
			if name := browsers[s].clone().name(); name != want {
				t.Errorf("after the revocations name %q, want %q", name, want)
			}
		}
	})
}

func TestWhatIsNoNamespaceIsRefused(t *testing.T) {
	for _, namespace := range []string{"a b", "a#b", "ä", "a\n", strings.Repeat("n", 101)} {
		if err := configErr(in(namespace)); err == nil || !strings.Contains(err.Error(), "Namespace is") {
			t.Errorf("%q: error %v, want one about the namespace", namespace, err)
		}
	}
	if err := configErr(in("Acme-1.example/eu+west~x_y")); err != nil {
		t.Error(err)
	}
}

// TestManagersOfTenantsAreCheap holds what a program with many tenants relies on.
func TestManagersOfTenantsAreCheap(t *testing.T) {
	const tenants = 10_000
	store := openMemory(t)
	managers := make([]*VisitorSessions, 0, tenants)
	goroutines := runtime.NumGoroutine()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range tenants {
		m, err := NewVisitorSessions(store, in(fmt.Sprint("tenant-", i)), func(c *duckgen.Config) {
			c.Keys = duckgen.Keys{[]byte("\x01123456789abcdef0123456789abcdef")}
		})
		if err != nil {
			t.Fatal(err)
		}
		managers = append(managers, m)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(managers)
	if each := (after.HeapAlloc - before.HeapAlloc) / tenants; each > 4096 {
		t.Errorf("a manager takes %d bytes, want at most 4096", each)
	} else {
		t.Logf("a manager takes %d bytes", each)
	}
	if more := runtime.NumGoroutine() - goroutines; more > 0 {
		t.Errorf("%d goroutines for managers that nobody uses", more)
	}
}
