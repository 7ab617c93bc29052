-- Stores a new record. After the key come its end, how many values it is found
-- by, the number of each, and its fields.
local key = readKey()
local expires, count = tonumber(ARGV[5]), tonumber(ARGV[6])
local old, damaged = readRecord(KEYS[1])
if damaged then
  return { DAMAGED }
end
if old and key.now < old.expires then
  return { EXISTS }
end
local numbers = {}
for i = 7, 6 + count do
  table.insert(numbers, ARGV[i])
end
local values = indexing(numbers)
local verdict = values.check(key.now, key.arrived)
if verdict ~= OK then
  return { verdict }
end
local crowded = values.register()
redis.call('DEL', KEYS[1])
local fields = {}
for i = 7 + count, #ARGV do
  table.insert(fields, ARGV[i])
end
setFields(KEYS[1], fields)
expireWithMargin(KEYS[1], expires, key.now)
return { OK, crowded }
