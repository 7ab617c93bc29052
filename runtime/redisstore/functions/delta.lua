-- The delta, as the arguments tell it. The first one goes on after the key with
-- the numbers that nearly all deltas have; each item of the rest is a letter and
-- what belongs to it.

-- readSignIn reads the fields of a sign-in, and returns where they end.
local function readSignIn(d, args, at)
  local fields = {}
  d.signIn = { joins = args[at + 1] == '1', fields = fields }
  local count = tonumber(args[at + 2])
  at = at + 3
  for i = 1, count do
    local key, was, value, identity = unpack(args, at, at + 3)
    fields[i] = { key = key, was = was, value = value, identity = identity == '1' }
    at = at + 4
  end
  return at
end

-- readToken reads what concerns tokens, and returns where it ends.
local function readToken(d, args, at)
  local what, a, b, c = unpack(args, at, at + 3)
  at = at + 4
  if what == 'R' then
    d.renewal = {
      proof = a:sub(1, PROOF_SIZE), family = a:sub(PROOF_SIZE + 1), kind = tonumber(b), grace = tonumber(c),
    }
  elseif what == 'T' then
    d.ticket = { proof = a, sole = b == '1', ends = tonumber(c), saw = args[at] }
    at = at + 1
  else
    local same = {}
    for _ = 1, tonumber(c) do
      same[args[at]] = true
      at = at + 1
    end
    d.redeem = { live = a == '1', presented = b, same = same }
  end
  return at
end

