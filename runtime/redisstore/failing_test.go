package redisstore

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"

	"github.com/duckgen/duckgen/runtime"
)

// A failing client does not send one of its commands, and says so.
type failing struct {
	Client
	left   int // until then; negative: none fails
	sent   int
	writes []string // the names of those that may not be sent again
}

var errCut = errors.New("the connection is cut")

func (f *failing) next() error {
	f.sent++
	if f.left--; f.left == -1 {
		return errCut
	}
	return nil
}

func (f *failing) Do(ctx context.Context, c Command) (Value, error) {
	if err := f.next(); err != nil {
		return Value{}, err
	}
	if !c.ReadOnly {
		f.writes = append(f.writes, c.Name[0])
	}
	return f.Client.Do(ctx, c)
}

func (f *failing) DoAll(ctx context.Context, commands []Command) []Answer {
	answers := make([]Answer, len(commands))
	for i, c := range commands {
		answers[i].Value, answers[i].Err = f.Do(ctx, c)
	}
	return answers
}

func (f *failing) Nodes(ctx context.Context) ([]Node, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	nodes, err := f.Client.Nodes(ctx)
	for i := range nodes {
		do := nodes[i].Do
		nodes[i].Do = func(ctx context.Context, c Command) (Value, error) {
			if err := f.next(); err != nil {
				return Value{}, err
			}
			return do(ctx, c)
		}
	}
	return nodes, err
}

// survivors returns which of the three sessions of the user live.
func survivors(t *testing.T, s *Store, keys []runtime.Key) (live int) {
	t.Helper()
	for _, key := range keys {
		switch _, err := s.ByID(t.Context(), testKind, key.ID, key.Now); {
		case err == nil:
			live++
		case !errors.Is(err, runtime.ErrNotFound):
			t.Fatal(err)
		}
	}
	return live
}

// TestACommandThatFailsIsNoAnswer fails each command of each operation in turn: the
// operation says so, or has the outcome that it has undisturbed; and who ends sessions
// counts those that have ended.
func TestACommandThatFailsIsNoAnswer(t *testing.T) {
	server := served(t)
	list := func(found func(func(runtime.Found, error) bool)) (string, error) {
		var ids []string
		for f, err := range found {
			if err != nil {
				return "", err
			}
			ids = append(ids, f.ID.String())
		}
		slices.Sort(ids)
		return fmt.Sprint(ids), nil
	}
	operations := map[string]func(s *Store, keys []runtime.Key) (string, error){
		"Load": func(s *Store, keys []runtime.Key) (string, error) {
			r, err := s.Load(t.Context(), keys[0])
			return fmt.Sprint(r != nil), err
		},
		"Create": func(s *Store, keys []runtime.Key) (string, error) {
			key, r := keys[0], &runtime.Record{Kind: testKind, Deadline: keys[0].Now.Add(time.Hour), Expires: keys[0].Now.Add(time.Hour)}
			key.ID[1] = 9
			r.Entries = runtime.NewEntries(login(7).Ops[0].Entry)
			return "", s.Create(t.Context(), key, r)
		},
		"Update": func(s *Store, keys []runtime.Key) (string, error) {
			r, err := s.Update(t.Context(), keys[0], login(8))
			return fmt.Sprint(r != nil), err
		},
		"Delete": func(s *Store, keys []runtime.Key) (string, error) { return "", s.Delete(t.Context(), keys[0]) },
		"ByID": func(s *Store, keys []runtime.Key) (string, error) {
			r, err := s.ByID(t.Context(), testKind, keys[0].ID, keys[0].Now)
			return fmt.Sprint(r != nil), err
		},
		"Find": func(s *Store, keys []runtime.Key) (string, error) {
			return list(s.Find(t.Context(), user(7), keys[0].Now))
		},
		"All": func(s *Store, keys []runtime.Key) (string, error) {
			return list(s.All(t.Context(), testKind, keys[0].Now))
		},
		"Ping":    func(s *Store, _ []runtime.Key) (string, error) { return "", s.Ping(t.Context()) },
		"Measure": func(s *Store, keys []runtime.Key) (string, error) { return "", s.Measure(t.Context(), keys[0].Now) },
	}
	ending := map[string]func(s *Store, keys []runtime.Key) (int, error){
		"Revoke": func(s *Store, keys []runtime.Key) (int, error) { return s.Revoke(t.Context(), user(7), keys[0].Now) },
		"RevokeAll": func(s *Store, keys []runtime.Key) (int, error) {
			return s.RevokeAll(t.Context(), testKind, keys[0].Now)
		},
		"Trim": func(s *Store, keys []runtime.Key) (int, error) {
			return s.Trim(t.Context(), []runtime.IndexValue{user(7)}, 1, keys[0].ID, keys[0].Now)
		},
	}
	for name, end := range ending {
		operations[name] = func(s *Store, keys []runtime.Key) (string, error) {
			n, err := end(s, keys)
			if live := survivors(t, New(server.client, WithPrefix(s.prefix)), keys); n+live != len(keys) {
				t.Errorf("%s has ended %d of %d sessions, and %d live", name, n, len(keys), live)
			}
			return fmt.Sprint(n), err
		}
	}
	for name, operate := range operations {
		try := func(left int) (outcome string, client *failing, err error) {
			prefix := rand.Text() + ":"
			whole := New(server.client, WithPrefix(prefix))
			var keys []runtime.Key
			for n := range byte(3) {
				key := visitor(t, whole, n, testKind)
				if _, err := whole.Update(t.Context(), key, login(7)); err != nil {
					t.Fatal(err)
				}
				keys = append(keys, key)
			}
			client = &failing{Client: server.client, left: left}
			outcome, err = operate(New(client, WithPrefix(prefix)), keys)
			return fmt.Sprintf("%s with %d live", outcome, len(found(t, whole, user(7), keys[0].Now))), client, err
		}
		want, whole, err := try(-1)
		if err != nil || whole.sent == 0 {
			t.Fatalf("%s: %v after %d commands", name, err, whole.sent)
		}
		if slices.Contains([]string{"Load", "ByID", "Find"}, name) && len(whole.writes) > 0 {
			t.Errorf("%s reads by %q, which are not sent again when a connection is lost", name, whole.writes)
		}
		for n := range whole.sent {
			asks := name == "Ping" || name == "Measure" // and does nothing else
			if got, _, err := try(n); !errors.Is(err, errCut) && (err != nil || asks || got != want) {
				t.Errorf("%s, whose command %d fails: %s, %v; undisturbed: %s", name, n+1, got, err, want)
			}
		}
	}
}

