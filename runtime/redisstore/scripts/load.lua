-- Loads a record where something has to be written: the first presentation of a
-- renewed token, or the end of a reused one.
local key = readKey()
local r, damaged = readRecord(KEYS[1])
if damaged then
  return { DAMAGED }
end
local verdict = admit(r, key, false)
if verdict == REUSED then
  saveMark(r, key.now)
end
if verdict ~= OK then
  return { verdict }
end
if r.earlierChanged then
  saveHead(r, key.now)
end
return { OK, redis.call('HGETALL', KEYS[1]) }
