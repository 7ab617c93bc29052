package redisstore_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/duckgen/duckgen/runtime"
	"github.com/duckgen/duckgen/runtime/internal/servertest"
	"github.com/duckgen/duckgen/runtime/redisstore"
)

// nameOf returns the key of a session of a store without a prefix of its own.
func nameOf(id runtime.ID) string { return "duckgen:{" + id.String() + "}" }

// session returns a small session.
func session(id byte) (runtime.Key, *runtime.Record) {
	key, record := realistic(id)
	record.Entries = runtime.NewEntries(runtime.Entry{Key: "theme", Value: "dark"})
	return key, record
}

// now returns the key of a request that arrives now.
func now(key runtime.Key) runtime.Key {
	key.Now = time.Now()
	return key
}

func create(t *testing.T, s runtime.Store, key runtime.Key, r *runtime.Record) {
	t.Helper()
	if err := s.Create(t.Context(), key, r); err != nil {
		t.Fatal(err)
	}
}

func command(t testing.TB, server *servertest.Redis, parts ...string) string {
	t.Helper()
	answer, err := server.Command(parts...)
	if err != nil {
		t.Fatalf("%v: %v", parts, err)
	}
	return answer
}

func TestOpenSaysWhatIsWrongAndNeverThePassword(t *testing.T) {
	server := start(t)
	away := start(t)
	awayURL := away.URL()
	away.Kill()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	wrong := strings.Replace(server.URL(), servertest.RedisPassword, "hunter2", 1)
	cases := map[string]struct {
		ctx   context.Context
		url   string
		wants string
	}{
		"a wrong password":      {t.Context(), wrong, server.Address()},
		"an unreachable server": {t.Context(), awayURL, away.Address()},
		"a missing password":    {t.Context(), "redis://" + server.Address(), "NOAUTH"},
		"another scheme":        {t.Context(), "http://user:hunter2@host", "redis://"},
		"a URL that is none":    {t.Context(), "redis://user:hunter2@host:port%zz", "redis://"},
		"a wrong database":      {t.Context(), server.URL() + "/99999", "DB index"},
		"a cancelled context":   {cancelled, server.URL(), context.Canceled.Error()},
	}
	for name, c := range cases {
		s, err := redisstore.Open(c.ctx, c.url)
		switch {
		case err == nil:
			s.Close()
			t.Errorf("%s: Open succeeds", name)
		case !strings.Contains(err.Error(), c.wants):
			t.Errorf("%s: %q does not tell %q", name, err, c.wants)
		case strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), servertest.RedisPassword):
			t.Errorf("%s: the error tells the password: %q", name, err)
		}
	}
}

func TestOpenSaysThatTheServerCannotServe(t *testing.T) {
	replica, limited := start(t), start(t)
	command(t, replica, "REPLICAOF", "127.0.0.1", "1")
	command(t, limited, "ACL", "SETUSER", "reader", "on", ">secret", "+@read", "+@connection", "~*", "&*")
	command(t, limited, "ACL", "SETUSER", "timeless", "on", ">secret", "+@all", "-time", "~*", "&*")
	for what, c := range map[string]struct{ url, wants string }{
		"a replica":                            {replica.URL(), "replica"},
		"a user that may only read":            {"redis://reader:secret@" + limited.Address(), "lacks a right"},
		"a user that may not ask for the time": {"redis://timeless:secret@" + limited.Address(), "lacks a right"},
		"a server without functions and scripts": {
			start(t, "rename-command FCALL", "elsewhere", "rename-command EVALSHA", "nowhere").URL(), "no functions and runs no scripts",
		},
	} {
		s, err := redisstore.Open(t.Context(), c.url)
		if err == nil {
			s.Close()
			t.Errorf("%s: Open succeeds", what)
		} else if !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s: %q does not say %q", what, err, c.wants)
		}
	}
}