// TestALibraryThatTheServerDoesNotTakeIsNamed: without that it would be said that the
// functions are lacking.
func TestALibraryThatTheServerDoesNotTakeIsNamed(t *testing.T) {
	for refusal, taken := range map[ServerError]bool{
		"ERR Library 'duckgen' already exists": true,
		"NOPERM this user has no permissions":  false,
		"OOM command not allowed":              false,
	} {
		s := &Store{client: refusing{refusal: refusal}}
		if err := s.loadLibrary(t.Context(), "{a}"); taken != (err == nil) || !taken && !errors.Is(err, refusal) {
			t.Errorf("%s: %v", refusal, err)
		}
	}
}

type refusing struct {
	Client
	refusal ServerError
}

func (r refusing) Do(context.Context, Command) (Value, error) { return Value{}, r.refusal }

// TestAnAnswerThatLacksTheRecordCannotBeRead: what stands before the server may cut it.
func TestAnAnswerThatLacksTheRecordCannotBeRead(t *testing.T) {
	for parts := range 2 {
		s := New(answering{answer: Value{List: []Value{{Text: "0"}}[:parts]}})
		if _, err := s.loadAndRecord(t.Context(), runtime.Key{Now: time.Now()}, offset{}); !errors.Is(err, errReply) {
			t.Errorf("%d parts: %v, want %v", parts, err, errReply)
		}
	}
}

// TestACreationIsNotDoneUntilItsKindIsChecked: on a Cluster that is a step of its own.
func TestACreationIsNotDoneUntilItsKindIsChecked(t *testing.T) {
	key := runtime.Key{Now: time.Now()}
	verdict := func(n int) answering { return answering{answer: Value{List: []Value{{Text: fmt.Sprint(n)}}}} }
	if err := New(verdict(verdictOK)).checkKind(t.Context(), key, offset{}, testKind); err != nil {
		t.Errorf("a kind that was not revoked: %v", err)
	}
	if err := New(verdict(verdictEnded)).checkKind(t.Context(), key, offset{}, testKind); !errors.Is(err, runtime.ErrEnded) {
		t.Errorf("a kind that was revoked: %v, want %v", err, runtime.ErrEnded)
	}
	cut := New(&failing{Client: verdict(verdictOK)})
	if err := cut.checkKind(t.Context(), key, offset{}, testKind); !errors.Is(err, errCut) {
		t.Errorf("a connection that is cut: %v, want %v", err, errCut)
	}
	cut = New(&failing{Client: verdict(verdictOK)})
	if _, err := cut.loadAndRecord(t.Context(), key, offset{}); !errors.Is(err, errCut) {
		t.Errorf("a load whose connection is cut: %v, want %v", err, errCut)
	}
}

