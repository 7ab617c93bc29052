package lively_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/duckgen/duckgen/internal/testtier"
	duckgen "github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/lively"
	"github.com/duckgen/duckgen/runtime/memstore"
)

const png = "\x89PNG\r\n\x1a\n"

// A sent is one part of a form: a file, or a field if it has no name.
type sent struct {
	input, name, kind string
	content           io.Reader
}

func file(name, kind, content string) sent {
	return sent{"file", name, kind, strings.NewReader(content)}
}

// write writes the parts as a browser does.
func write(w io.Writer, boundary string, parts []sent) error {
	form := multipart.NewWriter(w)
	if err := form.SetBoundary(boundary); err != nil {
		return err
	}
	for _, p := range parts {
		disposition := fmt.Sprintf(`form-data; name=%q`, p.input)
		if p.name != "" {
			disposition += fmt.Sprintf(`; filename=%q`, p.name)
		}
		header := textproto.MIMEHeader{"Content-Disposition": {disposition}}
		if p.kind != "" {
			header.Set("Content-Type", p.kind)
		}
		part, err := form.CreatePart(header)
		if err != nil {
			return err
		}
		if _, err := io.Copy(part, p.content); err != nil {
			return err
		}
	}
	return form.Close()
}

// uploadRequest is that of a page of this origin.
func (b *browser) uploadRequest(ctx context.Context, name string, body io.Reader) *http.Request {
	b.site.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.site.server.URL+"/lively/upload/"+name, body)
	if err != nil {
		b.site.t.Fatal(err)
	}
	r.Header.Set("Origin", b.site.server.URL)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=line")
	return r
}

// do returns the status of an answer, and its body without the end of the line.
func (b *browser) do(r *http.Request) (res *http.Response, reason string) {
	b.site.t.Helper()
	res, err := b.client.Do(r)
	if err != nil {
		b.site.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.site.t.Fatal(err)
	}
	return res, strings.TrimSpace(string(text))
}

func (b *browser) upload(name string, parts ...sent) (res *http.Response, reason string) {
	b.site.t.Helper()
	var body bytes.Buffer
	if err := write(&body, "line", parts); err != nil {
		b.site.t.Fatal(err)
	}
	return b.do(b.uploadRequest(b.site.t.Context(), name, &body))
}

// collecting keeps what comes as files of the name, one text for each, and as much of
// a file that fails.
func (s *site) collecting(name string, limits lively.UploadLimits) (taken *[]string) {
	taken = new([]string)
	s.live.HandleUpload(name, limits, func(_ context.Context, u *lively.Upload, v *visitor) error {
		v.SetName(v.Name() + "+" + u.Name)
		content, err := io.ReadAll(u)
		*taken = append(*taken, fmt.Sprintf("%s %s %s %s %q", u.Input, u.Name, u.Type, u.Field("album"), content))
		return err
	})
	return taken
}

func TestAnUploadMeetsTheSession(t *testing.T) {
	s := newSite(t)
	taken := s.collecting("photos", lively.UploadLimits{Files: 2})
	b := s.known()
	res, reason := b.upload("photos", sent{input: "album", content: strings.NewReader("summer")},
		file("one.png", "image/png", png+"1"), file("../two.txt", "text/plain; charset=utf-8", "two"))
	if res.StatusCode != http.StatusOK || reason != "" || res.Header.Get("Lively-Session") != "" {
		t.Fatalf("answer %d %q %v", res.StatusCode, reason, res.Header)
	}
	want := []string{`file one.png image/png summer "\x89PNG\r\n\x1a\n1"`, `file two.txt text/plain summer "two"`}
	if !slices.Equal(*taken, want) {
		t.Errorf("the handler got\n%q, want\n%q", *taken, want)
	}
	if got := b.name(); got != "Ada+one.png+two.txt" {
		t.Errorf("the session has the name %q", got)
	}
}

func TestAnUploadWithoutLimits(t *testing.T) {
	s := newSite(t)
	taken := 0
	none := lively.UploadLimits{Bytes: math.MaxInt64, Files: math.MaxInt, Stall: math.MaxInt64}
	s.live.HandleUpload("all", none, func(context.Context, *lively.Upload, *visitor) error {
		taken++
		return nil
	})
	if res, reason := s.known().upload("all", slices.Repeat([]sent{file("empty", "", "")}, 100)...); res.StatusCode != http.StatusOK || taken != 100 {
		t.Errorf("answer %d %q, the handler got %d files", res.StatusCode, reason, taken)
	}
}

