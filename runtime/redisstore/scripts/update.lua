-- Applies a delta. Everything is checked before anything is written, because
-- the server does not roll a script back.
local key = readKey()
local d = readDelta(5)
local r, damaged = readRecord(KEYS[1], keysOf(d.ops))
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
local field, limit, change
verdict, field, limit, change = planChange(r, d)
if verdict ~= OK then
  return { verdict, field or '', limit or 0 }
end
local values = #d.numbers > 0 and indexing(d.numbers)
if values then
  verdict = values.check(key.now, key.arrived)
end
if verdict ~= OK then
  return { verdict }
end

-- A session that is prolonged again and again may outlive the index of its
-- values. It names them in time.
local prolonged = {}
if d.deadline and d.deadline - r.created > LONG_LIFE then
  prolonged = indexedFields(KEYS[1])
end

local won = d.renewal and current
if won then
  renew(r, d.renewal, key.now)
end
if d.ticket and current then
  r.ticket, r.ticketChanged = d.ticket, true
end
if key.ticket then
  r.ticket, r.ticketChanged = nil, true
end
reschedule(r, d, key.ticket)
local crowded = values and values.register() or 0
saveChange(change)
saveHead(r, key.now)
return {
  OK, crowded, won and 1 or 0, current and 1 or 0,
  r.created, r.renewed, r.deadline, r.expires, change.replaced, prolonged,
}
