package lively_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckgen/duckgen/internal/chromium"
	"github.com/duckgen/duckgen/internal/testtier"
	"github.com/duckgen/duckgen/runtime/lively"
)

// A picker is the page of a program that takes files, and what has come of them.
type picker struct {
	*web
	tab   *chromium.Tab
	taken chan string // the files, as text
	ended chan error  // how each of them ended for its handler
	dir   string
}

func newPicker(t *testing.T, limits lively.UploadLimits) *picker {
	t.Helper()
	p := &picker{web: newWeb(t), taken: make(chan string, 8), ended: make(chan error, 8), dir: t.TempDir()}
	p.live.HandleUpload("photos", limits, func(_ context.Context, u *lively.Upload, v *visitor) error {
		content, err := io.ReadAll(u)
		p.taken <- fmt.Sprintf("%s %s %s %s %d", u.Input, u.Name, u.Type, u.Field("album"), len(content))
		p.ended <- err
		v.SetName(u.Name)
		return err
	})
	p.body = `<input type="file" id="now" name="photo" multiple data-live-upload="photos" data-live-uploaded="show">
<form id="album" data-live-upload="photos" data-live-uploaded="tell" data-live-value="sent" data-live-key="album"
 method="post" enctype="multipart/form-data" action="/lively/upload/photos">
<input name="album" value="summer"><input type="file" id="later" name="photo"><button id="send">Send</button></form>
<progress id="progress" data-live-progress="photos"></progress><button id="cancel" data-live-cancel="photos">Cancel</button>`
	p.tab = chromium.Start(t).Open(p.url)
	p.tab.Live()
	p.tab.Eval(`(window.seen = [], ["progress", "uploaded", "refused"].forEach((name) =>
		document.addEventListener("lively:" + name, ({ target, detail }) =>
			seen.push([name, target.id, detail.name, detail.status ?? "", detail.reason ?? ""].join(" ")))))`)
	return p
}

// file makes a file and returns its path.
func (p *picker) file(name, content string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// sparse makes a file of that many zero bytes.
func (p *picker) sparse(name string, size int64) string {
	p.t.Helper()
	path := p.file(name, "")
	if err := os.Truncate(path, size); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// sees waits until the page has heard of the end of an upload.
func (p *picker) sees(event string) {
	p.t.Helper()
	p.tab.Wait(fmt.Sprintf("seen.includes(%q)", event))
	p.tab.Wait(`!document.querySelector("[data-live-uploading]")`)
}

func (p *picker) takes(file string) {
	p.t.Helper()
	if got := next(p.t, p.taken); got != file {
		p.t.Errorf("the program has taken %q, want %q", got, file)
	}
	if err := next(p.t, p.ended); err != nil {
		p.t.Errorf("%s ends with %v", file, err)
	}
}

func TestInABrowserFilesAreSentOnceTheyAreChosen(t *testing.T) {
	t.Parallel()
	p := newPicker(t, lively.UploadLimits{Files: 2, Types: []string{"image/png", "text/plain"}})
	p.tab.Choose("#now", p.file("one.png", png), p.file("two.txt", "text"))
	p.takes("photo one.png image/png  8")
	p.takes("photo two.txt text/plain  4")
	p.sees("uploaded now photos  ")
	p.changed(p.tab, "")
	named(p.tab, "two.txt") // over the connection, which has the session that the upload began
	if got := p.tab.Eval(`progress.value === progress.max && now.files.length`); got != "0" {
		t.Errorf("that the progress is complete and how many files are chosen is %s, want 0", got)
	}
}

func TestInABrowserAFormWithFilesIsSentBesideTheConnection(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	p := newPicker(t, lively.UploadLimits{Bytes: 64 << 20})
	p.tab.Choose("#later", p.sparse("film.bin", 20<<20))
	p.tab.Eval(`window.mark = 1`)
	p.tab.Click("#send")
	p.takes(fmt.Sprintf("photo film.bin application/octet-stream summer %d", 20<<20))
	p.sees("uploaded album photos  ")
	if got := p.tab.Eval(`seen.includes("progress album photos  ") && window.mark`); got != "1" {
		t.Error("the page heard of no progress, or was loaded again")
	}
}

func TestInABrowserAFormWithFilesWorksWithoutTheScript(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	p := newPicker(t, lively.UploadLimits{})
	p.tab.Choose("#later", p.file("one.png", png))
	p.tab.Eval(`(window.mark = 1, album.submit())`) // which runs no script of the page
	p.takes("photo one.png image/png summer 8")
	p.tab.Wait("window.mark !== 1")
	named(p.tab, "one.png")
}

func TestInABrowserAnUploadIsCancelled(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	p := newPicker(t, lively.UploadLimits{Bytes: 8 << 30})
	p.tab.Choose("#later", p.sparse("film.bin", 4<<30))
	p.tab.Click("#send")
	p.tab.Wait(`seen.includes("progress album photos  ")`)
	p.tab.Click("#cancel")
	p.sees("refused album photos 0 ")
	next(t, p.taken)
	var refused *lively.UploadError
	if err := next(t, p.ended); !errors.As(err, &refused) {
		t.Errorf("for its handler the upload ends with %v", err)
	}
	if p.cookie(p.tab) != "" {
		t.Error("what the handler changed was stored")
	}
}

func TestInABrowserRefusedFilesSayWhy(t *testing.T) {
	testtier.OnlyExhaustive(t, "a browser starts")
	t.Parallel()
	p := newPicker(t, lively.UploadLimits{Bytes: 1000, Types: []string{"image/png", "text/plain"}})
	page := p.file("page.png", "<html><script>alert(1)</script>")
	for _, x := range []struct {
		paths []string
		want  string
	}{
		{[]string{p.sparse("large.png", 256<<20)}, "413 too large: the limits are 1000 bytes for each file, and 1 for their number"},
		{[]string{p.file("a.txt", "a"), p.file("b.txt", "b")}, "413 too many files: the limit is 1"},
		{[]string{page}, "415 a file is declared as image/png and begins as text/html"},
	} {
		p.tab.Choose("#now", x.paths...)
		p.tab.Wait(fmt.Sprintf("seen.some((text) => text.startsWith(%q))", "refused now photos "+x.want))
	}
	if got := p.tab.Eval("document.documentElement.dataset.liveState"); got != "open" {
		t.Errorf("the connection is %s", strings.TrimSpace(got))
	}
}
