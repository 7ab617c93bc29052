-- The delta, as the arguments tell it. The first one goes on after the key with
-- the numbers that nearly all deltas have; each item of the rest is a letter and
-- what belongs to it.

local DELTA = '>i8i8i8' -- the limit in bytes, deadline, activity; 0 for none

-- readToken reads what concerns tokens, and returns where it ends.
local function readToken(d, args, at)
  local what, a, b, c = unpack(args, at, at + 3)
  at = at + 4
  if what == 'R' then
    d.renewal = { proof = a, signIn = b == '1', grace = tonumber(c) }
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
  local maxBytes, deadline, active = struct.unpack(DELTA, args[1], KEY_SIZE + 1)
  local ops = {}
  local d = {
    ops = ops, limits = NONE, numbers = NONE, maxBytes = maxBytes,
    deadline = deadline ~= 0 and deadline, active = active ~= 0 and active,
    kind = false, barred = false, currentOnly = false, renewal = false, ticket = false, redeem = false,
  }
  local absent, value = false, false -- the condition of the next operation
  local at = 2
  while at <= #args do
    local what, key, text = args[at], args[at + 1], args[at + 2]
    if what == 's' or what == 'a' or what == 'z' then
      ops[#ops + 1] = {
        what = what == 's' and 's' or 'a', key = key, text = text,
        dropZero = what == 'z', absent = absent, value = value,
      }
      if what == 's' and text:byte(1) == INDEXED then
        d.numbers = with(d.numbers, text:sub(2, 1 + NUMBER_SIZE))
      end
      absent, value, at = false, false, at + 3
    elseif what == 'c' or what == '-' then
      ops[#ops + 1] = { what = what, key = key, absent = absent, value = value }
      absent, value, at = false, false, at + 2
    elseif what == '?' then
      absent, at = true, at + 1
    elseif what == '!' then
      value, at = key, at + 2
    elseif what == 'C' then
      d.currentOnly, at = true, at + 1
    elseif what == 'K' then
      d.kind, d.barred, at = key, text == '1', at + 3
    elseif what == 'L' then
      d.limits = with(d.limits, { field = key, max = tonumber(text) })
      at = at + 3
    else
      at = readToken(d, args, at)
    end
  end
  return d
end

-- renew replaces the proof. A sign-in also ends the earlier tokens that were
-- still accepted.
local function renew(r, renewal, now)
  local earlier = { { proof = r.proof, ended = now, signIn = renewal.signIn, presented = 0, grace = renewal.grace } }
  for i = 1, math.min(#r.earlier, MAX_EARLIER - 1) do
    local e = r.earlier[i]
    local alive = not e.signIn and (e.presented == 0 or now < e.presented + e.grace)
    if renewal.signIn and alive then
      e.ended, e.signIn, e.grace = now, true, renewal.grace
    end
    table.insert(earlier, e)
  end
  r.earlier, r.earlierChanged = earlier, true
  r.proof = renewal.proof
  r.renewed = toMillisecond(now)
  r.ticket, r.ticketChanged = false, true
end

-- reschedule moves the end of the session. Activity moves it only forward; a
-- session that only a ticket can deliver ends with the ticket.
local function reschedule(r, d, redeemed)
  r.deadline = d.deadline or r.deadline
  local ending = r.deadline
  if d.active then
    ending = math.min(ending, math.max(d.active, r.expires))
  end
  if r.ticket and r.ticket.sole then
    r.expires = math.min(ending, r.ticket.ends)
  elseif redeemed or d.deadline or d.active then
    r.expires = ending
  end
end

-- ticketAdmits tells whether the browser still has what the handshake saw.
local function ticketAdmits(t, redeem)
  if not redeem then
    return false
  end
  if t.saw == '' then
    return not redeem.live
  end
  return redeem.presented == t.saw or redeem.same[t.saw] == true
end