// A client of the program's own is checked when the program asks for it.
func TestCheckDoesWhatOpenDoes(t *testing.T) {
	server := start(t)
	client := client(t, server.URL())
	s := redisstore.New(redisstore.Rueidis(client))
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check of a server that can serve: %v", err)
	}
	command(t, server, "REPLICAOF", "127.0.0.1", "1")
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "replica") {
		t.Errorf("Check of a replica: %v", err)
	}
	s.Close()
	if err := s.Check(t.Context()); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("Check of a closed store: %v", err)
	}
}

func TestAnEvictingServerIsAWarning(t *testing.T) {
	server := start(t)
	if found := open(t, server.URL(), "duckgen:").Warnings(); len(found) != 0 {
		t.Errorf("a server that evicts nothing: %v", found)
	}
	command(t, server, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	found := open(t, server.URL(), "duckgen:").Warnings()
	if len(found) != 1 || !strings.Contains(found[0].Error(), "allkeys-lru") || !strings.Contains(found[0].Error(), server.Address()) {
		t.Errorf("a server that evicts: %v, want its policy and address", found)
	}
	command(t, server, "ACL", "SETUSER", "shop", "on", ">secret", "+@all", "-info", "~*", "&*")
	if found := open(t, "redis://shop:secret@"+server.Address(), "duckgen:").Warnings(); len(found) != 0 {
		t.Errorf("a user who may not ask: %v", found)
	}
}

func TestOpenSucceedsWhereMemoryIsFull(t *testing.T) {
	onEveryForm(t, func(t *testing.T, server *servertest.Redis, url, _ string) {
		command(t, server, "CONFIG", "SET", "maxmemory", "1")
		open(t, url, "duckgen:")
	})
}

// TestStoresOfBothFormsShareSessions shows that one server can be used in both.
func TestStoresOfBothFormsShareSessions(t *testing.T) {
	server := start(t)
	byFunctions, byScripts := open(t, server.URL(), "duckgen:"), open(t, withoutFunctions(t, server), "duckgen:")
	key, record := realistic(1)
	create(t, byScripts, key, record)
	if _, err := byFunctions.Update(t.Context(), key, setTheme("light")); err != nil {
		t.Fatal(err)
	}
	if got := theme(load(t, byScripts, key)); got != "light" {
		t.Errorf("the theme is %q, want light", got)
	}
	if err := byScripts.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := byFunctions.Load(t.Context(), now(key)); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("a load after the end: %v", err)
	}
}

// calls returns how often the server has run each command that reads or writes
// data, from outside of functions.
func calls(t *testing.T, server *servertest.Redis) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for line := range strings.Lines(command(t, server, "INFO", "commandstats")) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		n, _, _ := strings.Cut(rest, ",")
		switch name {
		case "fcall", "function|load", "eval", "evalsha", "hgetall", "zrangebylex":
			counts[name], _ = strconv.Atoi(n)
		}
	}
	return counts
}

// TestWhatACallTakesOnTheWire has the figures of docs/stores.md: with -v it logs them.
func TestWhatACallTakesOnTheWire(t *testing.T) { onEveryForm(t, whatACallTakesOnTheWire) }