type answering struct {
	Client
	answer Value
}

func (a answering) Do(context.Context, Command) (Value, error) { return a.answer, nil }
func (answering) IsCluster() bool                              { return false }

// TestTheContextBoundsTheOpening: an address may swallow what is sent to it.
func TestTheContextBoundsTheOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := new(connections).connect(ctx, rueidis.ClientOption{
			InitAddress: []string{"redis.example:6379"}, DisableCache: true,
			DialCtxFn: func(ctx context.Context, _ string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-time.After(d.Timeout):
					return nil, errCut
				}
			},
		})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("%v after %v, want %v after a second", err, took, context.DeadlineExceeded)
		}
		time.Sleep(time.Minute) // the client has something to do yet
	})
}

func TestANumberIsOneOf64Bits(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63, "9223372036854775808": -1, "": -1, "1.5": -1,
	} {
		if got := (Value{Text: text}).number(); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestWhatIsNoIndexedEntryIsNone(t *testing.T) {
	number := "12345678"[:numberSize]
	for text, want := range map[string]bool{
		"": false, string(indexedSign): false, string(indexedSign) + number[1:]: false,
		string(indexedSign) + number: true, string(indexedSign) + number + "value": true, string(counterSign) + number + "value": false,
	} {
		if _, _, got := splitIndexed(text); got != want {
			t.Errorf("%q is an indexed entry: %v, want %v", text, got, want)
		}
	}
}

// TestALookUpThatCannotTidySaysSo: it removes what it finds left behind.
func TestALookUpThatCannotTidySaysSo(t *testing.T) {
	s := served(t)
	key := visitor(t, s, 1, testKind)
	left := member{id: key.ID, number: "12345678"[:numberSize]}
	find := func(fails int) (sent int, err error) {
		if added := ask(t, s, "ZADD", s.indexKey(user(7)), "0", left.text()); added > 1 {
			t.Fatalf("%d registrations are added, want 1 at most", added)
		}
		client := &failing{Client: s.client, left: fails}
		for _, failure := range New(client, WithPrefix(s.prefix)).Find(t.Context(), user(7), key.Now) {
			err = errors.Join(err, failure)
		}
		return client.sent, err
	}
	sent, err := find(-1)
	if n := registrations(t, s, user(7)); err != nil || n != 0 {
		t.Fatalf("a look-up leaves %d registrations behind, %v; want none", n, err)
	}
	for n := range sent {
		if _, err := find(n); !errors.Is(err, errCut) {
			t.Errorf("a look-up whose command %d of %d fails: %v, want %v", n+1, sent, err, errCut)
		}
	}
}

// TestWhatANewSessionHasPending: a use of its token records that only where it is.
func TestWhatANewSessionHasPending(t *testing.T) {
	presented := time.Now()
	for name, c := range map[string]struct {
		record runtime.Record
		want   byte
	}{
		"nothing":                      {runtime.Record{}, 0},
		"a renewed token":              {runtime.Record{Earlier: []runtime.EarlierProof{{By: runtime.RenewSignIn}, {By: runtime.RenewPlain}}}, presentationPending},
		"one that was presented":       {runtime.Record{Earlier: []runtime.EarlierProof{{By: runtime.RenewPlain, Presented: presented}}}, 0},
		"the token of a sign-in":       {runtime.Record{Earlier: []runtime.EarlierProof{{By: runtime.RenewSignIn}}}, 0},
		"a ticket":                     {runtime.Record{Ticket: &runtime.Ticket{}}, ticketPending},
		"a ticket and a renewed token": {runtime.Record{Ticket: &runtime.Ticket{}, Earlier: []runtime.EarlierProof{{By: runtime.RenewPlain}}}, ticketPending | presentationPending},
	} {
		if got := pendingOf(&c.record); got != c.want {
			t.Errorf("%s: %b is pending, want %b", name, got, c.want)
		}
	}
}
