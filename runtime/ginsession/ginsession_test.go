package ginsession_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/duckgen/duckgen/runtime/ginsession"
)

var errFault = errors.New("a fault")

// ways are how a handler answers, or does not.
var ways = map[string]gin.HandlerFunc{
	"nothing":        func(*gin.Context) {},
	"Status":         func(c *gin.Context) { c.Status(http.StatusAccepted) },
	"NoContent":      func(c *gin.Context) { c.Data(http.StatusNoContent, "", nil) },
	"Redirect":       func(c *gin.Context) { c.Redirect(http.StatusSeeOther, "/") },
	"String":         func(c *gin.Context) { c.String(http.StatusCreated, "text") },
	"JSON":           func(c *gin.Context) { c.JSON(http.StatusOK, "text") },
	"Write":          func(c *gin.Context) { _, _ = c.Writer.Write([]byte("text")) },
	"WriteString":    func(c *gin.Context) { _, _ = c.Writer.WriteString("text") },
	"WriteHeaderNow": func(c *gin.Context) { c.Writer.WriteHeaderNow() },
	"Flush":          func(c *gin.Context) { c.Writer.Flush() },
	"controller":     func(c *gin.Context) { _ = http.NewResponseController(c.Writer).Flush() },
	"SSEvent":        func(c *gin.Context) { c.SSEvent("tick", 1) },
	"Stream": func(c *gin.Context) {
		c.Stream(func(w io.Writer) bool { _, _ = w.Write([]byte("text")); return false })
	},
	"AbortWithStatus": func(c *gin.Context) { c.AbortWithStatus(http.StatusForbidden) },
	"Abort":           func(c *gin.Context) { c.Abort() },
	"twice":           func(c *gin.Context) { c.String(http.StatusOK, "text"); c.String(http.StatusConflict, "text") },
}

// The cookie of a new session can be sent only if it is stored before the first byte.
func TestTheSessionIsStoredBeforeTheFirstByte(t *testing.T) {
	for name, answer := range ways {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.GET("/", s.sessions, visit, answer)
			if res := s.open("/"); len(res.Cookies()) != 1 {
				t.Errorf("the response has the header %v", res.Header)
			}
			s.wantVisits("1")
		})
	}
}

// What gin, its handlers and middleware before and behind see of a response is what they
// see without sessions.
func TestTheWriterSaysWhatGinsOwnWould(t *testing.T) {
	type look struct {
		status, size     int
		written, aborted bool
	}
	see := func(into *look) gin.HandlerFunc {
		return func(c *gin.Context) {
			c.Next()
			*into = look{c.Writer.Status(), c.Writer.Size(), c.Writer.Written(), c.IsAborted()}
		}
	}
	for name, answer := range ways {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			var before, behind, plain look
			s.GET("/", see(&before), s.sessions, see(&behind), answer)
			s.GET("/plain", see(&plain), answer)
			res, body := s.get("/")
			wanted, text := s.get("/plain")
			if before != plain || behind != plain {
				t.Errorf("before the middleware it says %+v, behind %+v, want %+v", before, behind, plain)
			}
			if res.StatusCode != wanted.StatusCode || body != text {
				t.Errorf("the answer is %d with %q, want %d with %q", res.StatusCode, body, wanted.StatusCode, text)
			}
		})
	}
}

func TestAFailureLeavesTheSessionAsItWas(t *testing.T) {
	fault := func(*gin.Context) { panic(errFault) }
	pass := func(*gin.Context) {}
	for name, c := range map[string]struct {
		before, behind, fail gin.HandlerFunc
	}{
		"Status":          {pass, pass, func(c *gin.Context) { c.Status(http.StatusBadGateway) }},
		"String":          {pass, pass, func(c *gin.Context) { c.String(http.StatusBadGateway, "text") }},
		"Flush":           {pass, pass, func(c *gin.Context) { c.Status(http.StatusBadGateway); c.Writer.Flush() }},
		"WriteString":     {pass, pass, func(c *gin.Context) { c.Status(http.StatusBadGateway); _, _ = c.Writer.WriteString("text") }},
		"AbortWithStatus": {pass, pass, func(c *gin.Context) { c.AbortWithStatus(http.StatusBadGateway) }},
		"AbortWithError":  {pass, pass, func(c *gin.Context) { _ = c.AbortWithError(http.StatusBadGateway, errFault) }},
		"Recovery before": {gin.Recovery(), pass, fault},
		"Recovery behind": {pass, gin.Recovery(), fault},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.GET("/", c.before, s.sessions, c.behind, visit, c.fail)
			res := s.open("/")
			if res.StatusCode < http.StatusInternalServerError || len(res.Cookies()) != 0 {
				t.Errorf("status %d, cookies %v", res.StatusCode, res.Cookies())
			}
			s.wantVisits("0")
		})
	}
}