func TestAnUploadWithoutASessionBeginsOne(t *testing.T) {
	s := newSite(t)
	s.collecting("photo", lively.UploadLimits{})
	b := s.browser()
	res, _ := b.upload("photo", file("a.txt", "text/plain", "a"))
	if res.StatusCode != http.StatusOK || res.Header.Get("Lively-Session") != "new" {
		t.Errorf("answer %d %v, want 200, which says that the session is new", res.StatusCode, res.Header)
	}
	if got := b.name(); got != "+a.txt" {
		t.Errorf("the session has the name %q", got)
	}
}

func TestAFormSentWithoutTheScriptGoesBackToItsPage(t *testing.T) {
	s := newSite(t)
	s.collecting("photo", lively.UploadLimits{})
	for referer, back := range map[string]string{
		s.server.URL + "/album?page=2": s.server.URL + "/album?page=2",
		"https://elsewhere.example/":   "",
		"":                             "",
	} {
		b := s.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		var body bytes.Buffer
		if err := write(&body, "line", []sent{file("a.txt", "text/plain", "a")}); err != nil {
			t.Fatal(err)
		}
		r := b.uploadRequest(t.Context(), "photo", &body)
		r.Header.Set("Accept", "text/html,*/*;q=0.8")
		r.Header.Set("Referer", referer)
		status := http.StatusNoContent
		if back != "" {
			status = http.StatusSeeOther
		}
		if res, _ := b.do(r); res.StatusCode != status || res.Header.Get("Location") != back {
			t.Errorf("from %q: answer %d to %q, want %d to %q", referer, res.StatusCode, res.Header.Get("Location"), status, back)
		}
	}
}

func TestUploadsAreLimited(t *testing.T) {
	t.Parallel() // it waits, mostly
	s := newSite(t)
	pictures := lively.UploadLimits{Bytes: 100, Files: 2, Types: []string{"image/*", "text/csv"}, Extensions: []string{".png", ".csv", ".svg"}}
	taken := s.collecting("pictures", pictures)
	full := func() sent { return file("a.png", "image/png", png+strings.Repeat("x", 92)) }
	for name, x := range map[string]struct {
		to     string
		parts  []sent
		status int
		reason string
	}{
		"as large as may be": {"pictures", []sent{file("a.PNG", "image/png", png+strings.Repeat("x", 92))}, 200, ""},
		"too large":          {"pictures", []sent{file("a.png", "image/png", png+strings.Repeat("x", 93))}, 413, "too large: the limit is 100 bytes for each file"},
		"far too large":      {"pictures", []sent{file("a.png", "image/png", png+strings.Repeat("x", 1<<20))}, 413, "too large: the limits are 100 bytes for each file, and 2 for their number"},
		"too many":           {"pictures", []sent{full(), file("b.csv", "text/csv", "b"), file("c.csv", "text/csv", "c")}, 413, "too many files: the limit is 2"},
		"another type":       {"pictures", []sent{file("a.png", "application/pdf", "%PDF-")}, 415, "files of type application/pdf are not taken"},
		"disguised":          {"pictures", []sent{file("a.png", "image/png", "<html><script>")}, 415, "a file is declared as image/png and begins as text/html"},
		"another extension":  {"pictures", []sent{file("a.png.exe", "image/png", png)}, 415, `files that end with ".exe" are not taken`},
		"scripts":            {"pictures", []sent{file("a.svg", "image/svg+xml", "<svg/>")}, 415, "files of type image/svg+xml are not taken"},
		"no file":            {"pictures", []sent{{input: "file", content: strings.NewReader("x")}}, 400, "the form has no file"},
		"no such upload":     {"nothing", []sent{full()}, 404, "there is no such upload"},
	} {
		*taken = nil
		res, reason := s.known().upload(x.to, x.parts...)
		if res.StatusCode != x.status || !strings.HasSuffix(reason, x.reason) {
			t.Errorf("%s: answer %d %q, want %d %q", name, res.StatusCode, reason, x.status, x.reason)
		}
		if handled := len(*taken) > 0; handled && x.status == 415 {
			t.Errorf("%s: the handler got %q", name, *taken)
		}
	}
	if got := s.reported(); got != "" {
		t.Errorf("reported as errors of the program: %s", got)
	}
}

func TestAnUploadOfUnknownLengthIsLimitedToo(t *testing.T) {
	t.Parallel() // it waits, mostly
	s := newSite(t)
	taken := s.collecting("small", lively.UploadLimits{Bytes: 1000})
	b := s.known()
	body, form := io.Pipe()
	go func() {
		_ = form.CloseWithError(write(form, "line", []sent{{"file", "a.txt", "text/plain", endless{}}}))
	}()
	res, reason := b.do(b.uploadRequest(t.Context(), "small", body))
	if res.StatusCode != http.StatusRequestEntityTooLarge || reason != "too large: the limit is 1000 bytes for each file" {
		t.Errorf("answer %d %q", res.StatusCode, reason)
	}
	if len(*taken) != 1 || !strings.HasSuffix((*taken)[0], strings.Repeat("x", 1000)+`"`) || strings.Contains((*taken)[0], strings.Repeat("x", 1001)) {
		t.Error("the handler got other than the bytes up to the limit")
	}
	if got := b.name(); got != "Ada" {
		t.Errorf("the session has the name %q: what a handler that fails changes is discarded", got)
	}
}

