package runtime

import "time"

// identity is which stored session a Session stands for, and with what right.
type identity struct {
	id        ID     // of the record, or kept for the one to be created
	secret    hidden // opens the record, if known
	proof     Proof  // of the token's secret; zero until it is first presented
	family    Family // of the token's secret, if that is known
	hasToken  bool   // there is a token, and it has not been found unknown
	issued    bool   // by this program: no browser has presented it yet
	confirmed bool   // the store has confirmed the token to this request or connection
	found     bool   // by an index: the proof is at hand and its secret is not
}

// adopt makes the token, whose proof and family are given, the one that the session presents.
func (i *identity) adopt(t token, p Proof, f Family) {
	i.id, i.secret, i.hasToken = t.id, t.secret.hide(), true
	i.proof, i.family = p, f
}

// token returns what opens the record.
func (i *identity) token() token { return token{i.id, i.secret.show()} }

// present returns the proof of the token. The secret that a cookie brought is
// hashed at its first use: most requests do not touch their session.
func (i *identity) present(kind string) Proof {
	if i.hasToken && i.proof == (Proof{}) {
		secret := i.secret.show()
		i.proof, i.family = secret.proof(kind), secret.family(kind)
	}
	return i.proof
}

func (i *identity) handle() string {
	if i.id == (ID{}) {
		return ""
	}
	return i.id.String()
}

// key presents an identity to the store.
func (s *Session) key(i *identity, now time.Time) Key {
	return Key{
		ID:     i.id,
		Proof:  i.present(s.engine.kind),
		Family: i.family,
		Now:    now,
		Age:    now.Sub(epoch) - s.arrived,
		Held:   i.confirmed || i.issued || s.live != nil,
		Live:   i.issued || i.found || s.live != nil,
	}
}

// issue makes the token of a session to be created: under the id that was reserved
// for it, if one was.
func (s *Session) issue() identity {
	switch {
	case s.reserved != nil:
		s.id, s.reserved = *s.reserved, nil
	case s.id == (ID{}):
		s.id = newID()
	}
	fresh := identity{issued: true}
	secret := newSecret()
	fresh.adopt(token{s.id, secret}, secret.proof(s.engine.kind), secret.family(s.engine.kind))
	return fresh
}

// ids returns the id that the store has confirmed, and the one that a session will
// be created under, in place of this one if need be.
func (s *Session) ids() []ID {
	if s.reserved == nil {
		id := newID()
		s.reserved = &id
	}
	if !s.hasToken {
		s.id = *s.reserved
	}
	if !s.confirmed {
		return []ID{*s.reserved}
	}
	return []ID{s.id, *s.reserved}
}
