-- create stores a new record. The first argument goes on after the key with its
-- end, how many values it is found by and whether one of them is barred; the
-- number of each follows, and the fields.

local CREATION = '>i8i8B'

local function create(keys, args)
  local key = readKey(args[1])
  local expires, count, barred = struct.unpack(CREATION, args[1], KEY_SIZE + 1)
  local old, damaged = readRecord(get(keys[1]))
  if damaged then
    return { DAMAGED }
  end
  if old and key.now < old.expires then
    return { EXISTS }
  end
  local numbers, fields = slice(args, 2, 1 + count), slice(args, 2 + count, #args)
  moveFields(fields, key.shift)
  local ofKind = keys[3 + 2 * count]
  if ofKind and isBarred(ofKind, key.now, key.arrived, idOf(keys)) then
    return { ENDED }
  end
  local verdict = checkValues(keys, numbers, key, barred == 1)
  if verdict ~= OK then
    return { verdict }
  end
  local outcome = registerValues(keys, numbers)
  if old then
    redis.call('DEL', keys[1])
  end
  setFields(keys[1], fields)
  expireWithMargin(keys[1], expires + key.shift, key.now)
  return string.char(outcome)
end