func whatACallTakesOnTheWire(t *testing.T, server *servertest.Redis, url, _ string) {
	s := redisstore.New(redisstore.Rueidis(client(t, url)))
	other, otherRecord := realistic(1)
	create(t, s, other, otherRecord) // the server knows what is called now
	if _, err := s.Update(t.Context(), other, oneField()); err != nil {
		t.Fatal(err)
	}
	key, record := realistic(2)
	for _, c := range []struct {
		name           string
		received, sent int // bytes at most
		do             func() error
	}{
		{"Create", 2100, 20, func() error { return s.Create(t.Context(), key, record) }},
		{"Load", 100, 1900, func() error { _, err := s.Load(t.Context(), key); return err }},
		{"Update", 320, 80, func() error { _, err := s.Update(t.Context(), key, oneField()); return err }},
	} {
		received, sent, err := server.Traffic(func() {
			if err := c.do(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		})
		t.Logf("%s: the server receives %d bytes and sends %d", c.name, received, sent)
		if err != nil || received > c.received || sent > c.sent {
			t.Errorf("%s: the server receives %d bytes and sends %d, %v, want at most %d and %d", c.name, received, sent, err, c.received, c.sent)
		}
	}
}

// forms are the forms in which a server is given the operations, with the URL of a user
// who has to use them.
var forms = []struct {
	name, command string
	url           func(t testing.TB, servers ...*servertest.Redis) string
}{
	{"functions", "fcall", func(_ testing.TB, servers ...*servertest.Redis) string { return servers[0].URL() }},
	{"scripts", "evalsha", withoutFunctions},
}

func onEveryForm(t *testing.T, show func(t *testing.T, server *servertest.Redis, url, command string)) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			server := start(t)
			show(t, server, form.url(t, server), form.command)
		})
	}
}

// withoutFunctions returns the URL of a user who may do everything but call functions.
func withoutFunctions(t testing.TB, servers ...*servertest.Redis) string {
	t.Helper()
	for _, server := range servers {
		command(t, server, "ACL", "SETUSER", "scripted", "on", ">secret", "+@all", "-fcall", "-function", "~*", "&*")
	}
	return "redis://scripted:secret@" + servers[0].Address()
}

func TestOneCallToReadAndOneToWrite(t *testing.T) { onEveryForm(t, oneCallToReadAndOneToWrite) }

func oneCallToReadAndOneToWrite(t *testing.T, server *servertest.Redis, url, call string) {
	s := redisstore.New(redisstore.Rueidis(client(t, url)))
	key, record := realistic(1)
	other, otherRecord := realistic(2)
	create(t, s, other, otherRecord) // the server knows the functions now, or some scripts
	update := func(d *runtime.Delta) func() error {
		return func() error { _, err := s.Update(t.Context(), key, d); return err }
	}
	signIn := &runtime.Delta{
		Ops: []runtime.Op{
			{Kind: runtime.OpSet, Entry: runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: "\x08"}},
		},
		SignIn:  &runtime.SignIn{Fields: []runtime.SignInField{{Key: "user_id", Value: "\x08", Identity: true}}},
		Renewal: &runtime.Renewal{Kind: runtime.RenewSignIn, Proof: runtime.Proof{100}},
	}
	if err := update(oneField())(); !errors.Is(err, runtime.ErrNotFound) {
		t.Fatal(err)
	}
	steps := []struct {
		name string
		do   func() error
		want map[string]int
	}{
		{"Create", func() error { return s.Create(t.Context(), key, record) }, map[string]int{call: 1}},
		{"Load", func() error { _, err := s.Load(t.Context(), key); return err }, map[string]int{"hgetall": 1}},
		{"Update", update(oneField()), map[string]int{call: 1}},
		{"an Update that signs in", update(signIn), map[string]int{call: 1}},
	}
	for _, step := range steps {
		command(t, server, "CONFIG", "RESETSTAT")
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, calls(t, server)); diff != "" {
			t.Errorf("%s makes other calls (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestOperationsAreTaughtAgain(t *testing.T) {
	t.Parallel() // it waits for servers, mostly
	urls := map[string]func(*testing.T) []*servertest.Redis{
		"single":  func(t *testing.T) []*servertest.Redis { return []*servertest.Redis{start(t)} },
		"cluster": func(t *testing.T) []*servertest.Redis { return startCluster(t, 0) },
	}
	for name, servers := range urls {
		t.Run(name, func(t *testing.T) {
			nodes := servers(t)
			for _, form := range forms {
				t.Run(form.name, func(t *testing.T) { taughtAgain(t, nodes, form.url(t, nodes...)) })
			}
		})
	}
}

func taughtAgain(t *testing.T, nodes []*servertest.Redis, url string) {
	s := fresh(t, url)
	var keys []runtime.Key
	for id := range byte(8) { // some on each node
		key, record := session(id)
		create(t, s, key, record)
		keys = append(keys, key)
	}
	for _, flush := range []string{"SCRIPT", "FUNCTION"} {
		for _, node := range nodes {
			command(t, node, flush, "FLUSH")
		}
		for _, key := range keys {
			if _, err := s.Update(t.Context(), key, oneField()); err != nil {
				t.Errorf("Update after %s FLUSH: %v", flush, err)
			}
		}
	}
}

func TestADamagedFieldIsLostAlone(t *testing.T) {
	server := start(t)
	s := open(t, server.URL(), "duckgen:")
	key, record := realistic(1)
	record.Earlier = []runtime.EarlierProof{{Proof: runtime.Proof{9}, Ended: key.Now, Grace: time.Minute}}
	create(t, s, key, record)
	damage := map[string]string{"views": "+many", "field_03": "", "user_id": "@x", ".1": "short"}
	for field, value := range damage {
		command(t, server, "HSET", nameOf(key.ID), field, value)
	}
	r, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Earlier) != 0 {
		t.Errorf("a damaged earlier proof is read as %+v", r.Earlier)
	}
	for key, want := range map[string]runtime.Entry{
		"views":    {Key: "views", Value: "many"}, // no counter: its field notices
		"field_05": {Key: "field_05", Value: strings.Repeat("v", 15)},
	} {
		if got, _ := r.Entries.Get(key); got != want {
			t.Errorf("beside damaged fields: %+v, want %+v", got, want)
		}
	}
	result, err := s.Update(t.Context(), key, &runtime.Delta{Ops: []runtime.Op{
		{Kind: runtime.OpAdd, Entry: runtime.Entry{Key: "views", Count: 2}},
	}})
	if err != nil || len(result.Replaced) != 1 {
		t.Errorf("an addition to a damaged counter: %+v, %v, want it replaced", result, err)
	}
}

