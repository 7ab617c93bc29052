-- finish ends a session if it is a live one of the kind, and answers whether it was.
local function finish(keys, args)
  local now, kind = tonumber(args[1]) or serverTime(), args[2]
  local r, damaged = readRecord(get(keys[1]))
  if damaged then
    return { DAMAGED }
  end
  if not r or r.kind ~= kind or r.ended ~= 0 or now >= r.expires then
    return { OK, 0 }
  end
  saveMark(r, now)
  return { OK, 1 }
end
