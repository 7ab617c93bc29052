-- Puts a session into the index of one value: the step before a commit on a
-- Cluster, where the value may belong to another shard than the session.
local now, age, member = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
if isBarred(KEYS[2], now, now - age, member:sub(1, ID_SIZE)) then
  return { ENDED }
end
return { OK, register(KEYS[1], member) and 1 or 0 }