func TestWhatIsNoRecordIsReportedAndKept(t *testing.T) {
	server := start(t)
	s := open(t, server.URL(), "duckgen:")
	stores := map[string]*redisstore.Store{"": s, " with a cache": cached(t, server.URL())}
	key, record := session(1)
	name := nameOf(key.ID)
	damage := map[string]struct{ do, look []string }{
		"a damaged head":       {[]string{"HSET", name, ".h", "short"}, []string{"HGET", name, ".h"}},
		"a damaged proof":      {[]string{"HSET", name, ".p", "short"}, []string{"HGET", name, ".p"}},
		"a record without one": {[]string{"HDEL", name, ".p"}, []string{"HLEN", name}},
		"a string":             {[]string{"SET", name, "somebody else's"}, []string{"GET", name}},
		"an empty string":      {[]string{"SET", name, ""}, []string{"STRLEN", name}},
		"a list":               {[]string{"RPUSH", name, "somebody else's"}, []string{"LLEN", name}},
	}
	for what, d := range damage {
		command(t, server, "DEL", name)
		if d.do[0] == "HSET" || d.do[0] == "HDEL" {
			create(t, s, key, record)
		}
		command(t, server, d.do...)
		before := command(t, server, d.look...)
		for which, s := range stores {
			operations := map[string]func() error{
				"Load":   func() error { _, err := s.Load(t.Context(), key); return err },
				"Update": func() error { _, err := s.Update(t.Context(), key, oneField()); return err },
				"Create": func() error { return s.Create(t.Context(), key, record) },
				"Delete": func() error { return s.Delete(t.Context(), key) },
			}
			for name, operate := range operations {
				err := operate()
				if err == nil || errors.Is(err, runtime.ErrNotFound) || !strings.Contains(err.Error(), key.ID.String()) {
					t.Errorf("%s, %s%s: %v, want an error that names the session and is not ErrNotFound", what, name, which, err)
				}
			}
		}
		if after := command(t, server, d.look...); after != before {
			t.Errorf("%s: %q has become %q", what, before, after)
		}
	}
}

