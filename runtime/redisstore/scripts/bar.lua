-- Marks a value as revoked, and forgets the marks whose time is over.
local now, name, packed = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local marks = redis.call('HGETALL', KEYS[1])
for i = 1, #marks, 2 do
  if math.abs(now - struct.unpack('>i8', marks[i + 1])) >= MARK_LIFE then
    redis.call('HDEL', KEYS[1], marks[i])
  end
end
redis.call('HSET', KEYS[1], name, packed)
redis.call('PEXPIRE', KEYS[1], MARK_LIFE / 1000 + MARGIN)
return { OK }
