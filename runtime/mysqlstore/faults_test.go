package mysqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/faultproxy"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
)

// isRefused demands an error that says that nothing was stored, and why.
func isRefused(t *testing.T, what string, err error, says string) {
	t.Helper()
	if !errors.Is(err, runtime.ErrRefused) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want ErrRefused and %q", what, err, says)
	}
}

func TestAServerThatBecomesReadOnlyIsNamed(t *testing.T) {
	dsn := emptyDSN(t)
	open(t, dsn)
	s := open(t, limitedUser(t, dsn, "SELECT, INSERT, UPDATE, DELETE"))
	key, record := session(1)
	create(t, s, key, record)
	servertest.ExecuteMySQL(t, dsn, "SET GLOBAL read_only=ON")
	defer servertest.ExecuteMySQL(t, dsn, "SET GLOBAL read_only=OFF")
	_, err := s.Update(t.Context(), key, set(entry("theme", `"dark"`)))
	isRefused(t, "an ordinary update", err, "takes no writes")
	isRefused(t, "Delete", s.Delete(t.Context(), key), "takes no writes")
	other, record := session(2)
	isRefused(t, "Create", s.Create(t.Context(), other, record), "takes no writes")
	load(t, s, key)
}

func TestWhatIsTooLargeForAPacketIsRefused(t *testing.T) {
	s := open(t, emptyDSN(t))
	key, record := session(1)
	create(t, s, key, record)
	huge := set(entry("theme", `"`+strings.Repeat("x", 20<<20)+`"`))
	huge.MaxBytes = 0
	_, err := s.Update(t.Context(), key, huge)
	isRefused(t, "an update of 20 MiB", err, "max_allowed_packet")
	if _, err := s.Update(t.Context(), key, set(entry("theme", `"dark"`))); err != nil {
		t.Errorf("the update after it: %v", err)
	}
}

func TestALockThatIsNotLetGoIsARefusal(t *testing.T) {
	t.Parallel() // it waits, mostly
	dsn := emptyDSN(t)
	config := parsed(t, dsn)
	config.Params = map[string]string{"innodb_lock_wait_timeout": "1"}
	s := open(t, config.FormatDSN())
	key, record := session(1)
	create(t, s, key, record)
	lock, err := pool(t, dsn).Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec("SELECT id FROM duckgen_sessions FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	_, err = s.Update(t.Context(), key, set(entry("theme", `"dark"`)))
	isRefused(t, "an update of a locked session", err, "Lock wait timeout")
	isRefused(t, "the end of a locked session", s.Delete(t.Context(), key), "Lock wait timeout")
	load(t, s, key)
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), key, set(entry("theme", `"dark"`))); err != nil {
		t.Errorf("the update after it: %v", err)
	}
}

func TestConnectionsThatWereKilledAreMadeAnew(t *testing.T) {
	dsn := emptyDSN(t)
	s := open(t, dsn)
	key, record := session(1)
	create(t, s, key, record)
	for range 3 {
		killConnections(t, dsn)
		if _, err := s.Update(t.Context(), key, set(entry("theme", `"dark"`))); err != nil {
			t.Errorf("an update on a connection that was killed before: %v", err)
		}
	}
}

func TestConnectionsThatTheServerHasEndedAreMadeAnew(t *testing.T) {
	t.Parallel() // it waits, mostly
	config := parsed(t, emptyDSN(t))
	config.Params = map[string]string{"wait_timeout": "1"} // and not that of Open
	s := open(t, config.FormatDSN())
	key, record := session(1)
	create(t, s, key, record)
	time.Sleep(1500 * time.Millisecond)
	if _, err := s.Update(t.Context(), key, set(entry("theme", `"dark"`))); err != nil {
		t.Errorf("an update on a connection that the server has ended: %v", err)
	}
}