// endless is a file without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestBodiesThatAreNoFormAreRefused(t *testing.T) {
	t.Parallel() // it waits, mostly
	s := newSite(t)
	s.collecting("photo", lively.UploadLimits{})
	head := "--line\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n"
	for name, x := range map[string]struct {
		kind, body string
		status     int
	}{
		"another type":     {"application/x-www-form-urlencoded", "a=b", 400},
		"no boundary":      {"multipart/form-data", head, 400},
		"empty":            {"multipart/form-data; boundary=line", "", 400},
		"breaks off":       {"multipart/form-data; boundary=line", head + "text", 400},
		"an endless field": {"multipart/form-data; boundary=line", "--line\r\nContent-Disposition: form-data; name=a\r\n\r\n" + strings.Repeat("x", 1<<20), 413},
		"an endless head":  {"multipart/form-data; boundary=line", "--line\r\nX: " + strings.Repeat("x", 1<<20), 413},
		"no boundary yet":  {"multipart/form-data; boundary=line", strings.Repeat("x\r\n", 1<<18), 413},
	} {
		b := s.known()
		r := b.uploadRequest(t.Context(), "photo", io.MultiReader(strings.NewReader(x.body))) // of unknown length
		r.Header.Set("Content-Type", x.kind)
		if res, reason := b.do(r); res.StatusCode != x.status || reason == "" {
			t.Errorf("%s: answer %d %q, want %d and a reason", name, res.StatusCode, reason, x.status)
		}
	}
}

func TestForeignPagesCannotUpload(t *testing.T) {
	s := newSite(t)
	taken := s.collecting("photo", lively.UploadLimits{})
	b := s.known()
	for _, origin := range []string{"https://evil.example", "null", ""} {
		r := b.uploadRequest(t.Context(), "photo", strings.NewReader(""))
		r.Header.Del("Origin")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if res, _ := b.do(r); res.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: answer %d", origin, res.StatusCode)
		}
	}
	if len(*taken) > 0 || !strings.Contains(s.reported(), "foreign origin") {
		t.Errorf("the handler got %q, and reported is %q", *taken, s.reported())
	}
}

func TestAHandlerRefusesOrFails(t *testing.T) {
	s := newSite(t)
	for name, x := range map[string]struct {
		err      error
		status   int
		reason   string
		reported bool
	}{
		"refuses": {&lively.UploadError{Status: 451, Reason: "there is a law against it"}, 451, "there is a law against it", false},
		"wrapped": {fmt.Errorf("scan: %w", &lively.UploadError{Reason: "a virus"}), 422, "a virus", false},
		"fails":   {errors.New("the disk is full"), 500, "Internal Server Error", true},
	} {
		t.Run(name, func(t *testing.T) {
			s.errs = nil
			s.live.HandleUpload(name, lively.UploadLimits{}, func(_ context.Context, _ *lively.Upload, v *visitor) error {
				v.SetName("changed")
				return x.err
			})
			b := s.known()
			res, reason := b.upload(name, file("a.txt", "text/plain", "a"))
			if res.StatusCode != x.status || reason != x.reason || (s.reported() != "") != x.reported {
				t.Errorf("answer %d %q, reported %q", res.StatusCode, reason, s.reported())
			}
			if got := b.name(); got != "Ada" {
				t.Errorf("the session has the name %q", got)
			}
		})
	}
}

func TestAnUploadThatIsCancelledEndsItsHandler(t *testing.T) {
	s := newSite(t)
	begun, ended := make(chan string, 1), make(chan error, 2)
	s.live.HandleUpload("photo", lively.UploadLimits{}, func(ctx context.Context, u *lively.Upload, v *visitor) error {
		v.SetName("changed")
		begun <- u.Name
		_, err := io.Copy(io.Discard, u)
		ended <- err
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return err
	})
	b := s.known()
	body, form := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, _ = b.client.Do(b.uploadRequest(ctx, "photo", body)) }()
	go func() {
		_ = write(form, "line", []sent{{"file", "a.txt", "text/plain", io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), body)}})
	}()
	next(t, begun)
	cancel()
	var refused *lively.UploadError
	if err := next(t, ended); !errors.As(err, &refused) {
		t.Errorf("the file of a cancelled upload ends with %v", err)
	}
	if err := next(t, ended); err == nil {
		t.Error("the context of a cancelled upload goes on")
	}
	if got := b.name(); got != "Ada" {
		t.Errorf("the session has the name %q", got)
	}
	if got := s.reported(); got != "" {
		t.Errorf("reported: %s", got)
	}
}

