package lively

import (
	"context"
	"errors"

	"github.com/tinylib/msgp/msgp"
)

// The events by which a page of the Duck framework's client tells what becomes of a
// [FileRequest]. Their Component is the name of the upload.
const (
	FileStarted  = "file.started"  // it begins to send the file
	FileProgress = "file.progress" // how much is sent, in percent: the Value, an int64 or a float64
	FileError    = "file.error"    // it has not sent the file, or was refused: the Value, a text
)

// A FileRequest asks a page for a file that its visitor has chosen.
type FileRequest struct {
	Upload   string   // name of the upload that takes the file, see [Endpoint.HandleUpload]
	Form     string   // id of the form that has the input
	Input    string   // name of the input
	Types    []string // media types that the page may send, besides the limits of the upload; empty: any
	Progress bool     // the page tells of its progress
}

// RequestFile has a page of the Duck framework's client send a file over HTTP, to
// [Config.UploadPath]. It returns once the frame is on its way. Handlers of the events
// [FileStarted], [FileProgress] and [FileError] hear what the page makes of it. It is
// an error without [Config.Duck].
func (c *Conn) RequestFile(ctx context.Context, r FileRequest) error {
	frame := c.dialect.fileRequest(r, c.config.UploadPath+r.Upload)
	if frame == nil {
		return errors.New("only the client of the Duck framework is asked for files")
	}
	return c.send(ctx, frame)
}

// fileRequest leaves the token empty that the client sends along with the file: whose
// page it is the upload knows from the Origin and the session.
func (d *duck) fileRequest(r FileRequest, url string) []byte {
	b := msgp.AppendArrayHeader(begin(2, opFileRequest), 7)
	for _, text := range []string{r.Form, r.Upload, r.Input, url} {
		b = msgp.AppendString(b, text)
	}
	b = msgp.AppendArrayHeader(b, uint32(len(r.Types)))
	for _, kind := range r.Types {
		b = msgp.AppendString(b, kind)
	}
	return msgp.AppendString(msgp.AppendBool(b, r.Progress), "")
}
