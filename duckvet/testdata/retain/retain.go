package retain

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/duckgen/duckgen/examples/shop/session"
	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/lively"
)

var (
	current   *session.VisitorSession
	anyone    any
	all       []*session.VisitorSession
	byUser    = map[int64]*session.VisitorSession{}
	queue     = make(chan *session.VisitorSession, 1)
	last      atomic.Pointer[session.VisitorSession]
	known     sync.Map
	entries   = map[string]entry{}
	state     struct{ session *session.VisitorSession }
	themes    = map[int64]string{}
	byRequest = map[*http.Request]*session.VisitorSession{}
)

type entry struct {
	name    string
	session *session.VisitorSession
}

func variables(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	current = s                                           // want `the session goes to package variable current, which outlives its request`
	anyone = s                                            // want `package variable anyone`
	all = append(all, s)                                  // want `package variable all`
	byUser[s.UserID()] = session.VisitorFrom(r.Context()) // want `package variable byUser`
	queue <- s                                            // want `package variable queue`
	last.Store(s)                                         // want `package variable last`
	known.Store(s.UserID(), s)                            // want `package variable known`
	entries["last"] = entry{"last", s}                    // want `package variable entries`
	state.session = s                                     // want `package variable state`
	themes[s.UserID()] = s.Theme()
	byRequest[r] = s
	known.Store(r, s)
}

func initial() {
	byUser = map[int64]*session.VisitorSession{}
	all = make([]*session.VisitorSession, 0, 8)
}

var registered sync.Map

func whileItRuns(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	registered.Store(s.Handle(), s)
	defer registered.Delete(s.Handle())
}

var reset *session.VisitorSession

func andReset(w http.ResponseWriter, r *http.Request) {
	reset = session.VisitorFrom(r.Context())
	defer func() { reset = nil }()
}

// server is there for all requests.
type server struct {
	mu    sync.Mutex
	last  *session.VisitorSession
	seen  map[string]*session.VisitorSession
	queue chan *session.VisitorSession
	inner struct{ last *session.VisitorSession }
	notes map[string]*note
}

func (v *server) handle(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	v.last = s               // want `the receiver of a handler`
	v.seen[r.RemoteAddr] = s // want `the receiver of a handler`
	v.inner.last = s         // want `the receiver of a handler`
	v.notes["x"].session = s
	select {
	case v.queue <- s:
	default:
	}
}

func (v *server) enqueue(w http.ResponseWriter, r *http.Request) {
	v.queue <- session.VisitorFrom(r.Context()) // want `the receiver of a handler`
}

// keep is no handler: what it is called with may belong to anything.
func (v *server) keep(s *session.VisitorSession) { v.last = s }

// view has nothing that tells whether it is there for one request or for many.
type view struct{ session *session.VisitorSession }

func (v *view) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.session = session.VisitorFrom(r.Context())
}

// visit is made for one request, although it has a lock.
type visit struct {
	mu      sync.Mutex
	session *session.VisitorSession
}

func begin(ctx context.Context) *visit { return &visit{} }

func (v *visit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.session = session.VisitorFrom(r.Context())
}

// note is made for each request.
type note struct{ session *session.VisitorSession }

func (n *note) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.session = session.VisitorFrom(r.Context())
}

func middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &note{}
		n.session = session.VisitorFrom(r.Context())
		n.ServeHTTP(w, r)
		next.ServeHTTP(w, r)
	})
}

func remembers() http.Handler {
	var before *session.VisitorSession
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := session.VisitorFrom(r.Context())
		if before != nil {
			fmt.Fprintln(w, before.Name())
		}
		before = s // want `variable before around the handler`
	})
}

func registers(mux *http.ServeMux) {
	var before *session.VisitorSession
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		before = session.VisitorFrom(r.Context()) // want `variable before around the handler`
	})
	log.Print(before)
}

func perRequest(sessions *session.VisitorSessions) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var s *session.VisitorSession
		sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s = session.VisitorFrom(r.Context())
		})).ServeHTTP(w, r)
		log.Print(s.Handle())
	}
}

func goroutine(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	go func() {
		log.Print(s.Theme()) // want `this goroutine may use the session after its request is answered, when the session is closed`
	}()
}

func goroutineOfContext(w http.ResponseWriter, r *http.Request) {
	go func() {
		session.VisitorFrom(r.Context()).AddVisits(1) // want `this goroutine may use the session`
	}()
}

func goroutineWithArgument(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	go audit(s)       // want `this goroutine may use the session`
	go s.AddVisits(1) // want `this goroutine may use the session`
	go log.Print(s.Theme())
	theme := s.Theme()
	go func() { log.Print(theme) }()
}

func audit(s *session.VisitorSession) {}

func goroutineAwaited(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		s.AddVisits(1)
	}()
	all.Wait()
}

func goroutineReceived(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	themes := make(chan string)
	go func() { themes <- s.Theme() }()
	fmt.Fprintln(w, <-themes)
}

