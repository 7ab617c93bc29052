package lively

import (
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

// alsoDeclared has, for what the first bytes of a file show, what else the file may
// be declared as: many types begin as a more general one does, and some have more
// than one name.
var alsoDeclared = map[string][]string{
	"application/octet-stream":     {"application/*", "audio/*", "video/*", "image/*", "model/*", "font/*"},
	"text/plain":                   {"text/*", "application/*", "message/*", "model/*", "image/svg+xml"},
	"text/xml":                     {"*/xml", "*/*+xml"},
	"text/html":                    {"application/xhtml+xml"},
	"application/zip":              {"application/*", "model/*"},
	"application/x-gzip":           {"application/*"},
	"application/x-rar-compressed": {"application/*"},
	"application/ogg":              {"audio/*", "video/*"},
	"video/webm":                   {"audio/*", "video/*"},
	"video/mp4":                    {"audio/*", "video/*"},
	"video/avi":                    {"video/*"},
	"audio/wave":                   {"audio/*"},
	"audio/aiff":                   {"audio/*"},
	"audio/midi":                   {"audio/*"},
	"image/x-icon":                 {"image/vnd.microsoft.icon"},
	"font/ttf":                     {"application/*", "font/*"},
	"font/otf":                     {"application/*", "font/*"},
}

// unmistakable are the types whose files always show what they are.
var unmistakable = []string{
	"application/pdf", "application/zip", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp", "video/webm",
}

// check returns the type of a file, from what is declared and from how the file
// begins. It refuses a file that is not to be taken.
func (l *UploadLimits) check(name, declared string, head []byte) (string, error) {
	extension := func(e string) bool { return strings.EqualFold(e, path.Ext(name)) }
	if len(l.Extensions) > 0 && !slices.ContainsFunc(l.Extensions, extension) {
		return "", refuse(http.StatusUnsupportedMediaType, "files that end with %q are not taken", path.Ext(name))
	}
	declared, _, err := mime.ParseMediaType(declared)
	if err != nil {
		declared = "application/octet-stream"
	}
	seen, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch {
	case !l.takes(declared):
		return "", refuse(http.StatusUnsupportedMediaType, "files of type %s are not taken", declared)
	case seen == declared, shows(seen, declared):
		return declared, nil
	case l.takes(seen):
		return seen, nil
	default:
		return "", refuse(http.StatusUnsupportedMediaType, "a file is declared as %s and begins as %s", declared, seen)
	}
}

// takes reports whether files of a type are taken.
func (l *UploadLimits) takes(kind string) bool {
	return len(l.Types) == 0 || slices.ContainsFunc(l.Types, func(pattern string) bool {
		return matches(pattern, kind) && (!strings.Contains(pattern, "*") || !holdsScripts(kind))
	})
}

// shows reports whether a file that begins as one type does may be of the other.
func shows(seen, declared string) bool {
	return !slices.Contains(unmistakable, declared) &&
		slices.ContainsFunc(alsoDeclared[seen], func(pattern string) bool { return matches(pattern, declared) })
}

func matches(pattern, kind string) bool {
	ok, _ := path.Match(strings.ToLower(pattern), kind)
	return ok
}

// holdsScripts reports whether browsers run scripts that files of a type may have.
func holdsScripts(kind string) bool {
	return kind == "text/html" || strings.HasSuffix(kind, "javascript") || strings.HasSuffix(kind, "xml")
}
