package lively

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// held is a body that says when it was read, and does not end before it may.
type held struct {
	io.Reader
	read, end chan struct{}
}

func (h *held) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if err == io.EOF {
		h.read <- struct{}{}
		<-h.end
	}
	return n, err
}

func TestAFormTakesLittleMemoryBeforeItsFirstFile(t *testing.T) {
	const forms = 20
	var fields strings.Builder // of a part's header, as many as there may be
	for i := 0; fields.Len() < formBytes+partBytes-100; i++ {
		fmt.Fprintf(&fields, "%c%c%c:\r\n", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26)
	}
	limits := UploadLimits{Bytes: 1 << 20, Files: 1, Stall: time.Minute}
	read, end, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range forms {
		r := httptest.NewRequest(http.MethodPost, "/", &held{strings.NewReader("--line\r\n" + fields.String()), read, end})
		r.Header.Set("Content-Type", "multipart/form-data; boundary=line")
		f, err := openForm(httptest.NewRecorder(), r, limits)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = f.next()
			done <- struct{}{}
		}()
	}
	for range forms {
		<-read
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	close(end)
	for range forms {
		<-done
	}
	if each := (int64(after.HeapInuse) - int64(before.HeapInuse)) / forms; each > 1<<20 {
		t.Errorf("a form of %d bytes takes %d", fields.Len(), each)
	} else {
		t.Logf("a form of %d bytes takes %d KiB", fields.Len(), each>>10)
	}
}
