-- Settles one registration that somebody has met in the index of a value: with
-- 'revoke', a session that carries the value ends. A registration that does not
-- count is withdrawn, so that its commit, should it be under way, registers once
-- more: it meets the revocation then, or is found by the next look-up.
--
-- Answers whether the member may be removed, and whether a live session ended.
local what, now, kind, field, value, number = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local r, damaged = readRecord(KEYS[1], { field })
if damaged then
  return { OK, 0, 0 }
end
local carries, counts = false, false
if r and r.ended == 0 then
  local text = r.fields[OWN_FIELDS + 1]
  carries = r.kind == kind and text and text:sub(1, 1) == '@' and text:sub(2 + NUMBER_SIZE) == value
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
redis.call('SADD', KEYS[2], number)
redis.call('PEXPIRE', KEYS[2], WITHDRAWN_LIFE)
return { OK, 1, 0 }
