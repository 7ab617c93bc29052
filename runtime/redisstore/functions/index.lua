-- The index of one value is a sorted set without scores, whose members are the
-- id of a session and the number of one registration. The record holds the
-- number of the registration that counts, before the value. All other members
-- are left behind, and whoever looks at them removes them.

local ID_SIZE = 16

-- isInForce tells whether a revocation still counts, as runtime.Revocation does.
local function isInForce(at, now)
  return now - at > -MARK_LIFE and now - at < REVOCATION_LIFE
end

-- isBarred tells whether the value was revoked after the request had arrived.
-- A revocation is its time and the ids that it excepts.
local function isBarred(revoked, now, arrived, id)
  for _, packed in ipairs(redis.call('HVALS', revoked)) do
    local at = struct.unpack('>i8', packed)
    local bars = at > arrived and isInForce(at, now)
    for i = 9, #packed, ID_SIZE do
      bars = bars and packed:sub(i, i + ID_SIZE - 1) ~= id
    end
    if bars then
      return true
    end
  end
  return false
end

-- registerMember adds a member and returns whether it is time to look for those
-- that are left behind.
local function registerMember(index, member)
  redis.call('ZADD', index, 0, member)
  redis.call('PEXPIRE', index, INDEX_LIFE)
  local n = redis.call('ZCARD', index)
  return n >= CROWD and n % TIDY_EVERY == 0
end

-- indexedFields returns the fields and texts of all indexed entries, in turns.
local function indexedFields(name)
  local fields, indexed = redis.call('HGETALL', name), {}
  for i = 1, #fields, 2 do
    if fields[i]:sub(1, 1) ~= '.' and fields[i + 1]:sub(1, 1) == '@' then
      indexed[#indexed + 1] = fields[i]
      indexed[#indexed + 1] = fields[i + 1]
    end
  end
  return indexed
end

-- The values of one commit have a number each. Where the store is no Cluster,
-- the keys of the index follow the first two keys, two for each value, and of a
-- creation that of the revocations of the kind.

local function idOf(keys)
  return (keys[1]:match('{(%x+)}$'):gsub('%x%x', function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

-- checkValues judges the values of a commit, whose registrations may have been
-- withdrawn before it came. On a Cluster the step before has found out whether one
-- of them is barred.
local function checkValues(keys, numbers, key, barred)
  for i, number in ipairs(numbers) do
    if redis.call('SISMEMBER', keys[2], number) == 1 then
      return WITHDRAWN
    end
    local revoked = keys[2 + 2 * i]
    if revoked and isBarred(revoked, key.now, key.arrived, idOf(keys)) then
      return ENDED
    end
  end
  return barred and ENDED or OK
end

-- registerValues returns CROWDED where an index is to be tidied, 0 otherwise.
local function registerValues(keys, numbers)
  local crowded = 0
  for i, number in ipairs(numbers) do
    local index = keys[1 + 2 * i]
    if index and registerMember(index, idOf(keys) .. number) then
      crowded = CROWDED
    end
  end
  return crowded
end
