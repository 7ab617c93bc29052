package storetest

import (
	"strconv"
	"time"

	"github.com/duckgen/duckgen/runtime"
)

// C8 and C9: which token opens a session, while renewals race and afterwards.

func renewal(to session) *runtime.Delta {
	return &runtime.Delta{Renewal: &runtime.Renewal{Proof: to.proof, Grace: grace}}
}

// signOut returns the delta that signs a user out.
func signOut(to session) *runtime.Delta {
	d := renewal(to)
	d.Renewal.Kind = runtime.RenewSignOut
	d.Ops = []runtime.Op{{Kind: runtime.OpRemove, Entry: runtime.Entry{Key: "user_id"}}}
	return d
}

// signIn returns the delta that signs a user in.
func (k *kit) signIn(to session, user string) *runtime.Delta {
	login := k.indexedEntry("user_id", user)
	d := set(login)
	d.SignIn = &runtime.SignIn{
		Fields: []runtime.SignInField{{Key: login.Key, Value: login.Value, Identity: true}},
		Joins:  true,
	}
	d.Renewal = &runtime.Renewal{Kind: runtime.RenewSignIn, Proof: to.proof, Family: runtime.Family(to.proof[:8]), Grace: grace}
	return d
}

func oneRenewalWins(k *kit) {
	for range k.rounds(10) {
		s := k.create()
		next := make([]session, 64)
		results := make([]*runtime.Result, len(next))
		errs := make([]error, len(next))
		for i := range next {
			next[i] = s.with(newProof())
		}
		together(len(next), func(i int) {
			d := renewal(next[i])
			d.Ops = add("views", 1).Ops
			results[i], errs[i] = k.store.Update(k.Context(), k.key(s), d)
		})
		winner := -1
		for i, err := range errs {
			switch {
			case err != nil:
				k.Fatalf("a concurrent renewal: %v", err)
			case results[i].Won && winner >= 0:
				k.Fatalf("two of 64 concurrent renewals won")
			case results[i].Won:
				winner = i
			}
		}
		if winner < 0 {
			k.Fatalf("none of 64 concurrent renewals won")
		}
		k.holds("64 concurrent renewals", next[winner], counter("views", 64))
		k.gone("a renewal that lost", next[(winner+1)%len(next)])
	}
}

func renewalStays(k *kit) {
	old := k.create()
	current, late := old.with(newProof()), old.with(newProof())
	k.later(time.Hour)
	result := k.update(k.key(old), renewal(current))
	if !result.Won || !result.Current {
		k.Errorf("a renewal with the current token: got Won %v, Current %v, want both", result.Won, result.Current)
	}
	k.at("the result's renewal", result.Renewed, k.now)
	d := renewal(late)
	d.Ops = set(k.entry("theme", "dark")).Ops
	result = k.update(k.key(old), d)
	if result.Won || result.Current {
		k.Errorf("a renewal with the old token: got Won %v, Current %v, want neither", result.Won, result.Current)
	}
	k.holds("a renewal with the old token", current, k.entry("theme", "dark"))
	k.gone("a renewal with the old token", late)
}

// signInNeedsCurrent checks T2.
func signInNeedsCurrent(k *kit) {
	login := k.indexedEntry("user_id", "8")
	old := k.create(k.entry("theme", "dark"), login)
	current := old.with(newProof())
	k.update(k.key(old), renewal(current))
	before := k.load(current)
	k.want("a sign-in as somebody else with a token that is not current",
		k.updateErr(k.key(old), k.signIn(old.with(newProof()), "7")), runtime.ErrSuperseded)
	k.same("after a refused sign-in", k.load(current), before)
	again := old.with(newProof())
	k.update(k.key(old), k.signIn(again, "8"))
	k.holds("a sign-in as the same user with an earlier token", again, k.entry("theme", "dark"), login)
	k.want("Load with the token that was current", k.loadErr(k.key(current)), runtime.ErrSuperseded)

	vacant, _ := k.renewed()
	first := vacant.with(newProof())
	k.update(k.key(vacant), k.signIn(first, "7"))
	k.holds("a sign-in with an earlier token where nobody is signed in", first, k.indexedEntry("user_id", "7"))

	former, _ := k.renewed(k.indexedEntry("user", "8"))
	d := k.signIn(former.with(newProof()), "7")
	d.SignIn.Fields[0].Was = "user"
	k.want("a sign-in as somebody else than an earlier key says", k.updateErr(k.key(former), d), runtime.ErrSuperseded)
	d = k.signIn(former.with(newProof()), "8")
	d.SignIn.Fields[0].Was = "user"
	k.update(k.key(former), d)
}

