package lively

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// UploadLimits say which files a page may send. The server holds to them, whatever
// the page says. The defaults stand for zero.
type UploadLimits struct {
	// Bytes is how large one file may be. Default: 10 MiB.
	Bytes int64

	// Files is how many files one request may bring. Default: 1.
	Files int

	// Types are the media types that are taken, such as "image/png", "image/*" or
	// "text/csv". Both what the page declares and what the first bytes of the file
	// show must agree with them. A pattern does not include types that can hold
	// scripts, such as HTML, XML and SVG: name those. Default: any type.
	Types []string

	// Extensions are the ends of the names that are taken, such as ".png", whatever
	// their case. Default: any.
	Extensions []string

	// Stall is how long a page may send nothing. Each byte of progress extends the
	// ReadTimeout of the server by it. Default: 30 s.
	Stall time.Duration
}

// An UploadHandler handles one file: it reads the file and returns. What it changes
// of the session is stored when it returns nil, before the next file of the same
// request; an error discards that and ends the request. An [UploadError] says how to
// answer, all others are reported and answered with 500. The context ends with the
// request, and as soon as the file cannot be read to its end.
type UploadHandler[S any] func(ctx context.Context, u *Upload, s *S) error

// An UploadError refuses an upload. The page is told both.
type UploadError struct {
	Status int // of the HTTP response; 0: 422
	Reason string
}

func (e *UploadError) Error() string { return e.Reason }

func refuse(status int, format string, args ...any) error {
	return &UploadError{status, fmt.Sprintf(format, args...)}
}

// A receiver is what is registered for the uploads of a name.
type receiver[S any] struct {
	limits UploadLimits
	handle UploadHandler[S]
}

// An uploadSession is what an upload needs of a generated session.
type uploadSession interface {
	Load(ctx context.Context) error
	Save(ctx context.Context) error
	Discard()
	Handle() string
}

// HandleUpload registers the handler of the uploads with a name, before the endpoint
// serves. It panics on limits that cannot be meant, saying what is wrong with them.
func (e *Endpoint[S]) HandleUpload(name string, limits UploadLimits, handle UploadHandler[S]) {
	if limits.Bytes < 0 || limits.Files < 0 || limits.Stall < 0 {
		panic(fmt.Sprintf("lively: upload %q: a limit must not be negative", name))
	}
	for _, pattern := range limits.Types {
		if _, err := path.Match(pattern, ""); err != nil {
			panic(fmt.Sprintf("lively: upload %q: type %q: %v", name, pattern, err))
		}
	}
	limits.Bytes = cmp.Or(limits.Bytes, 10<<20)
	limits.Files = cmp.Or(limits.Files, 1)
	limits.Stall = cmp.Or(limits.Stall, 30*time.Second)
	e.uploads[name] = receiver[S]{limits, handle}
}

// Uploads answers the requests by which pages send files: a POST of a form as
// multipart/form-data, to a path that ends with the name of the upload. Mount it
// behind the middleware of the sessions, too, as "POST /lively/upload/". Files go to
// their handler as they come; none is in memory as a whole. It answers
//
//   - 200, or 303 back to the page if its form was sent without the script,
//   - 400 to what is not such a form, has no file, or breaks off,
//   - 403 to a page of another origin,
//   - 404 if there is no upload of that name,
//   - 408 if the page stalls,
//   - 413 if a file is too large or there are too many,
//   - 415 if a file is of a type or an extension that is not taken,
//   - 409 and 503 if the session cannot be loaded or stored, see [runtime.StatusOf].
//
// The body of a refusal is its reason.
func (e *Endpoint[S]) Uploads() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if e.refusesOrigin(w, r) {
			return
		}
		name := path.Base(r.URL.Path)
		to, ok := e.uploads[name]
		if !ok {
			http.Error(w, "there is no such upload", http.StatusNotFound)
			return
		}
		if err := to.receive(w, r, e.from(r.Context())); err != nil {
			e.answerRefusal(w, r, fmt.Errorf("upload %q: %w", name, err))
			return
		}
		answerUpload(w, r)
	})
}

// receive hands the files of a request to their handler. A page whose connection is
// of no session learns that there is one now.
func (to receiver[S]) receive(w http.ResponseWriter, r *http.Request, s *S) error {
	session := any(s).(uploadSession)
	if err := session.Load(r.Context()); err != nil {
		return refuse(runtime.StatusOf(err), "the session cannot be loaded")
	}
	before := session.Handle()
	f, err := openForm(w, r, to.limits)
	if err != nil {
		return err
	}
	defer f.close()
	for {
		file, err := f.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = to.hand(f, file, s)
		}
		if err != nil {
			return err
		}
	}
	if before == "" && session.Handle() != "" {
		w.Header().Set("Lively-Session", "new")
	}
	return nil
}

// hand handles one file, as an event is handled.
func (to receiver[S]) hand(f *form, file *Upload, s *S) error {
	session := any(s).(uploadSession)
	err := to.handle(f.ctx, file, s)
	if err == nil {
		err = file.skip()
	}
	if err != nil {
		session.Discard()
		return cmp.Or(f.fault, err)
	}
	if err := session.Save(f.ctx); err != nil {
		return refuse(runtime.StatusOf(err), "the session cannot be stored")
	}
	return nil
}

func (e *Endpoint[S]) answerRefusal(w http.ResponseWriter, r *http.Request, err error) {
	var refused *UploadError
	if !errors.As(err, &refused) {
		e.config.OnError(r.Context(), err)
		refused = &UploadError{http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError)}
	}
	http.Error(w, refused.Reason, cmp.Or(refused.Status, http.StatusUnprocessableEntity))
}

// answerUpload answers that all files were taken. A form that was sent without the
// script goes back to its page.
func answerUpload(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.WriteHeader(http.StatusOK)
		return
	}
	page, err := url.Parse(r.Referer())
	if err != nil || page.Host != r.Host {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, page.String(), http.StatusSeeOther)
}
