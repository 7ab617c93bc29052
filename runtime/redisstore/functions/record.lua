-- A record as the functions see it, and how a key is judged. This follows
-- runtime/admit.go and apply.go line by line; C21 of package storetest holds both to
-- the same answers.
--
-- A table is written with all its fields at once: one that grows is made anew each
-- time.

-- with returns a list with one more element, which may be the same list.
local function with(list, element)
  if list == NONE then
    return { element }
  end
  list[#list + 1] = element
  return list
end

local function slice(list, from, to)
  local part = {}
  for i = from, to do
    part[#part + 1] = list[i]
  end
  return part
end

local function readKey(packed)
  local now, arrived, flags, proof, family = struct.unpack(KEY, packed)
  local shift
  now, arrived, shift = readClock(now, arrived, has(flags, CLIENT_CLOCK_FLAG))
  return {
    now = now, arrived = arrived, shift = shift,
    ticket = has(flags, TICKET_FLAG), held = has(flags, HELD_FLAG), live = has(flags, LIVE_FLAG),
    proof = proof, family = family,
  }
end

-- readTokens reads the earlier proofs and the ticket, which most records do not
-- have. One that cannot be read is lost alone.
local function readTokens(name, count)
  local f = redis.call('HMGET', name, '.t', '.s', '.1', '.2', '.3', '.4')
  local earlier, ticket = {}, false
  if f[1] and #f[1] == TICKET_SIZE then
    local sole, ends = struct.unpack(TICKET, f[1]:sub(PROOF_SIZE + 1))
    ticket = { proof = f[1]:sub(1, PROOF_SIZE), sole = sole == 1, ends = ends, saw = f[2] or '' }
  end
  for i = 3, 2 + math.min(count, MAX_EARLIER) do
    if f[i] and #f[i] == EARLIER_SIZE then
      local by, ended, presented, grace = struct.unpack(EARLIER, f[i]:sub(PROOF_SIZE + 1))
      earlier[#earlier + 1] = {
        proof = f[i]:sub(1, PROOF_SIZE), by = by, ended = ended, presented = presented, grace = grace,
      }
    end
  end
  return earlier, ticket
end

-- get begins the list of what readRecord asks for: further fields may follow.
local function get(name)
  return { 'HMGET', name, '.h', '.p', '.k' }
end

local OWN_FIELDS = 3 -- that get asks for

-- readRecord returns nil where there is none, and whether it is damaged: without
-- its head and its proof nobody can be judged.
local function readRecord(list)
  local name, f = list[2], redis.call(unpack(list))
  local head, current = f[1], f[2]
  if not head and redis.call('EXISTS', name) == 0 then
    return nil, false
  end
  if not head or #head ~= HEAD_SIZE or not isCurrentSound(current) then
    return nil, true
  end
  local created, renewed, signedIn, deadline, expires, ended, used, size, count, flags = struct.unpack(HEAD, head)
  local pending = flags % ALL_PENDING
  local proof, idle, persistence = current:sub(1, PROOF_SIZE), ownIdle(current), (flags - pending) / ALL_PENDING
  local earlier, ticket = NONE, false
  if count + pending > 0 then
    earlier, ticket = readTokens(name, count)
  end
  return {
    name = name, fields = f, head = head, kind = f[3] or '', size = size,
    created = created, renewed = renewed, signedIn = signedIn, deadline = deadline, expires = expires, ended = ended, used = used,
    idle = idle, persistence = persistence, proof = proof, family = current:sub(PROOF_SIZE + 1, CURRENT_SIZE), earlier = earlier, ticket = ticket, earlierChanged = false, ticketChanged = false,
    storedProof = proof, storedExpires = expires, storedIdle = idle,
  }, false
end

local function setFields(name, list)
  for i = 1, #list, 2 * CHUNK do
    redis.call('HSET', name, unpack(list, i, math.min(i + 2 * CHUNK - 1, #list)))
  end
end

local function removeFields(name, list)
  for i = 1, #list, CHUNK do
    redis.call('HDEL', name, unpack(list, i, math.min(i + CHUNK - 1, #list)))
  end
end

local function isWaiting(e)
  return e.by == PLAIN_RENEWAL and e.presented == 0
end

local function packHead(r)
  local pending = r.ticket and TICKET_PENDING or 0
  for _, e in ipairs(r.earlier) do
    if isWaiting(e) then
      pending = pending + PRESENTATION_PENDING
      break
    end
  end
  return struct.pack(
    HEAD, r.created, r.renewed, r.signedIn, r.deadline, r.expires, r.ended, r.used, math.max(0, r.size), #r.earlier,
    pending + ALL_PENDING * r.persistence)
end

local function packCurrent(r)
  return r.proof .. r.family .. (r.idle > 0 and struct.pack(IDLE, r.idle) or '')
end

-- publish tells the watchers of all processes.
local function publish(name, what, proof)
  local prefix, id = name:match('^(.*){(%x+)}$')
  redis.call('PUBLISH', prefix .. 'changes', what .. id .. proof)
end

local function addEarlier(list, earlier)
  for i, e in ipairs(earlier) do
    list[#list + 1] = '.' .. i
    list[#list + 1] = e.proof .. struct.pack(EARLIER, e.by, e.ended, e.presented, e.grace)
  end
end

local function addTicket(list, ticket)
  list[#list + 1] = '.t'
  list[#list + 1] = ticket.proof .. struct.pack(TICKET, ticket.sole and 1 or 0, ticket.ends)
  if ticket.saw ~= '' then
    list[#list + 1] = '.s'
    list[#list + 1] = ticket.saw
  end
end

-- addTokens lists what has changed of the proofs, the ticket and the idle limit.
local function addTokens(r, set, gone)
  if r.proof ~= r.storedProof or r.idle ~= r.storedIdle then
    set[#set + 1] = '.p'
    set[#set + 1] = packCurrent(r)
  end
  if r.earlierChanged then
    addEarlier(set, r.earlier)
  end
  if r.ticketChanged then
    gone[#gone + 1] = '.t'
    gone[#gone + 1] = '.s'
  end
  if r.ticketChanged and r.ticket then
    addTicket(set, r.ticket)
  end
end

-- saveRecord writes the given fields, removes others, and writes what has
-- changed of the record besides. It returns the head as it is now.
local function saveRecord(r, set, gone, now)
  local head, moved = packHead(r), r.expires ~= r.storedExpires
  if head ~= r.head then
    set[#set + 1] = '.h'
    set[#set + 1] = head
  end
  addTokens(r, set, gone)
  removeFields(r.name, gone)
  setFields(r.name, set)
  if moved then
    expireWithMargin(r.name, r.expires, now)
  end
  if r.proof ~= r.storedProof then
    publish(r.name, 'R', r.proof)
  end
  return head
end

-- saveMark replaces the record by the mark of its end.
local function saveMark(r, now)
  r.signedIn, r.deadline, r.expires, r.ended = 0, 0, toMillisecond(now + MARK_LIFE), now
  r.used, r.idle, r.persistence, r.size, r.ticket = 0, 0, 0, 0, false
  local mark = { '.h', packHead(r), '.p', packCurrent(r), '.k', r.kind }
  addEarlier(mark, r.earlier)
  redis.call('DEL', r.name)
  setFields(r.name, mark)
  expireWithMargin(r.name, r.expires, now)
  publish(r.name, 'E', '')
end

-- A slot says where a record has a proof: 0 as the current one, n as the n-th
-- earlier one.
local NOWHERE = -1

local function find(r, proof)
  if proof == r.proof then
    return 0
  end
  for i, e in ipairs(r.earlier) do
    if e.proof == proof then
      return i
    end
  end
  return NOWHERE
end

-- isCurrent tells whether the proof in the slot is the current one, or one that is as
-- good.
local function isCurrent(r, at)
  return at == 0 or r.earlier[at].by == JOIN
end

-- present records that a token has reached a browser, which starts the grace of
-- those that plain renewals have replaced by it: the earlier ones from there on.
local function present(r, at, key)
  if key.live then
    return
  end
  for i = at + 1, #r.earlier do
    local e = r.earlier[i]
    if isWaiting(e) then
      e.presented = key.now
      r.earlierChanged = true
    end
  end
end

-- savePresentation writes what present has recorded, if it has.
local function savePresentation(r, now)
  if r and r.earlierChanged then
    saveRecord(r, {}, {}, now)
  end
end

-- reused judges a token that was replaced, unless a request or a live connection
-- may have held it meanwhile.
local function reused(key)
  return key.held and NOT_FOUND or REUSED
end

local function admitAfterSignIn(e, key)
  return key.arrived < e.ended + e.grace and SUPERSEDED or NOT_FOUND
end

-- admitAfterRenewal lets a request that arrived in time end the session, however
-- long it has waited.
local function admitAfterRenewal(e, key, purpose)
  local over = e.presented + e.grace
  if e.presented == 0 or key.now < over then
    return OK
  end
  if key.arrived < over then
    return purpose == TO_END and OK or NOT_FOUND
  end
  return reused(key)
end

-- admitForgotten judges a proof that the record does not have. One of its family was
-- replaced so long ago that it is not listed any more. A request that arrived when it
-- may still have been may end the session.
local function admitForgotten(r, key, purpose)
  if key.family ~= r.family or key.family == NO_FAMILY then
    return NOT_FOUND
  end
  if r.earlier[1] and key.arrived < r.earlier[1].ended then
    return purpose == TO_END and OK or NOT_FOUND
  end
  return reused(key)
end

local function admitProof(r, at, key, purpose)
  if at == NOWHERE then
    return admitForgotten(r, key, purpose)
  end
  if isCurrent(r, at) then
    return OK
  end
  local e = r.earlier[at]
  if e.by == PLAIN_RENEWAL then
    return admitAfterRenewal(e, key, purpose)
  end
  return admitAfterSignIn(e, key)
end

local function admitToMark(r, key)
  local ended = find(r, key.proof) ~= NOWHERE and key.arrived < r.ended and key.now < r.expires
  return ended and ENDED or NOT_FOUND
end

local function admitTicket(r, key, purpose)
  local t = r.ticket
  return purpose ~= TO_READ and t and t.proof == key.proof and key.now < t.ends and OK or NOT_FOUND
end

-- admit decides whether the key may operate on the record, and tells where its
-- proof is. It writes nothing: the caller ends the session where the answer is
-- REUSED.
local function admit(r, key, purpose)
  if not r then
    return NOT_FOUND, NOWHERE
  end
  if r.ended ~= 0 then
    return admitToMark(r, key), NOWHERE
  end
  if key.now >= r.expires then
    return NOT_FOUND, NOWHERE
  end
  if key.ticket then
    return admitTicket(r, key, purpose), 0
  end
  local at = find(r, key.proof)
  local verdict = admitProof(r, at, key, purpose)
  if verdict == OK and at ~= NOWHERE then
    present(r, at, key)
  end
  return verdict, at
end
