-- The short way of an update. It comes first, because a script makes what stands before
-- it in each call.

local DELTA = '>i8i8i8i8' -- the limit in bytes, deadline, activity and its end; 0 for none

local KEY_AND_DELTA = KEY .. DELTA:sub(2)

-- The entries of so many operations are read together with the record.
local READ_AHEAD = 100

-- activeUntil returns the end of the idle limit as activity moves it: the first one
-- given, or that of a limit of the session's own.
local function activeUntil(active, used, idle)
  return idle > 0 and used and used + idle or active
end

-- plainEntries returns the command that reads the head, the proof and the entries
-- of a delta that does nothing but set entries and add to them. For any other it
-- returns nil: one that sets an indexed entry begins with its kind.
local function plainEntries(name, args)
  if #args % 3 ~= 1 or #args > 3 * READ_AHEAD + 1 then
    return nil
  end
  local list = { 'HMGET', name, '.h', '.p' }
  for i = 2, #args, 3 do
    if args[i] ~= 's' and args[i] ~= 'a' then
      return nil
    end
    list[#list + 1] = args[i + 1]
  end
  return list
end

local function isCurrentProof(current, proof)
  return isCurrentSound(current) and current:sub(1, PROOF_SIZE) == proof
end

-- updatePlain is the short way for what most commits are: some entries set, or
-- added to, with the current proof, where nothing is pending. For all else, and
-- for every refusal, it returns nil and has done nothing.
local function updatePlain(keys, args)
  local name = keys[1]
  local list = plainEntries(name, args)
  if not list then
    return nil
  end
  local now, arrived, flags, proof, _, maxBytes, newDeadline, usedNow, active = struct.unpack(KEY_AND_DELTA, args[1])
  local f = redis.call(unpack(list))
  local head = f[1]
  if has(flags, TICKET_FLAG) or newDeadline ~= 0 or not head or #head ~= HEAD_SIZE or not isCurrentProof(f[2], proof) then
    return nil
  end
  local shift
  now, _, shift = readClock(now, arrived, has(flags, CLIENT_CLOCK_FLAG))
  local created, renewed, signedIn, deadline, expires, ended, used, size, count, pending = struct.unpack(HEAD, head)
  if ended ~= 0 or now >= expires or pending % ALL_PENDING ~= 0 then
    return nil
  end
  local set, grown = { 'HSET', name }, 0
  for i = 2, #args, 3 do
    local field, text, old = args[i + 1], args[i + 2], f[(i + 7) / 3]
    if args[i] == 'a' and old then
      local sum = isCounter(old) and addCounts(old:sub(2), text:sub(2))
      if not sum then
        return nil
      end
      text = '+' .. sum
    end
    grown = grown + sizeOf(field, text) - sizeOf(field, old)
    set[#set + 1] = field
    set[#set + 1] = text
  end
  if maxBytes > 0 and grown > 0 and size + grown > maxBytes then
    return nil
  end
  local ending = expires
  active = activeUntil(active ~= 0 and active, usedNow ~= 0 and usedNow, ownIdle(f[2]))
  if active then
    ending = math.min(deadline, math.max(active + shift, expires))
    used = math.max(used, usedNow ~= 0 and usedNow + shift or 0)
  end
  local changed =
    struct.pack(HEAD, created, renewed, signedIn, deadline, ending, ended, used, math.max(0, size + grown), count, pending)
  if changed ~= head then
    head = changed
    set[#set + 1] = '.h'
    set[#set + 1] = head
  end
  if #set > 2 then
    redis.call(unpack(set))
  end
  if ending ~= expires then
    expireWithMargin(name, ending, now)
  end
  return string.char(CURRENT) .. head
end