// renewed creates a session whose token has been renewed and presented.
func (k *kit) renewed(entries ...runtime.Entry) (old, current session) {
	k.Helper()
	old = k.create(entries...)
	current = old.with(newProof())
	k.update(k.key(old), renewal(current))
	k.load(current)
	return old, current
}

// lostRenewal checks what T2 and T4 say of a token whose successor nobody has
// presented.
func lostRenewal(k *kit) {
	old := k.create()
	k.update(k.key(old), renewal(old.with(newProof())))
	next := old.with(newProof())
	if result := k.update(k.key(old), renewal(next)); result.Won {
		k.Errorf("a token renews twice within the grace")
	}
	k.later(grace)
	if result := k.update(k.key(old), renewal(next)); !result.Won {
		k.Errorf("a token does not renew again after the grace, although nobody has presented its successor")
	}
	signedIn := old.with(newProof())
	k.update(k.key(old), k.signIn(signedIn, "7"))
	k.holds("a sign-in with a token whose successors nobody has presented", signedIn, k.indexedEntry("user_id", "7"))
}

func oneSignInWins(k *kit) {
	for range k.rounds(10) {
		s := k.create()
		next := make([]session, 64)
		errs := make([]error, len(next))
		for i := range next {
			next[i] = s.with(newProof())
		}
		together(len(next), func(i int) {
			d := k.signIn(next[i], strconv.Itoa(i))
			d.Ops = append(d.Ops, add("views", 1).Ops...)
			errs[i] = k.updateErr(k.key(s), d)
		})
		won := 0
		for i, err := range errs {
			if err != nil {
				k.want("a sign-in that lost", err, runtime.ErrSuperseded)
				continue
			}
			won++
			k.holds("64 concurrent sign-ins", next[i], k.indexedEntry("user_id", strconv.Itoa(i)), counter("views", 1))
		}
		if won != 1 {
			k.Fatalf("%d of 64 concurrent sign-ins won, want 1", won)
		}
	}
}

// sameUserJoins checks T8.
func sameUserJoins(k *kit) {
	for range k.rounds(5) {
		s := k.create()
		next := make([]session, 16)
		for i := range next {
			next[i] = s.with(newProof())
		}
		errs := make([]error, len(next))
		together(len(next), func(i int) {
			d := k.signIn(next[i], "7")
			d.Ops = append(d.Ops, add("views", 1).Ops...)
			errs[i] = k.updateErr(k.key(s), d)
		})
		for _, err := range errs {
			k.want("a concurrent sign-in of the same user", err, nil)
		}
	}
	old := k.create()
	first, second := old.with(newProof()), old.with(newProof())
	k.update(k.key(old), k.signIn(first, "7"))
	k.update(k.key(old), k.signIn(second, "7"))
	k.update(k.key(old), k.signIn(old.with(newProof()), "7"))
	k.load(second)
	k.later(time.Hour)
	k.holds("an hour after a third sign-in", first, k.indexedEntry("user_id", "7"))
	k.holds("an hour after a third sign-in", second, k.indexedEntry("user_id", "7"))
	late := old.with(newProof())
	k.update(k.key(old), k.signIn(late, "7"))
	k.holds("a retried sign-in an hour later", late, k.indexedEntry("user_id", "7"))
	k.want("Load with the token of before", k.loadErr(k.key(second)), runtime.ErrSuperseded)
}

