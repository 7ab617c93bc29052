package lively

import "testing"

func TestTheTypeOfAFile(t *testing.T) {
	const png, zip, mp4 = "\x89PNG\r\n\x1a\n", "PK\x03\x04", "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42"
	for _, x := range []struct {
		types          []string
		declared, head string
		want           string // empty: refused
	}{
		{nil, "image/png", png, "image/png"},
		{nil, "", png, "image/png"},
		{nil, "no type", "\x00", "application/octet-stream"},
		{nil, "image/png", "\x00", "application/octet-stream"},
		{[]string{"image/png"}, "image/png", "\x00", ""},
		{[]string{"image/png"}, "image/png", "", ""},
		{[]string{"image/png"}, "image/jpeg", png, ""},
		{[]string{"image/*"}, "image/jpeg", png, "image/png"},
		{[]string{"Image/*"}, "IMAGE/PNG; x=y", png, "image/png"},
		{[]string{"image/*"}, "image/avif", "\x00\x00\x00\x1cftypavif", "image/avif"},
		{[]string{"image/*"}, "image/png", "<svg onload=x>", ""},
		{[]string{"image/*"}, "image/svg+xml", "<svg onload=x>", ""},
		{[]string{"image/*", "image/svg+xml"}, "image/svg+xml", "<svg onload=x>", "image/svg+xml"},
		{[]string{"image/svg+xml"}, "image/svg+xml", "<?xml version='1.0'?><svg/>", "image/svg+xml"},
		{[]string{"text/*"}, "text/html", "<b>", ""},
		{[]string{"text/*"}, "text/csv", "<html>", ""},
		{[]string{"text/*"}, "text/csv", "a,b", "text/csv"},
		{[]string{"text/*"}, "text/csv", "a\x00b", ""},
		{[]string{"text/html"}, "text/html", "<b", "text/html"},
		{[]string{"application/pdf"}, "application/pdf", "%PDF-1.7", "application/pdf"},
		{[]string{"application/pdf"}, "application/pdf", "text", ""},
		{[]string{"application/epub+zip"}, "application/epub+zip", zip, "application/epub+zip"},
		{[]string{"application/epub+zip"}, "application/epub+zip", png, ""},
		{[]string{"audio/*"}, "audio/mp4", mp4, "audio/mp4"},
		{[]string{"audio/*"}, "audio/mpeg", "\xff\xfb\x90\x00\x00", "audio/mpeg"},
		{[]string{"audio/*"}, "video/mp4", mp4, ""},
	} {
		limits := UploadLimits{Types: x.types}
		if got, err := limits.check("file", x.declared, []byte(x.head)); got != x.want || (err == nil) != (x.want != "") {
			t.Errorf("%q, declared as %q, where %v are taken: %q, %v; want %q", x.head, x.declared, x.types, got, err, x.want)
		}
	}
}