func TestTheServerExpiresByTheClockOfTheProgram(t *testing.T) {
	server := start(t)
	s := open(t, server.URL(), "duckgen:")
	for i, shift := range []time.Duration{0, -30 * 365 * 24 * time.Hour, 30 * 365 * 24 * time.Hour} {
		key, record := session(byte(i + 1))
		key.Now = key.Now.Add(shift)
		record.Created, record.Renewed = key.Now, key.Now
		record.Deadline, record.Expires = key.Now.Add(time.Hour), key.Now.Add(time.Minute)
		create(t, s, key, record)
		left(t, server, key.ID, time.Minute)
		if _, err := s.Update(t.Context(), key, &runtime.Delta{Active: key.Now.Add(30 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
		left(t, server, key.ID, 30*time.Minute)
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		left(t, server, key.ID, runtime.MarkLife)
	}
}

// left demands that the server keeps a session for its life and a margin.
func left(t *testing.T, server *servertest.Redis, id runtime.ID, life time.Duration) {
	t.Helper()
	n, err := strconv.Atoi(command(t, server, "PTTL", nameOf(id)))
	got := time.Duration(n) * time.Millisecond
	if err != nil || got < life+4*time.Minute || got > life+5*time.Minute {
		t.Errorf("the server keeps a session with %v to live for %v, want 5 minutes more", life, got)
	}
}

func TestASessionStaysCompactInMemory(t *testing.T) {
	server := start(t)
	s := open(t, server.URL(), "duckgen:")
	key, record := realistic(1)
	create(t, s, key, record)
	for n := range byte(runtime.MaxEarlier) {
		renewed := runtime.Proof{100 + n}
		d := &runtime.Delta{
			Renewal: &runtime.Renewal{Kind: runtime.RenewalKind(n % 2), Proof: renewed, Grace: time.Minute},
			Ticket:  &runtime.Ticket{Proof: runtime.Proof{200}, Ends: key.Now.Add(time.Minute), Saw: runtime.Proof{201}},
		}
		if _, err := s.Update(t.Context(), key, d); err != nil {
			t.Fatal(err)
		}
		key.Proof = renewed
	}
	if got := command(t, server, "OBJECT", "ENCODING", nameOf(key.ID)); got != "listpack" {
		t.Errorf("a session with all that a record can have is kept as %s, want listpack", got)
	}
	t.Logf("%s bytes", command(t, server, "MEMORY", "USAGE", nameOf(key.ID)))
}

func TestSessionsEndWhereMemoryIsFull(t *testing.T) { onEveryForm(t, sessionsEndWhereMemoryIsFull) }

func sessionsEndWhereMemoryIsFull(t *testing.T, server *servertest.Redis, url, _ string) {
	s := open(t, url, "duckgen:")
	key, record := realistic(1)
	other, otherRecord := realistic(2)
	create(t, s, key, record)
	create(t, s, other, otherRecord)
	command(t, server, "CONFIG", "SET", "maxmemory", "1")
	if _, err := s.Update(t.Context(), key, oneField()); !errors.Is(err, runtime.ErrRefused) {
		t.Errorf("Update: %v, want %v", err, runtime.ErrRefused)
	}
	third, thirdRecord := session(3)
	if err := s.Create(t.Context(), third, thirdRecord); !errors.Is(err, runtime.ErrRefused) {
		t.Errorf("Create: %v, want %v", err, runtime.ErrRefused)
	}
	if r, err := s.Load(t.Context(), key); err != nil || !r.Entries.Equal(record.Entries) {
		t.Errorf("Load after a refused Update: %+v, %v", r, err)
	}
	if err := s.Delete(t.Context(), key); err != nil {
		t.Errorf("Delete: %v", err)
	}
	user := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "\x07"}
	if n, err := s.Revoke(t.Context(), user, key.Now); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v, want 1", n, err)
	}
	for _, key := range []runtime.Key{key, other} {
		if _, err := s.Load(t.Context(), now(key)); !errors.Is(err, runtime.ErrNotFound) {
			t.Errorf("Load of an ended session: %v", err)
		}
	}
}

func TestAUserNeedsNoMoreThanTheGuideSays(t *testing.T) {
	server := start(t)
	command(t, server, "ACL", "SETUSER", "shop", "on", ">secret", "+@hash", "+@set", "+@sortedset", "+@scripting",
		"+@pubsub", "+@keyspace", "+@connection", "+time", "+cluster|slots", "~duckgen:*", "&duckgen:*")
	s := cached(t, "redis://shop:secret@"+server.Address())
	changes := watch(t.Context(), t, s)
	key, record := realistic(1)
	create(t, s, key, record)
	if _, err := s.Update(t.Context(), key, oneField()); err != nil {
		t.Error(err)
	}
	user := runtime.IndexValue{Kind: record.Kind, Field: "user_id", Value: "\x07"}
	for _, err := range s.Find(t.Context(), user, key.Now) {
		if err != nil {
			t.Error(err)
		}
	}
	if n, err := s.Revoke(t.Context(), user, key.Now); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v, want 1", n, err)
	}
	wantChange(t, changes, runtime.Change{Kind: runtime.SessionEnded, ID: key.ID})
}