// signOutIsFinal checks T3 and T9.
func signOutIsFinal(k *kit) {
	old := k.create()
	in, out := old.with(newProof()), old.with(newProof())
	k.later(time.Second)
	k.at("SignedIn after a sign-in", k.update(k.key(old), k.signIn(in, "7")).SignedIn, k.now)
	k.later(time.Second)
	if result := k.update(k.key(in), signOut(out)); !result.Won || !result.SignedIn.IsZero() {
		k.Errorf("a sign-out: won %v, signed in %v", result.Won, result.SignedIn)
	}
	k.later(time.Second)
	err := k.updateErr(k.running(old, 1500*time.Millisecond), k.signIn(old.with(newProof()), "7"))
	k.want("a sign-in that arrived before a sign-out", err, runtime.ErrSignedOut)
	k.holds("a sign-in that arrived before a sign-out", out)
}

// signOutByEarlier checks T2.
func signOutByEarlier(k *kit) {
	old := k.create(k.indexedEntry("user_id", "7"))
	current, out := old.with(newProof()), old.with(newProof())
	k.update(k.key(old), renewal(current))
	k.holds("a renewal", current, k.indexedEntry("user_id", "7"))
	if result := k.update(k.key(old), signOut(out)); !result.Won || !result.Current {
		k.Errorf("a sign-out by an earlier token: won %v, current %v", result.Won, result.Current)
	}
	for _, s := range []session{old, current} {
		k.want("Load after a sign-out by an earlier token", k.loadErr(k.key(s)), runtime.ErrSuperseded)
	}
	k.holds("a sign-out by an earlier token", out)
}

// lateEnd checks T4: nobody stays signed in who was told otherwise.
func lateEnd(k *kit) {
	for what, end := range map[string]func(key runtime.Key, out session) error{
		"Delete":     func(key runtime.Key, _ session) error { return k.store.Delete(k.Context(), key) },
		"a sign-out": func(key runtime.Key, out session) error { return k.updateErr(key, signOut(out)) },
	} {
		old := k.create(k.indexedEntry("user_id", "7"))
		current := old.with(newProof())
		k.update(k.key(old), renewal(current))
		k.holds("a renewal", current, k.indexedEntry("user_id", "7"))
		k.later(2 * grace)
		late := k.running(old, grace+time.Second)
		k.want("Update by a request that has waited", k.updateErr(late, add("views", 1)), runtime.ErrNotFound)
		k.want(what+" by a request that has waited", end(late, old.with(newProof())), nil)
		if err := k.loadErr(k.key(current)); err == nil {
			k.Errorf("%s by a request that has waited leaves the user signed in", what)
		}
	}
}

// renewOften renews as often as a record remembers, and returns all tokens. It has
// no room then.
func (k *kit) renewOften() (tokens []session) {
	tokens = append(tokens, k.create())
	for range runtime.MaxEarlier {
		last := tokens[len(tokens)-1]
		next := last.with(newProof())
		k.update(k.key(last), ofFamily(tokens[0], renewal(next)))
		tokens = append(tokens, next)
	}
	return tokens
}

// ofFamily makes the token of a renewal one of the family of another.
func ofFamily(s session, d *runtime.Delta) *runtime.Delta {
	d.Renewal.Family = runtime.Family(s.proof[:8])
	return d
}

