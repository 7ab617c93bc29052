-- register puts a session into the index of one value: the step before a commit
-- on a Cluster, where the value may belong to another shard than the session.
local function register(keys, args)
  local key, member = readKey(args[1]), args[2]
  if isBarred(keys[2], key.now, key.arrived, member:sub(1, ID_SIZE)) then
    return { ENDED }
  end
  return { OK, registerMember(keys[1], member) and 1 or 0 }
end
