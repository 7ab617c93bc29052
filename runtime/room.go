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
	if e.atOnce {
		return &commitRoom{}
	}
	both := &struct {
		room    commitRoom
		context callContext
	}{}
	both.room.context = &both.context
	return &both.room
}
