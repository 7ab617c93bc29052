-- load loads a record where something has to be written: the first presentation
-- of a renewed token, or the end of a reused one.
local function load(keys, args)
  local key = readKey(args[1])
  local r, damaged = readRecord(get(keys[1]))
  if damaged then
    return { DAMAGED }
  end
  local verdict = admit(r, key, TO_READ)
  if verdict == REUSED then
    saveMark(r, key.now)
  end
  if verdict ~= OK then
    return { verdict }
  end
  savePresentation(r, key.now)
  return { OK, redis.call('HGETALL', keys[1]) }
end
