-- update applies a delta. Everything is checked before anything is written,
-- because the server does not roll a function back. Where the delta is applied,
-- it answers with a string: a byte for what came of it, and the head. With it
-- come, if there are any, the entries that were replaced because they are no
-- counters, and the indexed entries of a session that may outlive its indexes.

local KEY_AND_DELTA = KEY .. DELTA:sub(2)

-- plainEntries returns the command that reads the head, the proof and the entries
-- of a delta that does nothing but set entries and add to them. For any other it
-- returns nil: one that sets an indexed entry begins with its kind.
local function plainEntries(name, args)
  if #args % 3 ~= 1 or #args > 3 * READ_AHEAD + 1 then
    return nil
  end
  local list = { 'HMGET', name, '.h', '.p' }
  for i = 2, #args, 3 do
    if args[i] ~= 's' and args[i] ~= 'a' then
      return nil
    end
    list[#list + 1] = args[i + 1]
  end
  return list
end

local function isCurrentProof(current, proof)
  return isCurrentSound(current) and current:sub(1, PROOF_SIZE) == proof
end

-- updatePlain is the short way for what most commits are: some entries set, or
-- added to, with the current proof, where nothing is pending. For all else, and
-- for every refusal, it returns nil and has done nothing.
local function updatePlain(name, args)
  local list = plainEntries(name, args)
  if not list then
    return nil
  end
  local now, arrived, flags, proof, _, maxBytes, newDeadline, usedNow, active = struct.unpack(KEY_AND_DELTA, args[1])
  local f = redis.call(unpack(list))
  local head = f[1]
  if has(flags, TICKET_FLAG) or newDeadline ~= 0 or not head or #head ~= HEAD_SIZE or not isCurrentProof(f[2], proof) then
    return nil
  end
  local shift
  now, _, shift = readClock(now, arrived, has(flags, CLIENT_CLOCK_FLAG))
  local created, renewed, signedIn, deadline, expires, ended, used, size, count, pending = struct.unpack(HEAD, head)
  if ended ~= 0 or now >= expires or pending % ALL_PENDING ~= 0 then
    return nil
  end
  local set, grown = { 'HSET', name }, 0
  for i = 2, #args, 3 do
    local field, text, old = args[i + 1], args[i + 2], f[(i + 7) / 3]
    if args[i] == 'a' and old then
      local sum = isCounter(old) and addCounts(old:sub(2), text:sub(2))
      if not sum then
        return nil
      end
      text = '+' .. sum
    end
    grown = grown + sizeOf(field, text) - sizeOf(field, old)
    set[#set + 1] = field
    set[#set + 1] = text
  end
  if maxBytes > 0 and grown > 0 and size + grown > maxBytes then
    return nil
  end
  local ending = expires
  active = activeUntil(active ~= 0 and active, usedNow ~= 0 and usedNow, ownIdle(f[2]))
  if active then
    ending = math.min(deadline, math.max(active + shift, expires))
    used = math.max(used, usedNow ~= 0 and usedNow + shift or 0)
  end
  local changed =
    struct.pack(HEAD, created, renewed, signedIn, deadline, ending, ended, used, math.max(0, size + grown), count, pending)
  if changed ~= head then
    head = changed
    set[#set + 1] = '.h'
    set[#set + 1] = head
  end
  if #set > 2 then
    redis.call(unpack(set))
  end
  if ending ~= expires then
    expireWithMargin(name, ending, now)
  end
  return string.char(CURRENT) .. head
end

local function update(keys, args)
  local applied = updatePlain(keys[1], args)
  if applied then
    return applied
  end
  local key, d = readKey(args[1]), readDelta(args)
  moveDelta(d, key.shift)
  local r, damaged = readRecord(getWithEntries(keys[1], d.ops))
  if damaged then
    return { DAMAGED }
  end
  local change = r and newChange(r, d.ops)
  local verdict, at = admit(r, key, purposeOf(d))
  if verdict == REUSED then
    saveMark(r, key.now)
  end
  local kind
  verdict, kind = judgeRenewal(r, change, d, at, key, verdict)
  if verdict ~= OK then
    savePresentation(r, key.now)
    return { verdict }
  end
  if d.kind and d.kind ~= r.kind then
    return { OTHER_KIND, r.kind }
  end
  if key.ticket and not (kind and isRedeemable(r, d.redeem)) then
    return { CONFLICT }
  end
  local field, limit
  verdict, field, limit = planChange(change, d)
  if verdict ~= OK then
    return { verdict, field or '', limit or 0 }
  end
  verdict = checkValues(keys, d.numbers, key, d.barred)
  if verdict ~= OK then
    return { verdict }
  end

  local outliving = NONE
  if d.deadline and d.deadline - r.created > LONG_LIFE then
    outliving = indexedFields(keys[1])
  end
  local undelivered = isUndelivered(r) and r.ticket
  local outcome, current = registerValues(keys, d.numbers), kind or isCurrent(r, at)
  if current then
    outcome = outcome + CURRENT
  end
  if kind then
    outcome = outcome + WON
    renew(r, kind, d.renewal, at, key.now)
  end
  if kind and d.ticket then
    r.ticket, r.ticketChanged = nextTicket(d.ticket, undelivered), true
  end
  if key.ticket then
    r.ticket, r.ticketChanged = false, true
  end
  reschedule(r, d, undelivered)
  r.size = change.size
  local set, gone = fieldsToSave(change)
  local head = saveRecord(r, set, gone, key.now)
  if #change.replaced + #outliving > 0 then
    return { OK, string.char(outcome) .. head, change.replaced, outliving }
  end
  return string.char(outcome) .. head
end