// forgottenIsReuse checks T12.
func forgottenIsReuse(k *kit) {
	forgotten, last := k.forgotten()
	family := forgotten.Family
	forgotten.Family = runtime.Family{}
	k.want("Load with a forgotten token of no family", k.loadErr(forgotten), runtime.ErrNotFound)
	forgotten.Family, forgotten.Held = family, true
	k.want("Load with a forgotten token that is held", k.loadErr(forgotten), runtime.ErrNotFound)
	forgotten.Held = false
	forgotten.Age = 2 * time.Second
	k.want("Load by a request that arrived before its token was forgotten", k.loadErr(forgotten), runtime.ErrNotFound)
	forgotten.Age = 0
	k.want("Load with a forgotten token", k.loadErr(forgotten), runtime.ErrReused)
	k.gone("a forgotten token", last)

	forgotten, last = k.forgotten()
	forgotten.Age, forgotten.Held = 2*time.Second, true
	if err := k.store.Delete(k.Context(), forgotten); err != nil {
		k.Errorf("Delete by a request that arrived before its token was forgotten: %v", err)
	}
	k.gone("a Delete by a request that arrived before its token was forgotten", last)
}

// forgotten returns the key of a token that its session has forgotten a second ago, and
// the session with its last token.
func (k *kit) forgotten() (runtime.Key, session) {
	k.Helper()
	tokens := k.renewOften()
	first, last := tokens[0], tokens[runtime.MaxEarlier].with(newProof())
	k.later(grace)
	k.update(k.key(tokens[runtime.MaxEarlier]), ofFamily(first, renewal(last)))
	k.later(time.Second)
	key := k.key(first)
	key.Family = runtime.Family(first.proof[:8])
	return key, last
}

func wrongProofReachesNothing(k *kit) {
	s := k.create(k.entry("theme", "dark"))
	thief := s.with(newProof())
	k.gone("a wrong proof", thief)
	if err := k.store.Delete(k.Context(), k.key(thief)); err != nil {
		k.Errorf("Delete with a wrong proof: %v", err)
	}
	k.holds("a Delete with a wrong proof", s, k.entry("theme", "dark"))
	k.gone("the zero proof", s.with(runtime.Proof{}))
}

// renewedTokenWorks checks T4.
func renewedTokenWorks(k *kit) {
	old := k.create()
	current := old.with(newProof())
	k.update(k.key(old), renewal(current))
	k.later(time.Hour)
	k.holds("an hour after a renewal that nobody presented", old)
	k.load(current)
	k.later(grace - time.Millisecond)
	k.update(k.key(old), add("views", 1))
	k.holds("the end of the grace", old, counter("views", 1))
	k.holds("the end of the grace", current, counter("views", 1))
}

// reuseEndsSession checks T5 for each operation.
func reuseEndsSession(k *kit) {
	operations := map[string]func(runtime.Key) error{
		"Load":   k.loadErr,
		"Update": func(key runtime.Key) error { return k.updateErr(key, add("views", 1)) },
		"Delete": func(key runtime.Key) error { return k.store.Delete(k.Context(), key) },
	}
	for name, operate := range operations {
		old := k.create()
		current := old.with(newProof())
		k.update(k.key(old), renewal(current))
		k.update(k.key(current), add("views", 1))
		k.later(grace)
		k.want(name+" with a reused token", operate(k.key(old)), runtime.ErrReused)
		k.gone(name+" with a reused token", current)
	}
}

func heldIsNoReuse(k *kit) {
	old := k.create()
	current := old.with(newProof())
	k.update(k.key(old), renewal(current))
	k.load(current)
	k.later(2 * grace)
	held := k.key(old)
	held.Held = true
	k.want("Load with a token held by a live connection", k.loadErr(held), runtime.ErrNotFound)
	k.want("Update by a request that arrived in the grace",
		k.updateErr(k.running(old, grace+time.Millisecond), add("views", 1)), runtime.ErrNotFound)
	k.holds("a late use of a held token", current)
}

func firstPresentationCounts(k *kit) {
	old := k.create()
	current := old.with(newProof())
	k.update(k.key(old), renewal(current))
	k.load(current)
	k.later(grace / 2)
	k.load(current)
	k.later(grace / 2)
	k.want("Load with the old token a grace after the first presentation", k.loadErr(k.key(old)), runtime.ErrReused)
}

