package lively

import (
	"maps"
	"testing"
)

func TestMarkupIsDisarmed(t *testing.T) {
	for markup, want := range map[string]string{
		`<b class="on">a &amp; b</b>`:                 `<b class="on">a &amp; b</b>`,
		`<script>run()</script>`:                      `<script data-init="true">run()</script>`,
		`<SCRIPT/src=x data-init>`:                    `<SCRIPT data-init="true"/src=x data-init>`,
		`<scripted>`:                                  `<scripted>`,
		`<img src=x onerror=run()>`:                   `<img src=x >`,
		`<img/onerror="a>b"/alt='>'>`:                 `<img//alt='>'>`,
		`<a title="onclick=run()" ONCLICK = 'run()'>`: `<a title="onclick=run()" >`,
		`<a title=it's onclick=run()>it's`:            `<a title=it's >it's`,
		`1 < 2 && a<b`:                                `1 < 2 && a<b`,
		`<svg><script>run()</script></svg>`:           `<svg><script data-init="true">run()</script></svg>`,
		"<a\nonclick\n=\nrun()\n>":                    "<a\n\n>",
	} {
		if got := disarm(markup); got != want {
			t.Errorf("%s becomes\n%s, want\n%s", markup, got, want)
		}
	}
}

func TestTheMarkupOfAnElementIsTakenApart(t *testing.T) {
	for _, x := range []struct {
		markup, tag string
		attributes  map[string]string
		content     string
	}{
		{`<li class="a b" title='&lt;"' hidden data-x=1>x <b>y</b></li>`, "li",
			map[string]string{"class": "a b", "title": `<"`, "hidden": "", "data-x": "1"}, "x <b>y</b>"},
		{" <p>\n</p> ", "p", nil, "\n"},
		{"<IMG Alt=x>", "IMG", map[string]string{"alt": "x"}, ""},
		{"text & more", "span", nil, "text & more"},
	} {
		tag, attributes, content := outerElement(x.markup)
		if tag != x.tag || !maps.Equal(attributes, x.attributes) || content != x.content {
			t.Errorf("%s: %q %v %q", x.markup, tag, attributes, content)
		}
	}
}
