-- update applies a delta. Everything is checked before anything is written,
-- because the server does not roll a function back. Where the delta is applied,
-- it answers with a string: a byte for what came of it, the sum of the numbers
-- below, and the head. With it come, if there are any, the entries that were
-- replaced because they are no counters, and the indexed entries of a session
-- that may outlive its indexes.

local CROWDED, WON, CURRENT = 1, 2, 4

local KEY_AND_DELTA = KEY .. DELTA:sub(2)

-- updateOne is the short way for what most commits are: one entry set, or added
-- to, with the current proof, where nothing is pending. For all else, and for
-- every refusal, it returns nil and has done nothing.
local function updateOne(name, args)
  local what, field, text = args[2], args[3], args[4]
  if #args ~= 4 or what ~= 's' and what ~= 'a' or text:byte(1) == INDEXED then
    return nil
  end
  local now, _, redeems, _, _, proof, maxBytes, newDeadline, active = struct.unpack(KEY_AND_DELTA, args[1])
  local f = redis.call('HMGET', name, '.h', '.p', field)
  local head, old = f[1], f[3]
  if f[2] ~= proof or redeems == 1 or newDeadline ~= 0 or not head or #head ~= HEAD_SIZE then
    return nil
  end
  local created, renewed, deadline, expires, ended, size, count, pending = struct.unpack(HEAD, head)
  if ended ~= 0 or now >= expires or pending ~= 0 then
    return nil
  end
  if what == 'a' and old then
    local sum = isCounter(old) and addCounts(old:sub(2), text:sub(2))
    if not sum then
      return nil
    end
    text = '+' .. sum
  end
  local grown = sizeOf(field, text) - sizeOf(field, old)
  if maxBytes > 0 and grown > 0 and size + grown > maxBytes then
    return nil
  end
  local ending = active == 0 and expires or math.min(deadline, math.max(active, expires))
  if ending == expires and grown == 0 then
    redis.call('HSET', name, field, text)
    return string.char(CURRENT) .. head
  end
  head = struct.pack(HEAD, created, renewed, deadline, ending, ended, math.max(0, size + grown), count, pending)
  redis.call('HSET', name, field, text, '.h', head)
  if ending ~= expires then
    expireWithMargin(name, ending, now)
  end
  return string.char(CURRENT) .. head
end

local function update(keys, args)
  local applied = updateOne(keys[1], args)
  if applied then
    return applied
  end
  local key, d = readKey(args[1]), readDelta(args)
  local r, damaged = readRecord(getWithEntries(keys[1], d.ops))
  if damaged then
    return { DAMAGED }
  end
  local verdict, current = admit(r, key, true)
  if verdict == REUSED then
    saveMark(r, key.now)
  end
  if verdict ~= OK then
    return { verdict }
  end
  if d.kind and d.kind ~= r.kind then
    return { OTHER_KIND, r.kind }
  end
  if d.currentOnly and not current then
    return { SUPERSEDED }
  end
  if key.ticket and not ticketAdmits(r.ticket, d.redeem) then
    return { CONFLICT }
  end
  local change, field, limit
  change, verdict, field, limit = planChange(r, d)
  if verdict ~= OK then
    return { verdict, field or '', limit or 0 }
  end
  verdict = checkValues(keys, d.numbers, key)
  if verdict ~= OK then
    return { verdict }
  end

  local outliving = NONE
  if d.deadline and d.deadline - r.created > LONG_LIFE then
    outliving = indexedFields(keys[1])
  end
  local outcome = registerValues(keys, d.numbers) * CROWDED
  if current then
    outcome = outcome + CURRENT
  end
  if current and d.renewal then
    outcome = outcome + WON
    renew(r, d.renewal, key.now)
  end
  if current and d.ticket then
    r.ticket, r.ticketChanged = d.ticket, true
  end
  if key.ticket then
    r.ticket, r.ticketChanged = false, true
  end
  reschedule(r, d, key.ticket)
  r.size = change.size
  local set, gone = fieldsToSave(change)
  local head = saveRecord(r, set, gone, key.now)
  if #change.replaced + #outliving > 0 then
    return { OK, string.char(outcome) .. head, change.replaced, outliving }
  end
  return string.char(outcome) .. head
end

redis.register_function(LIBRARY .. '_update', update)
