-- Ends a session.
local key = readKey()
local r, damaged = readRecord(KEYS[1])
if damaged then
  return { DAMAGED }
end
local verdict = admit(r, key, true)
if verdict == NOT_FOUND or verdict == ENDED then
  return { OK }
end
local kept = verdict == OK and key.ticket and not r.ticket.sole
if (verdict == OK or verdict == REUSED) and not kept then
  saveMark(r, key.now)
end
return { verdict }