// TestARevocationPassesDamagedRecords checks S2.
func TestARevocationPassesDamagedRecords(t *testing.T) {
	onEveryForm(t, aRevocationPassesDamagedRecords)
}

func aRevocationPassesDamagedRecords(t *testing.T, server *servertest.Redis, url, _ string) {
	s := open(t, url, "duckgen:")
	now := time.Now().UTC().Truncate(time.Millisecond)
	const carriers = 300 // three pages of the index
	user := runtime.Entry{Key: "user_id", Kind: runtime.IndexedEntry, Value: "\x07"}
	createMany(t, s, carriers, now, func(int) runtime.Entries { return runtime.NewEntries(user) })
	damaged := []runtime.ID{numberedKey(3, now).ID, numberedKey(70, now).ID, numberedKey(200, now).ID}
	command(t, server, "HSET", nameOf(damaged[0]), ".h", "short")
	command(t, server, "HDEL", nameOf(damaged[1]), ".p")
	command(t, server, "DEL", nameOf(damaged[2]))
	command(t, server, "SET", nameOf(damaged[2]), "somebody else's")

	v := runtime.IndexValue{Kind: "example.com/shop/session.Visitor", Field: user.Key, Value: user.Value}
	n, err := s.Revoke(t.Context(), v, now)
	if n != carriers-len(damaged) || err == nil || errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("Revoke of %d sessions, %d of them damaged = %d, %v", carriers, len(damaged), n, err)
	}
	for _, id := range damaged {
		if err == nil || !strings.Contains(err.Error(), id.String()) {
			t.Errorf("Revoke does not name the damaged session %s: %v", id, err)
		}
	}
	for f, err := range s.Find(t.Context(), v, now) {
		t.Errorf("after the revocation Find yields %v, %v", f.ID, err)
	}
	mark := command(t, server, "EVAL", "return redis.call('KEYS', '*:revoked')[1]", "0")
	left, err := strconv.Atoi(command(t, server, "PTTL", mark))
	if life := time.Duration(left) * time.Millisecond; err != nil || life < runtime.RevocationLife || life > runtime.RevocationLife+5*time.Minute {
		t.Errorf("the mark %q lives for %v, %v, want a day and a margin", mark, life, err)
	}
	if got := command(t, server, "HGET", nameOf(damaged[0]), ".h") + command(t, server, "GET", nameOf(damaged[2])); got != "shortsomebody else's" {
		t.Errorf("the damaged records have become %q", got)
	}
}