func liveDoesNotPresent(k *kit) {
	old := k.create()
	current := old.with(newProof())
	k.update(k.key(old), renewal(current))
	live := k.key(current)
	live.Live = true
	if err := k.loadErr(live); err != nil {
		k.Fatalf("Load by a live connection: %v", err)
	}
	k.update(live, add("views", 1))
	k.later(time.Hour)
	k.holds("an hour after a live connection alone used the new token", old, counter("views", 1))
}

// signInEndsToken checks T3.
func signInEndsToken(k *kit) {
	old := k.create()
	current := old.with(newProof())
	k.later(time.Hour)
	k.update(k.key(old), k.signIn(current, "7"))
	k.later(2 * time.Second)
	early := k.running(old, 5*time.Second)
	k.want("Load with the old token after a sign-in", k.loadErr(k.key(old)), runtime.ErrSuperseded)
	k.want("Update with the old token after a sign-in", k.updateErr(k.key(old), add("views", 1)), runtime.ErrSuperseded)
	k.want("Delete with the old token after a sign-in", k.store.Delete(k.Context(), k.key(old)), runtime.ErrSuperseded)
	k.want("Load by a request that arrived before the sign-in", k.loadErr(early), runtime.ErrSuperseded)
	k.want("Update by a request that arrived before the sign-in", k.updateErr(early, add("views", 1)), runtime.ErrSuperseded)
	k.later(grace)
	k.gone("the grace after a sign-in", old)
	k.want("Update by a request that arrived within the grace",
		k.updateErr(k.running(old, time.Hour), add("views", 1)), runtime.ErrSuperseded)
	k.holds("the grace after a sign-in", current, k.indexedEntry("user_id", "7"))
}

// earlierRemembered checks S1.
func earlierRemembered(k *kit) {
	tokens := k.renewOften()
	for _, s := range tokens {
		k.holds("four renewals", s)
	}
	k.later(grace)
	k.want("Load with the oldest token that is remembered", k.loadErr(k.key(tokens[0])), runtime.ErrReused)
}

// keepsInUse checks T12: a renewal more does not take place until the oldest token is
// of no use any more.
func keepsInUse(k *kit) {
	tokens := k.renewOften()
	last, next := tokens[runtime.MaxEarlier], tokens[0].with(newProof())
	d := ofFamily(tokens[0], renewal(next))
	d.Ops = add("views", 1).Ops
	if result := k.update(k.key(last), d); result.Won || !result.Current {
		k.Errorf("a renewal that would forget a token in use: won %v, current %v", result.Won, result.Current)
	}
	k.gone("a renewal that did not take place", next)
	for _, s := range tokens {
		k.holds("a renewal that did not take place", s, counter("views", 1))
	}
	k.later(grace)
	if result := k.update(k.key(last), d); !result.Won {
		k.Errorf("a renewal that forgets a token of no use: won %v", result.Won)
	}
	k.holds("a renewal that forgets a token of no use", next, counter("views", 2))

	// One that was replaced long ago is in use until a grace after its successor came.
	first := k.create()
	last = first
	for n := range runtime.MaxEarlier {
		next = last.with(newProof())
		k.update(k.key(last), ofFamily(first, renewal(next)))
		if last = next; n == 0 {
			k.later(time.Hour)
		}
	}
	d = ofFamily(first, renewal(last.with(newProof())))
	if result := k.update(k.key(last), d); result.Won {
		k.Errorf("a renewal forgets a token whose successor has just come")
	}
	k.holds("a token whose successor has just come", first)
	k.later(grace)
	if result := k.update(k.key(last), d); !result.Won {
		k.Errorf("a renewal that forgets a token whose successor came a grace ago: won %v", result.Won)
	}
}