// present returns a session of a program whose clock is ahead of the present.
func present(n byte, ahead time.Duration, entries ...runtime.Entry) (runtime.Key, *runtime.Record) {
	key, r := session(n, entries...)
	key.Now = time.Now().Add(ahead).UTC()
	now := key.Now.Truncate(time.Millisecond)
	r.Created, r.Renewed, r.Deadline, r.Expires = now, now, now.Add(time.Hour), now.Add(time.Minute)
	return key, r
}

// TestTheFirstCommitOfAProgramMovesItsTimes: it knows nothing of the difference of the
// clocks yet.
func TestTheFirstCommitOfAProgramMovesItsTimes(t *testing.T) {
	dsn := emptyDSN(t)
	for n, ahead := range []time.Duration{0, 5 * time.Minute, -5 * time.Minute} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			key, record := present(byte(n+1), 0)
			create(t, openServed(t, dsn), key, record)
			elsewhere, s := key, openServed(t, dsn)
			elsewhere.Now = key.Now.Add(ahead)
			for range 2 { // by the full way, and then by the short one
				d := &runtime.Delta{Used: elsewhere.Now, Active: elsewhere.Now.Add(10 * time.Minute)}
				result, err := s.Update(t.Context(), elsewhere, d)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "the end for the first program", load(t, openServed(t, dsn), key).Expires, key.Now.Add(10*time.Minute))
				near(t, "the end for the second program", result.Expires, elsewhere.Now.Add(10*time.Minute))
				elsewhere.Now, key.Now = elsewhere.Now.Add(time.Second/10), key.Now.Add(time.Second/10)
			}
		})
	}
}

func near(t *testing.T, what string, got, want time.Time) {
	t.Helper()
	if got.Sub(want).Abs() > 2*time.Second {
		t.Errorf("%s is %v, want about %v", what, got, want)
	}
}

// TestACommitThatDoesNotArriveIsAnOutage: whoever hears that it is done has to find it.
func TestACommitThatDoesNotArriveIsAnOutage(t *testing.T) {
	dsn := emptyDSN(t)
	const header = 5 // of a packet: its length, its number, and the kind of the command
	proxy := faultproxy.New(t, func(sent []byte) bool { return len(sent) > header && string(sent[header:]) == "COMMIT" })
	config := parsed(t, dsn)
	var err error
	if config.Addr, err = proxy.Address(config.Addr); err != nil {
		t.Fatal(err)
	}
	s := open(t, config.FormatDSN())
	key, record := session(1, indexed("user_id", "7"))
	create(t, s, key, record)
	over, overRecord := session(2)
	overRecord.Deadline, overRecord.Expires = over.Now.Add(time.Second), over.Now.Add(time.Second)
	create(t, s, over, overRecord)
	over.Now = over.Now.Add(time.Minute)
	fresh, freshRecord := session(3)
	before := servertest.QueryMySQL(t, dsn, "SELECT id,version,data FROM duckgen_sessions ORDER BY id")
	for what, operate := range map[string]func() error{
		"Create": func() error { return s.Create(t.Context(), fresh, freshRecord) },
		"Create in the place of one that is over": func() error { return s.Create(t.Context(), over, freshRecord) },
		"an update of an index": func() error {
			_, err := s.Update(t.Context(), key, set(indexed("user_id", "8")))
			return err
		},
	} {
		struck := proxy.Arm(faultproxy.Fault{Call: 1})
		err := operate()
		select {
		case <-struck:
		default:
			t.Errorf("%s ends without a COMMIT of its own", what)
		}
		if err == nil || errors.Is(err, runtime.ErrRefused) {
			t.Errorf("%s, whose COMMIT is lost: %v, want an outage", what, err)
		}
	}
	if after := servertest.QueryMySQL(t, dsn, "SELECT id,version,data FROM duckgen_sessions ORDER BY id"); !cmp.Equal(before, after) {
		t.Errorf("without a COMMIT %q has become %q", before, after)
	}
}
