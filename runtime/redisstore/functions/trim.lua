-- begin_trim answers whether the index of a value has more members than there may be
-- sessions. If so, the caller has it for itself for a while, or is to come again: one
-- at a time looks at the sessions, which may lie on other shards, and ends some.
local function beginTrim(keys, args)
  local most, token, life = tonumber(args[1]), args[2], args[3]
  if redis.call('ZCARD', keys[1]) <= most then
    return { OK, 0 }
  end
  if not redis.call('SET', keys[2], token, 'NX', 'PX', life) then
    return { CONFLICT }
  end
  return { OK, 1 }
end

local function endTrim(keys, args)
  if redis.call('GET', keys[2]) == args[1] then
    redis.call('DEL', keys[2])
  end
  return { OK }
end
