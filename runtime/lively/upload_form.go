package lively

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	// formBytes is how much a form may have besides its files, and partBytes by how
	// much each file raises that: its header, and what is read ahead.
	formBytes, partBytes = 32 << 10, 8 << 10

	// sniffedBytes is how much of a file shows of what type it is.
	sniffedBytes = 512
)

// An Upload is one file that a page sends. It is read while it comes, and only until
// its handler returns.
type Upload struct {
	// Name is what the file is called on the visitor's machine, without folders. It
	// is a visitor's input.
	Name string

	// Type is the media type, without parameters: what the first bytes of the file
	// show or, if they show nothing more precise, what the page has declared.
	Type string

	// Input is the name of the form's input that has the file.
	Input string

	form    *form
	content io.Reader
	left    int64 // bytes that the file may still have
}

// Field returns the text of a form's field that comes before the file, empty if
// there is none. It is a visitor's input.
func (u *Upload) Field(name string) string { return u.form.fields[name] }

// Read implements [io.Reader]. Its error is an [UploadError] if the file is too
// large, and if its rest does not come.
func (u *Upload) Read(b []byte) (int, error) {
	if u.form.fault != nil {
		return 0, u.form.fault
	}
	if int64(len(b)) > u.left {
		b = b[:u.left+1]
	}
	n, err := u.content.Read(b)
	if int64(n) > u.left {
		n, err = int(u.left), refuse(http.StatusRequestEntityTooLarge, "too large: the limit is %d bytes for each file", u.form.limits.Bytes)
	}
	u.left -= int64(n)
	if err != nil && err != io.EOF {
		err = u.form.fail(err)
	}
	return n, err
}

// skip reads what its handler has left of a file.
func (u *Upload) skip() error {
	_, err := io.Copy(io.Discard, u)
	return err
}

// A form reads the parts of a request as they come.
type form struct {
	ctx    context.Context // of the handlers
	cancel context.CancelCauseFunc
	limits UploadLimits
	body   *uploadBody
	parts  *multipart.Reader
	fields map[string]string
	files  int
	fault  error // why nothing more can be read
}

func openForm(w http.ResponseWriter, r *http.Request, limits UploadLimits) (*form, error) {
	if (r.ContentLength-formBytes)/int64(limits.Files)-partBytes > limits.Bytes {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too large: the limits are %d bytes for each file, and %d for their number", limits.Bytes, limits.Files)
	}
	body := &uploadBody{ReadCloser: r.Body, connection: http.NewResponseController(w), stall: limits.Stall, others: formBytes + partBytes}
	r.Body = body
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "files come as multipart/form-data")
	}
	f := &form{limits: limits, body: body, parts: parts, fields: map[string]string{}}
	f.ctx, f.cancel = context.WithCancelCause(r.Context())
	return f, nil
}

func (f *form) close() {
	f.cancel(nil)
	f.body.rest()
}

// next returns the next file, io.EOF after the last one. The rest of the one before
// has been skipped.
func (f *form) next() (*Upload, error) {
	for {
		f.body.inFile = false
		part, err := f.parts.NextPart()
		switch {
		case err == io.EOF && f.files > 0:
			return nil, io.EOF
		case err == io.EOF:
			return nil, f.fail(refuse(http.StatusBadRequest, "the form has no file"))
		case err != nil:
			return nil, f.fail(err)
		case part.FileName() != "":
			return f.open(part)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, f.fail(err)
		}
		f.fields[part.FormName()] = string(text)
	}
}

// open begins a file, if it may be taken.
func (f *form) open(part *multipart.Part) (*Upload, error) {
	if f.files++; f.files > f.limits.Files {
		return nil, f.fail(refuse(http.StatusRequestEntityTooLarge, "too many files: the limit is %d", f.limits.Files))
	}
	f.body.inFile = true
	f.body.others += partBytes
	head := make([]byte, sniffedBytes)
	n, err := io.ReadFull(part, head)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, f.fail(err)
	}
	name := strings.ToValidUTF8(part.FileName(), "\uFFFD")
	kind, err := f.limits.check(name, part.Header.Get("Content-Type"), head[:n])
	if err != nil {
		return nil, f.fail(err)
	}
	content := io.MultiReader(bytes.NewReader(head[:n]), part)
	return &Upload{Name: name, Type: kind, Input: part.FormName(), form: f, content: content, left: f.limits.Bytes}, nil
}

// fail ends the reading of the form, and the context of its handler.
func (f *form) fail(err error) error {
	var refused *UploadError
	switch {
	case errors.As(err, &refused):
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = refuse(http.StatusRequestTimeout, "nothing came for %v", f.limits.Stall)
	default:
		err = refuse(http.StatusBadRequest, "the form cannot be read to its end: %v", err)
	}
	f.fault = err
	f.cancel(err)
	return err
}

// An uploadBody is the body of a request with files.
type uploadBody struct {
	io.ReadCloser
	connection *http.ResponseController
	stall      time.Duration
	inFile     bool
	others     int64 // bytes that may still come outside of files
}

// Read implements [io.Reader]. It gives the page time anew.
func (b *uploadBody) Read(p []byte) (int, error) {
	if !b.inFile {
		if b.others <= 0 {
			return 0, refuse(http.StatusRequestEntityTooLarge, "the form has too much besides its files")
		}
		p = p[:min(int64(len(p)), b.others)]
	}
	_ = b.connection.SetReadDeadline(time.Now().Add(b.stall)) // what cannot have one has none
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.rest()
	}
	if !b.inFile {
		b.others -= int64(n)
	}
	return n, err
}

// rest lets the connection be silent: a handler may go on after the last byte.
func (b *uploadBody) rest() { _ = b.connection.SetReadDeadline(time.Time{}) }
