package runtime

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

// identity returns the token as what a session presents.
func (t token) identity(kind string) (i identity) {
	i.adopt(t, t.secret.proof(kind), t.secret.family(kind))
	return i
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

// An opened session is one that a token of several has opened.
type opened struct {
	token  token
	record *Record
}

// A contest is between the sessions of several cookies that are live. Which one is the
// visitor's, nobody can tell, as somebody may have planted the others: a request has
// none of them, but who signs out leaves all.
type contest struct{ sessions []opened }
