-- bar marks a value as revoked, and forgets the marks whose time is over.
local function bar(keys, args)
  local now, name, excepted = tonumber(args[1]) or serverTime(), args[2], args[3]
  local marks = redis.call('HGETALL', keys[1])
  for i = 1, #marks, 2 do
    if not isInForce(struct.unpack('>i8', marks[i + 1]), now) then
      redis.call('HDEL', keys[1], marks[i])
    end
  end
  redis.call('HSET', keys[1], name, struct.pack('>i8', now) .. excepted)
  redis.call('PEXPIRE', keys[1], math.floor(REVOCATION_LIFE / 1000) + MARGIN)
  return { OK }
end
