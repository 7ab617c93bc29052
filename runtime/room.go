package runtime

// commitRoom is all that most requests need to change their session and to
// commit that, in one allocation.
type commitRoom struct {
	pending [1]pending
	delta   Delta
	ops     [1]Op

	successor  *successor // of the token, if the delta renews
	invitation *challenge // that the delta stores; nil: none
}
