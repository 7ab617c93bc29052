-- The delta, as the arguments tell it: each item a letter and what belongs to
-- it.

local function readDelta(at)
  local d = { ops = {}, limits = {}, numbers = {} }
  local condition = {}

  -- takeOp reads an operation.
  local function takeOp(what)
    local op = { what = what, key = ARGV[at + 1], absent = condition.absent, value = condition.value }
    condition = {}
    d.ops[#d.ops + 1] = op
    at = at + 2
    if what == 'c' or what == '-' then
      return
    end
    op.text = ARGV[at]
    at = at + 1
    if what == 's' and op.text:sub(1, 1) == '@' then
      d.numbers[#d.numbers + 1] = op.text:sub(2, 1 + NUMBER_SIZE)
    elseif what == 'z' then
      op.what, op.dropZero = 'a', true
    end
  end

  -- takeToken reads what concerns tokens.
  local function takeToken(what)
    local a, b, c = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    at = at + 4
    if what == 'R' then
      d.renewal = { proof = a, signIn = b == '1', grace = tonumber(c) }
    elseif what == 'T' then
      d.ticket = { proof = a, sole = b == '1', ends = tonumber(c), saw = ARGV[at] }
      at = at + 1
    else
      d.redeem = { live = a == '1', presented = b, same = {} }
      for _ = 1, tonumber(c) do
        d.redeem.same[ARGV[at]] = true
        at = at + 1
      end
    end
  end

  while at <= #ARGV do
    local what, value = ARGV[at], ARGV[at + 1]
    if what == 'M' then
      d.maxBytes, at = tonumber(value), at + 2
    elseif what == 'A' then
      d.active, at = tonumber(value), at + 2
    elseif what == 'D' then
      d.deadline, at = tonumber(value), at + 2
    elseif what == 'K' then
      d.kind, at = value, at + 2
    elseif what == 'L' then
      d.limits[#d.limits + 1] = { field = value, max = tonumber(ARGV[at + 2]) }
      at = at + 3
    elseif what == 'C' then
      d.currentOnly, at = true, at + 1
    elseif what == '?' then
      condition, at = { absent = true }, at + 1
    elseif what == '!' then
      condition, at = { value = value }, at + 2
    elseif what == 'R' or what == 'T' or what == 'X' then
      takeToken(what)
    else
      takeOp(what)
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
  r.renewed = math.floor(now / 1000) * 1000
  r.ticket, r.ticketChanged = nil, true
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
