// Package chromium gives tests a real browser without a window. A test that asks
// for one is skipped where none is installed, but fails under CI=true, and is
// skipped with -short.
package chromium

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/duckgen/duckgen/internal/testtier"
)

// patience bounds everything that a test waits for.
const patience = time.Minute

// programs are the names that a Chromium is installed under.
var programs = []string{"chromium", "chromium-browser", "google-chrome"}

// A Browser is one process with one profile, which is thrown away.
type Browser struct {
	t   *testing.T
	ctx context.Context
}

// Start starts a browser that trusts every certificate and finds no host but this
// machine. It ends with the test.
func Start(t *testing.T) *Browser {
	t.Helper()
	return start(t, chromedp.Flag("ignore-certificate-errors", true))
}

// StartBound starts a browser that binds sessions to a key, as those do whose
// devices can keep one. It takes the certificate alone for a good one: otherwise it
// binds nothing.
func StartBound(t *testing.T, certificate *x509.Certificate) *Browser {
	t.Helper()
	sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	return start(t,
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(sum[:])),
		chromedp.Flag("enable-features", "DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting"),
	)
}

// seats are for as many browsers at once as keep the processors busy. A test that has
// several is not parallel to others that have some.
var seats = make(chan struct{}, runtime.GOMAXPROCS(0)+1)

func start(t *testing.T, more ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	testtier.NotShort(t, "it needs a browser")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(find(t)),
		chromedp.Flag("no-sandbox", true), // it needs rights that a container does not have
		// The popups of an address bar that nobody sees are pages, which take longer to load than all else.
		chromedp.Flag("disable-features", "Translate,WebUIOmniboxPopup,WebUIOmniboxAimPopup"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost"),
	)
	options = append(options, more...)
	seats <- struct{}{}
	t.Cleanup(func() { <-seats })
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", find(t), err)
	}
	return &Browser{t, ctx}
}

func find(t *testing.T) string {
	t.Helper()
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("there is no Chromium: apt-get install chromium")
	}
	t.Skip("there is no Chromium: apt-get install chromium")
	return ""
}

// A Tab shows one page at a time.
type Tab struct {
	t   *testing.T
	ctx context.Context
}

// Open shows a page in a new tab. All tabs have the same cookies.
func (b *Browser) Open(url string) *Tab {
	b.t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	b.t.Cleanup(end)
	// The context of the first action is that of the tab, so it has no limit.
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("open a tab: %v", err)
	}
	tab := &Tab{b.t, ctx}
	tab.Go(url)
	return tab
}

// perform does one thing within the patience of the test.
func perform[T any](tab *Tab, what string, action chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
	return v
}

// Go shows another page.
func (tab *Tab) Go(url string) {
	tab.t.Helper()
	perform(tab, "show "+url, chromedp.Navigate(url))
}

// Click clicks on the first element that the CSS selector finds, in one step: a
// live page may put a new element in its place at any time, also between the
// press and the release of a mouse's button.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	element := "document.querySelector(" + strconv.Quote(selector) + ")"
	tab.Wait(element)
	tab.Eval("((element) => (element.focus(), element.click()))(" + element + ")")
}

// Type types into an element.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	perform(tab, "type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Press presses keys one after the other, as package kb of chromedp names them, where
// the focus is.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	perform(tab, "press a key", chromedp.KeyEvent(keys))
}

// Reach presses the Tab key until the focus is on what the CSS selector finds, and
// shows.
func (tab *Tab) Reach(selector string) {
	tab.t.Helper()
	focused := "document.activeElement"
	for range 40 {
		tab.Press("\t")
		if tab.Eval(focused+".matches("+strconv.Quote(selector)+")") != "true" {
			continue
		}
		if tab.Eval("getComputedStyle("+focused+").outlineStyle") == "none" {
			tab.t.Errorf("nobody sees that the focus is on %s", selector)
		}
		return
	}
	tab.t.Fatalf("the keyboard does not reach %s", selector)
}

