-- settle settles one registration that somebody has met in the index of a value:
-- with 'revoke', a session that carries the value ends. A registration that does
-- not count is withdrawn, so that its commit, should it be under way, registers
-- once more: it meets the revocation then, or is found by the next look-up.
--
-- It answers whether the member may be removed, and whether a live session ended.
-- A damaged record is nobody's until it is repaired, so it stays in the index.
local function settle(keys, args)
  local what, now, kind, field, value, number = unpack(args)
  now = tonumber(now) or serverTime()
  local list = get(keys[1])
  list[#list + 1] = field
  local r, damaged = readRecord(list)
  if damaged then
    return { DAMAGED }
  end
  local carries, counts = false, false
  if r and r.ended == 0 then
    local text = r.fields[OWN_FIELDS + 1]
    carries = r.kind == kind and text and text:byte(1) == INDEXED and valueOf(text) == value
    counts = carries and text:sub(2, 1 + NUMBER_SIZE) == number
  end
  if carries and what == 'revoke' then
    local live = now < r.expires
    saveMark(r, now)
    return { OK, 1, live and 1 or 0 }
  end
  if counts then
    return { OK, 0, 0 }
  end
  redis.call('SADD', keys[2], number)
  redis.call('PEXPIRE', keys[2], WITHDRAWN_LIFE)
  return { OK, 1, 0 }
end
