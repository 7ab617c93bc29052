package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// open runs the shop and returns what it printed up to its address, and the
// address. The shop closes with the test.
func open(t *testing.T, addr string) (printed, url string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	db := filepath.Join(t.TempDir(), "shop.db")
	go func() {
		err := run(ctx, addr, db, false, false, in)
		in.CloseWithError(err)
		done <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("closing the shop: %v", err)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		printed += lines.Text() + "\n"
		if url = regexp.MustCompile(`http://[0-9.:]+`).FindString(printed); strings.Contains(lines.Text(), "open") {
			return printed, url
		}
	}
	t.Fatalf("the shop did not open:\n%s", printed)
	return "", ""
}

func wantOpen(t *testing.T, url string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || len(res.Cookies()) != 1 || res.Cookies()[0].Secure {
		t.Errorf("%s answers %s with cookies %v, want 200 and one for plain HTTP", url, res.Status, res.Cookies())
	}
}

func TestTheShopOpensAndCloses(t *testing.T) {
	_, url := open(t, "127.0.0.1:0")
	wantOpen(t, url)
}

func TestATakenPortIsNoObstacle(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	printed, url := open(t, taken.Addr().String())
	if !strings.Contains(printed, "using a free port instead") {
		t.Errorf("the shop does not say that the port is taken:\n%s", printed)
	}
	wantOpen(t, url)
}

func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:8080", ":8080", "192.0.2.1:8080", "shop.example:80", "8080"} {
		if err := run(t.Context(), addr, "", false, false, io.Discard); err == nil || !strings.Contains(err.Error(), "-https") {
			t.Errorf("%s: %v, want a refusal that names -https", addr, err)
		}
	}
}