func goroutineOfFound(ctx context.Context, sessions *session.VisitorSessions) {
	for s, err := range sessions.FindByUserID(ctx, 1) {
		if err == nil {
			go func() {
				s.Destroy()
				_ = s.Save(ctx)
			}()
		}
	}
}

func takenOver(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	go func() { log.Print(s.Theme()) }()
}

func serves(w http.ResponseWriter, r *http.Request, next func() bool) {
	s := session.VisitorFrom(r.Context())
	go func() { log.Print(s.Theme()) }()
	for {
		if !next() {
			return
		}
	}
}

// A live connection keeps its session.
type client struct {
	conn    *lively.Conn
	session *session.VisitorSession
}

var (
	clients = map[string]*client{}
	live    = map[runtime.LivelyConn]*session.VisitorSession{}
)

func connect(ctx context.Context, c *lively.Conn, e lively.Event, s *session.VisitorSession) error {
	clients[s.Handle()] = &client{c, s}
	live[c] = s
	go func() { <-ctx.Done(); log.Print(s.Handle()) }()
	return nil
}

func stream(w http.ResponseWriter, r *http.Request, sessions *session.VisitorSessions, c runtime.LivelyCloser) {
	s := session.VisitorFrom(r.Context())
	disconnect, err := sessions.LivelyConnect(r.Context(), c, s)
	if err != nil {
		return
	}
	defer disconnect()
	current = s
	go func() { log.Print(s.Handle()) }()
}

// screen is made for one request by a function that knows nothing of it.
type screen struct {
	mu      sync.Mutex
	session *session.VisitorSession
}

func newScreen(name string) *screen { return &screen{} }

func (v *screen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.session = session.VisitorFrom(r.Context())
}

func shows(w http.ResponseWriter, r *http.Request) { newScreen("first").ServeHTTP(w, r) }

// base is part of what is made for one request.
type base struct {
	mu      sync.Mutex
	session *session.VisitorSession
}

func (b *base) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.session = session.VisitorFrom(r.Context())
}

type dialog struct{ base }

func opens(w http.ResponseWriter, r *http.Request) { (&dialog{}).ServeHTTP(w, r) }

// Frame is for other packages to make.
type Frame struct {
	mu      sync.Mutex
	session *session.VisitorSession
}

func (f *Frame) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.session = session.VisitorFrom(r.Context())
}

// Service is made when the program begins.
type Service struct {
	mu      sync.Mutex
	session *session.VisitorSession
}

func NewService() *Service { return &Service{} }

func (f *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.session = session.VisitorFrom(r.Context()) // want `the receiver of a handler`
}

// Goroutines that a group starts.

func grouped(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	var group sync.WaitGroup
	group.Go(func() {
		s.AddVisits(1) // want `this goroutine may use the session`
	})
	group.Go(s.Renew) // want `this goroutine may use the session`
}

var background sync.WaitGroup

func groupedForLater(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	background.Go(func() { s.AddVisits(1) }) // want `this goroutine may use the session`
}

type worker struct {
	mu    sync.Mutex
	tasks sync.WaitGroup
}

func (v *worker) handle(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	v.tasks.Go(func() { log.Print(s.Theme()) }) // want `this goroutine may use the session`
}

func groupedAndAwaited(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { s.AddVisits(1) })
}

func groupedForTheCaller(r *http.Request, group *sync.WaitGroup) {
	s := session.VisitorFrom(r.Context())
	group.Go(func() { s.AddVisits(1) })
}

func groupedAndAwaitedElsewhere(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	var group sync.WaitGroup
	group.Go(func() { s.AddVisits(1) })
	finish(&group)
}

func finish(group *sync.WaitGroup) { group.Wait() }

func groupedForItself(w http.ResponseWriter, r *http.Request) {
	var group sync.WaitGroup
	theme := session.VisitorFrom(r.Context()).Theme()
	group.Go(func() { log.Print(theme) })
}

// Functions that a variable holds.

func methodValues(w http.ResponseWriter, r *http.Request) {
	s := session.VisitorFrom(r.Context())
	count := s.AddVisits
	go count(1) // want `this goroutine may use the session`
	go func() {
		count(2) // want `this goroutine may use the session`
	}()
	say := func() { log.Print(s.Theme()) }
	go say() // want `this goroutine may use the session`
	var group sync.WaitGroup
	group.Go(say) // want `this goroutine may use the session`
	theme := s.Theme
	text := theme()
	go log.Print(text)
	quiet := func() { log.Print(text) }
	go quiet()
}

func methodValuesAwaited(w http.ResponseWriter, r *http.Request) {
	count := session.VisitorFrom(r.Context()).AddVisits
	done := make(chan bool)
	go func() { count(1); close(done) }()
	<-done
}

func methodValueOfFound(ctx context.Context, r *http.Request, sessions *session.VisitorSessions) {
	for s, err := range sessions.FindByUserID(ctx, 1) {
		if err == nil {
			save := s.Save
			go save(ctx)
		}
	}
}
