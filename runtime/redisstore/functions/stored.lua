-- What an operation answers, and how a key and a record are packed. Times are
-- microseconds since 1970, which a double holds exactly.

local OK, NOT_FOUND, EXISTS, CONFLICT, TOO_LARGE, OVERFLOW = 0, 1, 2, 3, 4, 5
local SUPERSEDED, SIGNED_OUT, REUSED, ENDED, WITHDRAWN, OTHER_KIND, DAMAGED = 6, 7, 8, 9, 10, 11, 12

-- What came of a commit, as a sum.
local CROWDED, WON, CURRENT = 1, 2, 4

-- Why a proof is replaced, as runtime.RenewalKind has it.
local PLAIN_RENEWAL, SIGN_IN, SIGN_OUT, JOIN = 0, 1, 2, 3

-- What an operation is for: the last one ends the session, or the user's being signed
-- in to it.
local TO_READ, TO_WRITE, TO_END = 0, 1, 2

local KEY = '>i8i8Bc32c8'        -- now, arrived; flags; proof, family
-- created, renewed, signed in, deadline, expires, ended, used; size; earlier proofs;
-- what is pending, and the persistence as multiples of ALL_PENDING
local HEAD = '>i8i8i8i8i8i8i8I4BB'
local EARLIER = '>Bi8i8i8'       -- by, ended, presented, grace; after the proof
local TICKET = '>Bi8'            -- sole, ends; after the proof
-- What may be pending, as a sum: a ticket, an earlier proof whose successor was
-- not presented yet.
local TICKET_PENDING, PRESENTATION_PENDING, ALL_PENDING = 1, 2, 4

-- The flags of a key, as a sum.
local TICKET_FLAG, HELD_FLAG, LIVE_FLAG, CLIENT_CLOCK_FLAG = 1, 2, 4, 8

local KEY_SIZE, HEAD_SIZE, EARLIER_SIZE, TICKET_SIZE, PROOF_SIZE = 57, 62, 57, 41, 32
local FAMILY_SIZE = 8
local CURRENT_SIZE = PROOF_SIZE + FAMILY_SIZE
local IDLE = '>i8'               -- the session's own idle limit, behind the family if it has one
local NO_FAMILY = ('\0'):rep(FAMILY_SIZE)

local NUMBER_SIZE = 8 -- of a registration, before an indexed value

local CHUNK = 500 -- fields in one HSET: unpack fails at several thousand values

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
end

-- ownIdle reads the idle limit behind the current proof, 0 for none.
local function ownIdle(current)
  return #current > CURRENT_SIZE and struct.unpack(IDLE, current, CURRENT_SIZE + 1) or 0
end

local function isCurrentSound(current)
  return current and (#current == CURRENT_SIZE or #current == CURRENT_SIZE + 8)
end

-- expireWithMargin lets the server remove the record some time after its end.
local function expireWithMargin(name, expires, now)
  redis.call('PEXPIRE', name, math.max(0, math.floor((expires - now) / 1000)) + MARGIN)
end
