-- A record as the scripts see it, and how a key is judged. This follows
-- runtime/apply.go line by line; a test holds both to the same answers.
--
-- Times are microseconds since 1970, which a double holds exactly.
--
-- A script makes its functions anew in each call, so those that are seldom
-- needed stand inside others, which make them when they are.

local OK, NOT_FOUND, EXISTS, CONFLICT, TOO_LARGE, OVERFLOW = 0, 1, 2, 3, 4, 5
local SUPERSEDED, REUSED, ENDED, WITHDRAWN, OTHER_KIND, DAMAGED = 6, 7, 8, 9, 10, 11

local HEAD = '>i8i8i8i8i8BB' -- created, renewed, deadline, expires, ended; how many earlier proofs and tickets
local EARLIER = '>Bi8i8i8'   -- sign-in, ended, presented, grace; after the proof
local TICKET = '>Bi8'        -- sole, ends; after the proof
local HEAD_SIZE, EARLIER_SIZE, TICKET_SIZE, PROOF_SIZE = 42, 57, 41, 32

local NUMBER_SIZE = 8 -- of a registration, before an indexed value

local OWN_FIELDS = 4 -- that readRecord asks for

local CHUNK = 500 -- fields in one HSET: unpack fails at several thousand values

-- readKey reads the key from the first four arguments.
local function readKey()
  local now, age, flags = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[4]
  return {
    now = now,
    arrived = now - age,
    proof = ARGV[3],
    ticket = flags:find('t', 1, true) ~= nil,
    held = flags:find('h', 1, true) ~= nil,
    live = flags:find('l', 1, true) ~= nil,
  }
end