// ticketKey returns the key of a request that redeems a ticket.
func (k *kit) ticketKey(s session, t *runtime.Ticket) runtime.Key {
	key := k.key(s.with(t.Proof))
	key.Ticket = true
	return key
}

// ticketed stores a session with a ticket for a browser without a cookie. It returns
// the session by the token that the ticket's connection has.
func (k *kit) ticketed(sole bool) (session, *runtime.Ticket) {
	k.Helper()
	t := &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace), Sole: sole}
	return k.deliver(k.create(), t), t
}

// deliver renews by a live connection, which gets a ticket.
func (k *kit) deliver(s session, t *runtime.Ticket) session {
	k.Helper()
	next := s.with(newProof())
	d := renewal(next)
	d.Ticket = t
	k.update(k.key(s), d)
	return next
}

func redeem(to session) *runtime.Delta {
	d := renewal(to)
	d.Renewal.Kind = runtime.RenewJoin
	d.Redeem = &runtime.Redemption{}
	return d
}

// redemptionKeepsTheConnection checks L2: the token that a ticket replaces stays as
// good as the new one until another renewal.
func redemptionKeepsTheConnection(k *kit) {
	conn, t := k.ticketed(false)
	browser := conn.with(newProof())
	k.update(k.ticketKey(conn, t), redeem(browser))
	k.holds("the browser's token", browser)
	k.later(time.Hour)
	if result := k.update(k.key(conn), set(k.entry("theme", "dark"))); !result.Current {
		k.Errorf("a connection whose ticket was redeemed an hour ago writes with a token that is not current")
	}
	k.holds("the browser's token beside the connection's", browser, k.entry("theme", "dark"))

	again := &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace), Saw: conn.proof}
	conn = k.deliver(conn, again)
	d := redeem(conn.with(newProof()))
	d.Redeem.Presented = browser.proof
	k.update(k.ticketKey(conn, again), d)
	k.holds("the connection's second token", conn, k.entry("theme", "dark"))

	elsewhere := conn.with(newProof())
	browser.proof = d.Renewal.Proof
	k.update(k.key(browser), k.signIn(elsewhere, "7"))
	k.want("a connection after a sign-in elsewhere", k.loadErr(k.key(conn)), runtime.ErrSuperseded)
}

// onlyRenewalsHaveTickets checks that a delta without a renewal stores no ticket: the
// token may be in a browser, and would be a connection's, too.
func onlyRenewalsHaveTickets(k *kit) {
	s := k.create()
	t := &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace)}
	k.update(k.key(s), &runtime.Delta{Ticket: t})
	k.want("a redemption of a ticket without a renewal",
		k.updateErr(k.ticketKey(s, t), redeem(s.with(newProof()))), runtime.ErrNotFound)
	k.holds("a delta whose ticket has no renewal", s)
}

// ticketOnce checks S4 and L3.
func ticketOnce(k *kit) {
	s, t := k.ticketed(false)
	key := k.ticketKey(s, t)
	k.want("Load with a ticket", k.loadErr(key), runtime.ErrNotFound)
	k.gone("a ticket as a token", s.with(t.Proof))
	next := s.with(newProof())
	if result := k.update(key, redeem(next)); !result.Won {
		k.Errorf("a redemption did not renew the token")
	}
	k.holds("a redemption", next)
	k.want("a second redemption", k.updateErr(key, redeem(s.with(newProof()))), runtime.ErrNotFound)
	s, t = k.ticketed(false)
	k.later(grace)
	k.want("a redemption too late", k.updateErr(k.ticketKey(s, t), redeem(s.with(newProof()))), runtime.ErrNotFound)
	k.holds("a redemption too late", s)
}

