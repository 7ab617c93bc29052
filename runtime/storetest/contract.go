package storetest

// contract is what Run checks, in order.
var contract = []clause{
	{"C1", []statement{
		{"an id is created once", createdOnce},
		{"of concurrent creates one wins", oneCreateWins},
	}},
	{"C2", []statement{
		{"a missing session is not updated", missingNotUpdated},
		{"an expired session is not updated", expiredNotUpdated},
		{"a wrong proof updates nothing", wrongProofNotUpdated},
	}},
	{"C3", []statement{
		{"a failed condition changes nothing", failedCondition},
		{"a condition that holds is no obstacle", heldCondition},
		{"a condition minds its own entry only", conditionPerEntry},
		{"of concurrent writes under one condition one wins", concurrentConditions},
		{"of concurrent claims one wins", concurrentClaims},
	}},
	{"C4", []statement{
		{"a session is deleted twice without an error", deletedTwice},
		{"a missing session is deleted without an error", missingDeleted},
	}},
	{"C5", []statement{
		{"an update does not revive", updateDoesNotRevive},
		{"a create does not revive", createDoesNotRevive},
		{"an update at the same moment does not revive", racingUpdateDoesNotRevive},
		{"running requests learn of the end for a minute", endIsMarked},
	}},
	{"C6", []statement{
		{"a session lives until it expires and no longer", livesUntilExpiry},
	}},
	{"C7", []statement{
		{"activity extends a life", activityExtends},
		{"activity never shortens a life", activityNeverShortens},
		{"activity never passes the deadline", activityWithinDeadline},
		{"activity touches nothing else", activityTouchesNothing},
		{"of concurrent activities the latest counts", latestActivityCounts},
		{"a new deadline moves the end", newDeadline},
		{"the last use is recorded with the idle limit and never moves back", lastUse},
		{"an idle limit of its own takes the place of the configured one", ownIdleLimit},
		{"the persistence of the cookie is kept", keepsPersistence},
	}},
	{"C8", []statement{
		{"of 64 renewals one wins and all data counts", oneRenewalWins},
		{"the old token cannot undo a renewal", renewalStays},
		{"a sign-in needs the current token, or the same user", signInNeedsCurrent},
		{"of 64 sign-ins of different users one wins", oneSignInWins},
		{"sign-ins of the same user join", sameUserJoins},
		{"a renewal that nobody learnt of can be repeated", lostRenewal},
	}},
	{"C9", []statement{
		{"a wrong proof reaches nothing", wrongProofReachesNothing},
		{"a renewed token works for the grace", renewedTokenWorks},
		{"a token reused after the grace ends the session", reuseEndsSession},
		{"a token held by a running request is no reuse", heldIsNoReuse},
		{"only the first presentation counts", firstPresentationCounts},
		{"a live connection does not present", liveDoesNotPresent},
		{"a sign-in ends the old token at once", signInEndsToken},
		{"a sign-out bars the sign-ins that arrived before", signOutIsFinal},
		{"a sign-out by an earlier token ends all others", signOutByEarlier},
		{"a request that arrived in time may end the session", lateEnd},
		{"four earlier tokens are remembered", earlierRemembered},
		{"no renewal forgets a token that may be in use", keepsInUse},
		{"a token of the family that is forgotten is reuse", forgottenIsReuse},
		{"a ticket is redeemed once", ticketOnce},
		{"a redemption keeps the connection's token", redemptionKeepsTheConnection},
		{"a ticket goes with a renewal alone", onlyRenewalsHaveTickets},
		{"of concurrent redemptions one wins", oneRedemptionWins},
		{"a ticket is redeemed for its browser only", ticketForBrowser},
		{"a ticket ends with its token", ticketEndsWithToken},
		{"a ticket that alone delivers a session bounds it", soleTicket},
	}},
	{"C10", []statement{
		{"the carriers of a value are found", findCarriers},
		{"the index follows the sessions", findFollows},
		{"a search leaves the store free", findLeavesFree},
		{"a revocation ends the carriers and nobody else", revokeEndsCarriers},
		{"a revocation bars requests that arrived before", revokeBars},
		{"a login at the same moment does not escape", revokeRace},
	}},
	{"C11", []statement{
		{"disjoint entries written at once survive", disjointSurvive},
		{"counters are exact", countersExact},
		{"a counter is removed, replaced and kept as it should", counterRules},
		{"clearing a field removes all its entries and no other", clearField},
	}},
	{"C12", []statement{
		{"changes to a created record are not seen", createCopies},
		{"changes to a delta are not seen", updateCopies},
		{"changes to a loaded record are not seen", loadCopies},
	}},
	{"C13", []statement{
		{"a cancelled context changes nothing", cancelledBefore},
		{"a context cancelled meanwhile leaves all or nothing", cancelledMeanwhile},
	}},
	{"C14", []statement{
		{"values and keys are binary-safe", binarySafe},
		{"a value of 1 MiB is kept", largeValue},
		{"a counter has the range of int64", counterRange},
		{"a size limit holds", sizeLimit},
		{"a size limit holds against concurrent writes", sizeLimitConcurrent},
		{"of several fields that are too large the first is named", firstIsNamed},
	}},
	{"C15", []statement{
		{"only what has expired is swept", sweepExpired},
		{"others work during a sweep", sweepMeanwhile},
	}},
	{"C16", []statement{
		{"kill -9 leaves a whole record", killed},
	}},
	{"C17", []statement{
		{"a clock set back shortens no life", clockBack},
		{"a clock that jumps ahead takes no session", clockAhead},
		{"a clock set back revives nothing", clockBackNoRevival},
	}},
	{"C18", []statement{
		{"an outage is reported as such", outage},
	}},
	{"C19", []statement{
		{"a concurrent history is linearizable", linearizable},
	}},
	{"C20", []statement{
		{"closing leaves no goroutine", closes},
	}},
	{"C21", []statement{
		{"random histories are what the methods of a record make of them", randomHistories},
		{"a short way leads where the full one does", shortWays},
	}},
	{"C22", []statement{
		{"a revocation by a process with another clock bars what arrived before", revokedElsewhere},
		{"a sign-in by a process with another clock ends the old token", supersededElsewhere},
		{"a token renewed by a process with another clock works for the grace", renewedElsewhere},
		{"a session lives as long by every clock", livesElsewhere},
		{"an end by a process with another clock is known by who arrived before", endedElsewhere},
		{"a process reads times by its own clock", timesElsewhere},
	}},
	{"C23", []statement{
		{"a watcher that has lost its connection says so and hears again", watchesAgain},
		{"a watcher begins after another has lost its connection", watchesAfterLoss},
	}},
	{"C24", []statement{
		{"all sessions of a kind are listed, and no other", listsAll},
		{"a session is found by its id", findsByID},
		{"a revocation of all ends every session of the kind and no other", revokesAll},
		{"a revocation of all bars what arrived before from beginning a session", revokeAllBars},
		{"a session that begins at the same moment does not escape", revokeAllRace},
	}},
	{"C25", []statement{
		{"the sessions of a value are trimmed to those used last", trims},
		{"of 64 sign-ins at once exactly the limit stays", trimRace},
	}},
}