// What was stored with the first byte stays, what came after it does not.
func TestAPanicAfterTheFirstByteDropsWhatCameAfterIt(t *testing.T) {
	for name, order := range map[string]func(*site) []gin.HandlerFunc{
		"Recovery before": func(s *site) []gin.HandlerFunc { return []gin.HandlerFunc{gin.Recovery(), s.sessions} },
		"Recovery behind": func(s *site) []gin.HandlerFunc { return []gin.HandlerFunc{s.sessions, gin.Recovery()} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.GET("/", append(order(s), visit, func(c *gin.Context) {
				c.String(http.StatusOK, "text")
				visit(c)
				panic(errFault)
			})...)
			s.open("/")
			s.wantVisits("1")
		})
	}
}

func TestAChangeAfterTheFirstByteIsStoredAtTheEnd(t *testing.T) {
	s := newSite(t)
	s.GET("/", s.sessions, visit, func(c *gin.Context) {
		c.String(http.StatusOK, "text")
		visit(c)
	})
	s.get("/")
	s.wantVisits("2")
}

// Nobody gets what a handler has answered whose session cannot be stored.
func TestAnOutageIsTheAnswer(t *testing.T) {
	for name, answer := range ways {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			status, written := 0, false
			s.GET("/", func(c *gin.Context) {
				c.Next()
				status, written = c.Writer.Status(), c.Writer.Written()
			}, s.sessions, visit, answer)
			s.store.down.Store(true)
			res, body := s.get("/")
			if res.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "text") || res.Header.Get("Location") != "" {
				t.Errorf("the answer is %s with %v and %q", res.Status, res.Header, body)
			}
			if status != res.StatusCode || !written {
				t.Errorf("gin knows of status %d, written %t", status, written)
			}
			s.store.down.Store(false)
			s.wantVisits("0")
		})
	}
}

func TestAHandlerIsToldThatNobodySeesWhatItWrites(t *testing.T) {
	s := newSite(t)
	var write, text, flush, event error
	s.GET("/", s.sessions, visit, func(c *gin.Context) {
		_, write = c.Writer.Write([]byte("text"))
		_, text = c.Writer.WriteString("text")
		flush = http.NewResponseController(c.Writer).Flush()
		c.SSEvent("tick", 1)
		event = c.Errors.Last()
	})
	s.store.down.Store(true)
	s.open("/")
	if write == nil || text == nil || flush == nil || event == nil {
		t.Errorf("Write says %v, WriteString %v, Flush %v, SSEvent %v", write, text, flush, event)
	}
}

func TestAHijackedConnectionHasItsSessionStored(t *testing.T) {
	s := newSite(t)
	s.GET("/visit", s.sessions, visit)
	s.GET("/", s.sessions, visit, func(c *gin.Context) {
		conn, rw, err := c.Writer.Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		fmt.Fprint(rw, "HTTP/1.1 200 OK\r\n\r\nfirst\n")
		_ = rw.Flush()
		_, _ = rw.ReadByte() // until the browser has looked
	})
	s.open("/visit")
	res := s.open("/")
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); line != "first\n" {
		t.Fatalf("the connection says %q, %v", line, err)
	}
	s.wantVisits("2")
}

func TestNoConnectionIsHijackedInAnOutage(t *testing.T) {
	s := newSite(t)
	var hijack error
	s.GET("/", s.sessions, visit, func(c *gin.Context) { _, _, hijack = c.Writer.Hijack() })
	s.store.down.Store(true)
	if res := s.open("/"); res.StatusCode != http.StatusServiceUnavailable || hijack == nil {
		t.Errorf("the answer is %s, Hijack says %v", res.Status, hijack)
	}
}

func TestAControllerReachesTheServersWriter(t *testing.T) {
	s := newSite(t)
	s.GET("/", s.sessions, func(c *gin.Context) {
		if err := http.NewResponseController(c.Writer).SetWriteDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
	})
	s.open("/")
}

func TestTheMiddlewareTwiceIsOnce(t *testing.T) {
	for name, answer := range ways {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.GET("/", s.sessions, s.sessions, visit, answer)
			if res := s.open("/"); len(res.Cookies()) != 1 {
				t.Errorf("the response has the header %v", res.Header)
			}
			s.wantVisits("1")
		})
	}
}

// Middleware before has its own writer back, and the session as it was last seen.
func TestMiddlewareBeforeGoesOn(t *testing.T) {
	s := newSite(t)
	same, visits := false, int64(0)
	s.GET("/", func(c *gin.Context) {
		own := c.Writer
		c.Next()
		same, visits = c.Writer == own, guest(c).Visits()
		c.String(http.StatusOK, "after")
	}, s.sessions, func(c *gin.Context) {
		visit(c)
		guest(c).Visits()
	})
	res, body := s.get("/")
	if !same || visits != 1 || body != "after" || len(res.Cookies()) != 1 {
		t.Errorf("same writer %t, %d visits, the answer %q with %v", same, visits, body, res.Header)
	}
}

// A middleware that answers by itself ends the chain.
func TestWhatIsNotLetThroughReachesNoHandler(t *testing.T) {
	s := newSite(t)
	reached := false
	refuse := func(http.Handler) http.Handler { return http.NotFoundHandler() }
	s.GET("/", ginsession.Middleware(refuse), func(*gin.Context) { reached = true })
	if res := s.open("/"); res.StatusCode != http.StatusNotFound || reached {
		t.Errorf("the answer is %s, reached %t", res.Status, reached)
	}
}