-- readTokens reads the earlier proofs and the ticket, which most records do not
-- have. One that cannot be read is lost alone.
local function readTokens(r, earlier, tickets)
  local f = redis.call('HMGET', r.name, '.t', '.s', '.1', '.2', '.3', '.4')
  if tickets > 0 and f[1] and #f[1] == TICKET_SIZE then
    local sole, ends = struct.unpack(TICKET, f[1]:sub(PROOF_SIZE + 1))
    r.ticket = { proof = f[1]:sub(1, PROOF_SIZE), sole = sole == 1, ends = ends, saw = f[2] or '' }
  end
  for i = 3, 2 + earlier do
    if f[i] and #f[i] == EARLIER_SIZE then
      local e = { proof = f[i]:sub(1, PROOF_SIZE) }
      local signIn
      signIn, e.ended, e.presented, e.grace = struct.unpack(EARLIER, f[i]:sub(PROOF_SIZE + 1))
      e.signIn = signIn == 1
      r.earlier[#r.earlier + 1] = e
    end
  end
end

-- readRecord returns nil where there is none, and whether it is damaged: without
-- its head and its proof nobody can be judged. The values of further fields,
-- should anybody want some, come with the same call.
local function readRecord(name, further)
  local f = redis.call('HMGET', name, '.h', '.p', '.k', '.z', unpack(further or {}))
  if not f[1] and redis.call('EXISTS', name) == 0 then
    return nil, false
  end
  if not f[1] or #f[1] ~= HEAD_SIZE or not f[2] or #f[2] ~= PROOF_SIZE then
    return nil, true
  end
  local r = { name = name, proof = f[2], earlier = {}, stored = { head = f[1], proof = f[2] } }
  local earlier, tickets
  r.created, r.renewed, r.deadline, r.expires, r.ended, earlier, tickets = struct.unpack(HEAD, f[1])
  r.kind, r.size, r.fields = f[3] or '', tonumber(f[4] or 0) or 0, f
  if earlier + tickets > 0 then
    readTokens(r, earlier, tickets)
  end
  return r, false
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

-- expireWithMargin lets the server remove the record some time after its end.
-- The time that is left is told by the program's clock, not by the server's.
local function expireWithMargin(name, expires, now)
  redis.call('PEXPIRE', name, math.max(0, math.floor((expires - now) / 1000)) + MARGIN)
end

local function packHead(r)
  return struct.pack(HEAD, r.created, r.renewed, r.deadline, r.expires, r.ended, #r.earlier, r.ticket and 1 or 0)
end

-- publish tells the watchers of all processes.
local function publish(name, what, proof)
  local prefix, id = name:match('^(.*){(%x+)}$')
  redis.call('PUBLISH', prefix .. 'changes', what .. id .. proof)
end

local function addEarlier(list, earlier)
  for i, e in ipairs(earlier) do
    list[#list + 1] = '.' .. i
    list[#list + 1] = e.proof .. struct.pack(EARLIER, e.signIn and 1 or 0, e.ended, e.presented, e.grace)
  end
end

-- saveTokens writes what has changed of the proofs and the ticket.
local function saveTokens(r)
  local set, gone = {}, {}
  if r.proof ~= r.stored.proof then
    set = { '.p', r.proof }
  end
  if r.earlierChanged then
    addEarlier(set, r.earlier)
  end
  if r.ticketChanged then
    gone = { '.t', '.s' }
  end
  if r.ticketChanged and r.ticket then
    set[#set + 1] = '.t'
    set[#set + 1] = r.ticket.proof .. struct.pack(TICKET, r.ticket.sole and 1 or 0, r.ticket.ends)
    if r.ticket.saw ~= '' then
      set[#set + 1] = '.s'
      set[#set + 1] = r.ticket.saw
    end
  end
  removeFields(r.name, gone)
  setFields(r.name, set)
  if r.proof ~= r.stored.proof then
    publish(r.name, 'R', r.proof)
  end
end

-- saveHead writes what has changed of the record but its entries.
local function saveHead(r, now)
  local head = packHead(r)
  if head ~= r.stored.head then
    redis.call('HSET', r.name, '.h', head)
    expireWithMargin(r.name, r.expires, now)
  end
  if r.earlierChanged or r.ticketChanged then
    saveTokens(r)
  end
end

-- saveMark replaces the record by the mark of its end.
local function saveMark(r, now)
  r.deadline, r.expires, r.ended, r.ticket = 0, now + MARK_LIFE, now, nil
  local mark = { '.h', packHead(r), '.p', r.proof, '.k', r.kind }
  addEarlier(mark, r.earlier)
  redis.call('DEL', r.name)
  setFields(r.name, mark)
  expireWithMargin(r.name, r.expires, now)
  publish(r.name, 'E', '')
end

-- present records that a token has reached a browser, which starts the grace of
-- those it has replaced: the earlier proofs from the index on.
local function present(r, from, key)
  if key.live then
    return
  end
  for i = from, #r.earlier do
    local e = r.earlier[i]
    if not e.signIn and e.presented == 0 then
      e.presented = key.now
      r.earlierChanged = true
    end
  end
end

-- admitEarlier judges a proof that is not the current one.
local function admitEarlier(r, key, commit)
  local function afterSignIn(e)
    if key.now >= e.ended + e.grace then
      return NOT_FOUND
    end
    if commit and math.max(key.arrived, key.now - e.grace) < e.ended then
      return OK
    end
    return SUPERSEDED
  end

  local function afterRenewal(e)
    local over = e.presented + e.grace
    if e.presented == 0 or key.now < over then
      return OK
    end
    if key.held or key.arrived < over then
      return NOT_FOUND
    end
    return REUSED
  end

  for i, e in ipairs(r.earlier) do
    if e.proof == key.proof then
      local verdict = e.signIn and afterSignIn(e) or not e.signIn and afterRenewal(e)
      if verdict == OK then
        present(r, i + 1, key)
      end
      return verdict
    end
  end
  return NOT_FOUND
end

local function admitToMark(r, key)
  local held = key.proof == r.proof
  for _, e in ipairs(r.earlier) do
    held = held or e.proof == key.proof
  end
  if held and key.arrived < r.ended and key.now < r.expires then
    return ENDED
  end
  return NOT_FOUND
end

-- admit decides whether the key may operate on the record, and whether it does
-- so with the current proof. It writes nothing: the caller ends the session
-- where the answer is REUSED.
local function admit(r, key, commit)
  if not r then
    return NOT_FOUND, false
  end
  if r.ended ~= 0 then
    return admitToMark(r, key), false
  end
  if key.now >= r.expires then
    return NOT_FOUND, false
  end
  if key.ticket then
    local t = r.ticket
    local valid = commit and t and t.proof == key.proof and key.now < t.ends
    return valid and OK or NOT_FOUND, true
  end
  if key.proof == r.proof then
    present(r, 1, key)
    return OK, true
  end
  return admitEarlier(r, key, commit), false
end
