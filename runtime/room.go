package runtime

// commitRoom is all that most requests need to change their session and to
// commit that, in one allocation.
type commitRoom struct {
	context callContext
	pending [1]pending
	delta   Delta
	ops     [1]Op
	secret  secret // the new one, if the delta renews

	invitation string // the challenge that the delta stores; empty: none
}