func TestAnUploadThatStallsIsGivenUp(t *testing.T) {
	s := newSite(t)
	s.collecting("photo", lively.UploadLimits{Stall: 50 * time.Millisecond})
	b := s.known()
	body, form := io.Pipe()
	defer form.Close()
	go func() { _, _ = io.WriteString(form, "--line\r\n") }()
	if res, reason := b.do(b.uploadRequest(t.Context(), "photo", body)); res.StatusCode != http.StatusRequestTimeout || reason != "nothing came for 50ms" {
		t.Errorf("answer %d %q", res.StatusCode, reason)
	}
}

func TestAHandlerMayTakeLongerThanAPageMayStall(t *testing.T) {
	s := newSite(t)
	s.live.HandleUpload("photo", lively.UploadLimits{Stall: 20 * time.Millisecond}, func(ctx context.Context, u *lively.Upload, _ *visitor) error {
		if _, err := io.Copy(io.Discard, u); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
			return nil
		}
	})
	if res, reason := s.known().upload("photo", file("a.txt", "text/plain", "a")); res.StatusCode != http.StatusOK {
		t.Errorf("answer %d %q", res.StatusCode, reason)
	}
}

// outage is a store that answers nothing while it is down.
type outage struct {
	duckgen.Store
	load, update atomic.Bool
}

var errDown = errors.New("the store is down")

func (o *outage) Load(ctx context.Context, k duckgen.Key) (*duckgen.Record, error) {
	if o.load.Load() {
		return nil, errDown
	}
	return o.Store.Load(ctx, k)
}

func (o *outage) Update(ctx context.Context, k duckgen.Key, d *duckgen.Delta) (*duckgen.Result, error) {
	if o.update.Load() {
		return nil, errDown
	}
	return o.Store.Update(ctx, k, d)
}

func TestAnUploadWhileTheStoreIsDown(t *testing.T) {
	store := memstore.New()
	t.Cleanup(func() { store.Close() })
	down := &outage{Store: store}
	s := newSiteOn(t, down)
	taken := s.collecting("photo", lively.UploadLimits{})
	b := s.known()
	down.load.Store(true)
	if res, reason := b.upload("photo", file("a.txt", "text/plain", "a")); res.StatusCode != http.StatusServiceUnavailable || len(*taken) > 0 {
		t.Errorf("before the first file: answer %d %q, the handler got %q", res.StatusCode, reason, *taken)
	}
	down.load.Store(false)
	down.update.Store(true)
	if res, reason := b.upload("photo", file("a.txt", "text/plain", "a")); res.StatusCode != http.StatusServiceUnavailable || len(*taken) != 1 {
		t.Errorf("after it: answer %d %q, the handler got %q", res.StatusCode, reason, *taken)
	}
}

func TestAnUploadTakesLittleMemory(t *testing.T) {
	size := int64(testtier.Count(16<<20, 64<<20, 1<<30))
	s := newSite(t)
	var peak uint64
	s.live.HandleUpload("film", lively.UploadLimits{Bytes: size}, func(_ context.Context, u *lively.Upload, _ *visitor) error {
		piece := make([]byte, 1<<20)
		for total := int64(0); ; {
			n, err := io.ReadFull(u, piece)
			total += int64(n)
			if total%(size/8) == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
			if err == io.EOF && total == size {
				return nil
			}
			if err != nil {
				return fmt.Errorf("after %d bytes: %w", total, err)
			}
		}
	})
	b := s.known()
	body, form := io.Pipe()
	go func() {
		_ = form.CloseWithError(write(form, "line", []sent{{"film", "film.bin", "", io.LimitReader(endless{}, size)}}))
	}()
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if res, reason := b.do(b.uploadRequest(t.Context(), "film", body)); res.StatusCode != http.StatusOK {
		t.Fatalf("answer %d %q", res.StatusCode, reason)
	}
	grown := (int64(peak) - int64(before.HeapInuse)) >> 10
	t.Logf("while %d MiB came, the heap grew by %d KiB", size>>20, grown)
	if grown > 8<<10 {
		t.Error("that is more than 8 MiB")
	}
}

func TestUploadLimitsThatCannotBeAreRefused(t *testing.T) {
	s := newSite(t)
	for name, limits := range map[string]lively.UploadLimits{
		"Bytes": {Bytes: -1}, "Files": {Files: -1}, "Stall": {Stall: -1}, "Types": {Types: []string{"image/["}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: %+v is accepted", name, limits)
				}
			}()
			s.live.HandleUpload("photo", limits, nil)
		}()
	}
}
