-- delete ends a session.
local function delete(keys, args)
  local key = readKey(args[1])
  local r, damaged = readRecord(get(keys[1]))
  if damaged then
    return { DAMAGED }
  end
  local verdict = admit(r, key, TO_END)
  if verdict == NOT_FOUND then
    return { OK }
  end
  local kept = verdict == OK and key.ticket and not r.ticket.sole
  if (verdict == OK or verdict == REUSED) and not kept then
    saveMark(r, key.now)
  end
  return { verdict }
end
