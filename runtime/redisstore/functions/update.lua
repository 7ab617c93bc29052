-- update applies a delta. Everything is checked before anything is written,
-- because the server does not roll a function back. Where the delta is applied,
-- it answers with a string: a byte for what came of it, and the head. With it
-- come, if there are any, the entries that were replaced because they are no
-- counters, and the indexed entries of a session that may outlive its indexes.

local function updateFully(keys, args)
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

local function update(keys, args)
  return updatePlain(keys, args) or updateFully(keys, args)
end
