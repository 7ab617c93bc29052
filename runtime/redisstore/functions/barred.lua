-- barred tells whether a creation is barred by a revocation of its kind: the step
-- after it on a Cluster.
local function barred(keys, args)
  local key = readKey(args[1])
  return { isBarred(keys[1], key.now, key.arrived, args[2]) and ENDED or OK }
end

-- undo removes what such a creation has stored. Nobody has its token.
local function undo(keys, args)
  local r = readRecord(get(keys[1]))
  if r and r.proof == args[1] then
    redis.call('DEL', keys[1])
  end
  return { OK }
end