// Fits reports whether the page is no wider than its window.
func (tab *Tab) Fits() bool {
	tab.t.Helper()
	return tab.Eval("document.documentElement.scrollWidth <= innerWidth") == "true"
}

// Contrast returns how much the text of an element stands out from the page's
// background, from 1 to 21, as WCAG 2 defines it.
func (tab *Tab) Contrast(selector string) float64 {
	tab.t.Helper()
	text := tab.Eval(contrast + "(document.querySelector(" + strconv.Quote(selector) + "))")
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil {
		tab.t.Fatalf("the contrast of %s is %s", selector, text)
	}
	return ratio
}

const contrast = `((element) => {
	const luminance = (color) => color.match(/[0-9.]+/g).slice(0, 3)
		.map((part) => part / 255)
		.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
		.reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
	const [dark, light] = [getComputedStyle(element).color, getComputedStyle(document.body).backgroundColor]
		.map(luminance).sort((one, other) => one - other);
	return (light + 0.05) / (dark + 0.05);
})`

// Resize makes the window of the page so large, in CSS pixels.
func (tab *Tab) Resize(width, height int64) {
	tab.t.Helper()
	perform(tab, "resize the window", chromedp.EmulateViewport(width, height))
}

// Prefer makes the page one of a visitor who prefers that color scheme, "light" or
// "dark".
func (tab *Tab) Prefer(scheme string) {
	tab.t.Helper()
	prefer := func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
	}
	perform(tab, "prefer "+scheme, chromedp.Action[cdp.Empty](prefer))
}

// Picture returns what the window shows, as PNG.
func (tab *Tab) Picture() []byte {
	tab.t.Helper()
	return perform(tab, "take a picture", chromedp.CaptureScreenshot())
}

// Choose chooses files for an input, as a visitor does in the browser's dialogue.
func (tab *Tab) Choose(selector string, paths ...string) {
	tab.t.Helper()
	perform(tab, "choose files for "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), paths))
}

// Wait waits until the script's expression is true, also across the loading of
// pages.
func (tab *Tab) Wait(expression string) {
	tab.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithTimeout(tab.ctx, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			tab.t.Fatalf("it never came true that %s (%v); the page is\n%s", expression, err,
				tab.Eval("location.href + '\\n' + document.body.innerText"))
		}
		time.Sleep(10 * time.Millisecond) // between questions, until the deadline
	}
}

// Live waits until the page has a live connection.
func (tab *Tab) Live() {
	tab.t.Helper()
	tab.Wait(`document.documentElement.dataset.liveState === "open"`)
}

// Text returns the text of the first element that the selector finds, "" where
// there is none.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return tab.Eval("document.querySelector(" + strconv.Quote(selector) + ")?.innerText ?? ''")
}

// Eval returns the text of the value of an expression, of a promise the one that
// it is kept with. The page's policy does not bind it.
func (tab *Tab) Eval(expression string) string {
	tab.t.Helper()
	return perform(tab, "evaluate "+expression,
		chromedp.Evaluate[string]("(async () => String(await ("+expression+")))()", chromedp.EvalAwaitPromise))
}

// Cookies returns all cookies of the browser, HttpOnly ones included.
func (tab *Tab) Cookies() []*network.Cookie {
	tab.t.Helper()
	read := func(ctx context.Context, t *chromedp.Target) ([]*network.Cookie, error) {
		result, err := cdp.Call(ctx, t, storage.GetCookies, storage.GetCookiesParams{})
		return result.Cookies, err
	}
	return perform(tab, "read the cookies", chromedp.Action[[]*network.Cookie](read))
}

// Forget removes a cookie from the browser.
func (tab *Tab) Forget(cookie *network.Cookie) {
	tab.t.Helper()
	remove := func(ctx context.Context, t *chromedp.Target) (struct{}, error) {
		_, err := cdp.Call(ctx, t, network.DeleteCookies, network.DeleteCookiesParams{Name: cookie.Name, Domain: cookie.Domain, Path: cookie.Path})
		return struct{}{}, err
	}
	perform(tab, "forget the cookie "+cookie.Name, chromedp.Action[struct{}](remove))
}