func oneRedemptionWins(k *kit) {
	for range k.rounds(20) {
		s, t := k.ticketed(false)
		errs := make([]error, 16)
		together(len(errs), func(i int) {
			errs[i] = k.updateErr(k.ticketKey(s, t), redeem(s.with(newProof())))
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			k.want("a redemption that lost", err, runtime.ErrNotFound)
		}
		if won != 1 {
			k.Fatalf("%d of 16 concurrent redemptions of one ticket won, want 1", won)
		}
	}
}

func ticketForBrowser(k *kit) {
	s, t := k.ticketed(false)
	stranger := redeem(s.with(newProof()))
	stranger.Redeem.Live = true
	k.want("a redemption by a browser with another live session",
		k.updateErr(k.ticketKey(s, t), stranger), runtime.ErrConflict)
	k.want("a ticket without a redemption",
		k.updateErr(k.ticketKey(s, t), renewal(s.with(newProof()))), runtime.ErrConflict)
	bound := &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace), Saw: s.proof}
	saw := s.proof
	s = k.deliver(s, bound)
	next := s.with(newProof())
	d := redeem(next)
	k.want("a redemption by a browser that lost the cookie", k.updateErr(k.ticketKey(s, bound), d), runtime.ErrConflict)
	k.gone("a refused redemption", next)
	d.Redeem = &runtime.Redemption{Presented: newProof(), Same: []runtime.Proof{newProof(), saw}, Live: true}
	k.update(k.ticketKey(s, bound), d)
	k.holds("the redemption by the browser that the handshake saw", next)

	old, current := k.renewed()
	bound = &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace), Saw: old.proof}
	k.deliver(current, bound)
	d = redeem(old.with(newProof()))
	d.Redeem.Presented = current.proof
	k.update(k.ticketKey(old, bound), d)
}

func ticketEndsWithToken(k *kit) {
	old, ticket := k.ticketed(false)
	current := old.with(newProof())
	k.update(k.key(old), k.signIn(current, "7"))
	next := old.with(newProof())
	k.want("a redemption after a sign-in", k.updateErr(k.ticketKey(old, ticket), redeem(next)), runtime.ErrNotFound)
	k.holds("a redemption after a sign-in", current, k.indexedEntry("user_id", "7"))

	plain := current.with(newProof())
	k.update(k.key(current), renewal(plain))
	lost := renewal(next)
	lost.Ticket = &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace)}
	k.update(k.key(current), lost)
	k.want("a redemption of a renewal that lost",
		k.updateErr(k.ticketKey(old, lost.Ticket), redeem(next)), runtime.ErrNotFound)
	k.holds("a redemption of a renewal that lost", plain, k.indexedEntry("user_id", "7"))
}

func soleTicket(k *kit) {
	s, t := k.ticketed(true)
	k.at("the expiry of a session that only a ticket delivers", k.load(s).Expires, t.Ends)
	next := s.with(newProof())
	d := redeem(next)
	d.Active = k.now.Add(idle)
	k.update(k.ticketKey(s, t), d)
	k.at("the expiry of a delivered session", k.load(next).Expires, k.now.Add(idle))

	s, _ = k.ticketed(true)
	t = &runtime.Ticket{Proof: newProof(), Ends: k.now.Add(grace / 2), Saw: s.proof}
	s = k.deliver(s, t)
	k.at("the expiry once the only ticket was replaced", k.load(s).Expires, t.Ends)
	next = s.with(newProof())
	k.update(k.ticketKey(s, t), redeem(next)) // by a browser like the first one's
	k.holds("the redemption of a ticket that replaced the only one", next)

	s, t = k.ticketed(false)
	if err := k.store.Delete(k.Context(), k.ticketKey(s, t)); err != nil {
		k.Errorf("Delete with a ticket: %v", err)
	}
	k.holds("a Delete with a ticket that is not the only way", s)
	s, t = k.ticketed(true)
	if err := k.store.Delete(k.Context(), k.ticketKey(s, t)); err != nil {
		k.Errorf("Delete with the only ticket: %v", err)
	}
	k.gone("a Delete with the only ticket", s)
}
