package runtime

// commitRoom is all that most requests need to change their session and to
// commit that, in one allocation.
type commitRoom struct {
	context *callContext // room for that of the commit; nil: none
	pending [1]pending
	delta   Delta
	ops     [1]Op

	successor  *successor // of the token, if the delta renews
	invitation *challenge // that the delta stores; nil: none
}

// newRoom returns room for a commit, with some for its context if the store may wait.
func (e *engine) newRoom() *commitRoom {
	room, context := withContext[commitRoom](e)
	room.context = context
	return room
}

// withContext allocates a T together with the context of a call of the store, which is
// nil if the store never waits.
func withContext[T any](e *engine) (*T, *callContext) {
	if e.atOnce {
		return new(T), nil
	}
	both := &struct {
		room    T
		context callContext
	}{}
	return &both.room, &both.context
}