local function readDelta(args)
  local maxBytes, deadline, used, active = struct.unpack(DELTA, args[1], KEY_SIZE + 1)
  local ops = {}
  local d = {
    ops = ops, limits = NONE, numbers = NONE, maxBytes = maxBytes,
    deadline = deadline ~= 0 and deadline, used = used ~= 0 and used, active = active ~= 0 and active,
    idle = false, persistence = false,
    kind = false, barred = false, signIn = false, renewal = false, ticket = false, redeem = false,
  }
  local absent, value, count = false, false, false -- the condition of the next operation
  local at = 2
  while at <= #args do
    local what, key, text = args[at], args[at + 1], args[at + 2]
    if what == 's' or what == 'a' or what == 'z' then
      ops[#ops + 1] = {
        what = what == 's' and 's' or 'a', key = key, text = text,
        dropZero = what == 'z', absent = absent, value = value, count = count,
      }
      if what == 's' and text:byte(1) == INDEXED then
        d.numbers = with(d.numbers, text:sub(2, 1 + NUMBER_SIZE))
      end
      absent, value, count, at = false, false, false, at + 3
    elseif what == 'c' or what == '-' then
      ops[#ops + 1] = { what = what, key = key, absent = absent, value = value, count = count }
      absent, value, count, at = false, false, false, at + 2
    elseif what == '?' then
      absent, at = true, at + 1
    elseif what == '!' then
      value, at = key, at + 2
    elseif what == '=' then
      count, at = key, at + 2
    elseif what == 'S' then
      at = readSignIn(d, args, at)
    elseif what == 'K' then
      d.kind, d.barred, at = key, text == '1', at + 3
    elseif what == 'L' then
      d.limits = with(d.limits, { field = key, max = tonumber(text) })
      at = at + 3
    elseif what == 'I' then
      d.idle, at = tonumber(key), at + 2
    elseif what == 'P' then
      d.persistence, at = tonumber(key), at + 2
    else
      at = readToken(d, args, at)
    end
  end
  return d
end

local function purposeOf(d)
  return d.renewal and d.renewal.kind == SIGN_OUT and TO_END or TO_WRITE
end

-- moveDelta moves the times that the program sends.
local function moveDelta(d, by)
  d.deadline = d.deadline and d.deadline + by
  d.used = d.used and d.used + by
  d.active = d.active and d.active + by
  if d.ticket then
    d.ticket.ends = d.ticket.ends + by
  end
end

-- storedValue returns the stored value of a sign-in's field, '' for none.
local function storedValue(change, field)
  local text = before(change, field.key)
  if not text and field.was ~= '' then
    text = before(change, field.was)
  end
  return text and not isCounter(text) and valueOf(text) or ''
end

-- isVacant tells whether the entries identify nobody.
local function isVacant(change, signIn)
  for _, f in ipairs(signIn.fields) do
    if f.identity and storedValue(change, f) ~= '' then
      return false
    end
  end
  return true
end

-- fits tells whether the entries identify exactly whom the delta signs in.
local function fits(change, signIn)
  for _, f in ipairs(signIn.fields) do
    if f.identity and storedValue(change, f) ~= f.value then
      return false
    end
  end
  return true
end

-- isSameUser tells whether the delta signs in whom the entries have, in every field
-- that it sets.
local function isSameUser(change, signIn)
  if not signIn.joins then
    return false
  end
  for _, f in ipairs(signIn.fields) do
    if f.value ~= '' and storedValue(change, f) ~= f.value then
      return false
    end
  end
  return true
end

local function signedOutMeanwhile(r, at, key)
  for i = 1, at do
    local e = r.earlier[i]
    if e.by == SIGN_OUT and key.arrived < e.ended then
      return true
    end
  end
  return false
end

-- judgeSignIn decides what becomes of a sign-in, and returns as which kind it
-- renews. The verdict is what admit says of its proof.
local function judgeSignIn(r, change, signIn, at, key, verdict)
  if verdict == OK then
    local may = isCurrent(r, at) or r.earlier[at].presented == 0 or isVacant(change, signIn) or fits(change, signIn)
    return may and OK or SUPERSEDED, may and SIGN_IN
  end
  local e = r and r.earlier[at]
  if not e or e.by == PLAIN_RENEWAL then
    return verdict, false
  end
  if isSameUser(change, signIn) then
    return OK, key.now < e.ended + e.grace and JOIN or SIGN_IN
  end
  return signedOutMeanwhile(r, at, key) and SIGNED_OUT or verdict, false
end

-- isNeverReplaced tells whether a token was renewed a grace ago and none of its
-- successors has been presented.
local function isNeverReplaced(e, now)
  return e.by == PLAIN_RENEWAL and e.presented == 0 and now >= e.ended + e.grace
end

-- fallsOut returns the slot for which there is no room when the one at the slot
-- renews: the oldest, but never the one that renews.
local function fallsOut(r, at)
  if #r.earlier < MAX_EARLIER then
    return NOWHERE
  end
  return at == MAX_EARLIER and MAX_EARLIER - 1 or MAX_EARLIER
end

-- hasRoom tells whether the record can list one proof more without forgetting one
-- that may be in use. It would be taken for reuse.
local function hasRoom(r, at, now)
  local i = fallsOut(r, at)
  if i == NOWHERE then
    return true
  end
  local e = r.earlier[i]
  if e.by == PLAIN_RENEWAL and i > at then
    return e.presented ~= 0 and now >= e.presented + e.grace
  end
  return now >= e.ended + e.grace
end

-- isUndelivered tells whether only a ticket can bring the session to its browser.
local function isUndelivered(r)
  return r.ticket and r.ticket.sole
end

-- endsEarlier tells whether a renewal of the kind ends all tokens before.
local function endsEarlier(kind)
  return kind == SIGN_IN or kind == SIGN_OUT
end

-- isRenewable tells whether a renewal that ends nothing takes place by the proof in the
-- slot. By a ticket that alone can deliver the session it does, for nobody has its token.
local function isRenewable(r, at, key)
  if key.ticket and isUndelivered(r) then
    return true
  end
  return (isCurrent(r, at) or isNeverReplaced(r.earlier[at], key.now)) and hasRoom(r, at, key.now)
end

-- judgeRenewal decides whether a delta is admitted, and as which kind it renews,
-- false for not at all. The verdict is what admit says of its proof.
local function judgeRenewal(r, change, d, at, key, verdict)
  if d.signIn then
    return judgeSignIn(r, change, d.signIn, at, key, verdict)
  end
  if verdict ~= OK or not d.renewal then
    return verdict, false
  end
  local kind = d.renewal.kind
  return OK, (endsEarlier(kind) or isRenewable(r, at, key)) and kind
end

-- endedBy tells whether a renewal of the kind ends an earlier proof that is still
-- accepted.
local function endedBy(kind, e)
  if e.by == JOIN then
    return kind ~= JOIN
  end
  return e.by == PLAIN_RENEWAL and endsEarlier(kind)
end

-- renew replaces the proof.
local function renew(r, kind, renewal, at, now)
  local function ended(proof)
    return { proof = proof, ended = now, by = kind, presented = 0, grace = renewal.grace }
  end
  local earlier, out = { ended(r.proof) }, fallsOut(r, at)
  for i, e in ipairs(r.earlier) do
    if i ~= out then
      earlier[#earlier + 1] = endedBy(kind, e) and ended(e.proof) or e
    end
  end
  r.earlier, r.earlierChanged = earlier, true
  r.proof, r.family = renewal.proof, renewal.family
  r.renewed = toMillisecond(now)
  r.ticket, r.ticketChanged = false, true
  if kind == SIGN_IN then
    r.signedIn = r.renewed
  elseif kind == SIGN_OUT then
    r.signedIn = 0
  end
end

-- nextTicket returns the ticket of a delta as it is stored. As long as the browser has
-- not got the session's token, it has what it had when the first ticket was made.
local function nextTicket(ticket, undelivered)
  if undelivered then
    ticket.saw, ticket.sole = undelivered.saw, true
  end
  return ticket
end

-- reschedule moves the end of the session. Activity moves it only forward, and a new
-- idle limit either way; a session that only a ticket can deliver ends with the
-- ticket, until that is redeemed or a renewal has brought the session otherwise.
local function reschedule(r, d, wasUndelivered)
  r.deadline = d.deadline or r.deadline
  r.idle = d.idle or r.idle
  r.persistence = d.persistence or r.persistence
  local ending, active = r.deadline, activeUntil(d.active, d.used, r.idle)
  if active then
    r.used = math.max(r.used, d.used or 0)
    ending = math.min(ending, d.idle and active or math.max(active, r.expires))
  end
  if isUndelivered(r) then
    r.expires = math.min(ending, r.ticket.ends)
  elseif wasUndelivered or d.deadline or active or d.idle then
    r.expires = ending
  end
end

-- isRedeemable tells whether the browser has what the live connection knew, or
-- another token of the same session.
local function isRedeemable(r, redeem)
  local saw = r.ticket.saw
  if not redeem then
    return false
  end
  if saw == '' then
    return not redeem.live
  end
  return redeem.presented == saw or redeem.same[saw]
    or find(r, saw) ~= NOWHERE and find(r, redeem.presented) ~= NOWHERE
end
