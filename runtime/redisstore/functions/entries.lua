-- Entries, and what a delta makes of them. An entry is the hash field of its
-- key. The first letter of its text tells the kind: '=' plain, '@' indexed, '+'
-- counter. A counter that cannot be read is taken for a plain entry.

local PLAIN, INDEXED, COUNTER = ('=@+'):byte(1, 3)

-- A count is more than a double holds, so it has two parts of one sign: the last
-- nine digits, and those before them.
local BILLION = 1000000000

local EXACT = 15 -- so many digits a double holds, and a sum of two such counts

local function inRange(high, low)
  if high == 9223372036 then
    return low <= 854775807
  end
  if high == -9223372036 then
    return low >= -854775808
  end
  return math.abs(high) < 9223372036
end

-- parseCount returns nil for what is no int64.
local function parseCount(text)
  local sign, digits = text:match('^(-?)(%d+)$')
  if not digits or #digits > 19 then
    return nil
  end
  local high, low = tonumber(digits:sub(1, -10)) or 0, tonumber(digits:sub(-9))
  if sign == '-' then
    high, low = -high, -low
  end
  if not inRange(high, low) then
    return nil
  end
  return high, low
end

-- sumOf returns nil for what leaves the range of int64.
local function sumOf(high, low)
  if low >= BILLION then
    high, low = high + 1, low - BILLION
  elseif low <= -BILLION then
    high, low = high - 1, low + BILLION
  end
  if high < 0 and low > 0 then
    high, low = high + 1, low - BILLION
  elseif high > 0 and low < 0 then
    high, low = high - 1, low + BILLION
  end
  if not inRange(high, low) then
    return nil
  end
  if high == 0 then
    return string.format('%.0f', low)
  end
  return string.format('%s%.0f%09.0f', high < 0 and '-' or '', math.abs(high), math.abs(low))
end

-- addCounts adds two counts, of which the first can be read, and returns nil for
-- what leaves the range of int64.
local function addCounts(a, b)
  if #a <= EXACT and #b <= EXACT then
    return string.format('%.0f', tonumber(a) + tonumber(b))
  end
  local aHigh, aLow = parseCount(a)
  local bHigh, bLow = parseCount(b)
  return sumOf(aHigh + bHigh, aLow + bLow)
end

-- isCounter tells whether the text of an entry, or false, is that of a counter.
local function isCounter(text)
  if not text or text:byte(1) ~= COUNTER then
    return false
  end
  return #text <= EXACT and text:find('^-?%d+$', 2) ~= nil or parseCount(text:sub(2)) ~= nil
end

-- isIndexed tells whether the text of an entry is that of an indexed one.
local function isIndexed(text)
  return text:byte(1) == INDEXED and #text > NUMBER_SIZE
end

local function valueOf(text)
  return text:sub(isIndexed(text) and 2 + NUMBER_SIZE or 2)
end

local function sizeOf(key, text)
  if not text then
    return 0
  end
  local sign = text:byte(1)
  if sign == COUNTER and isCounter(text) then
    return #key + 8
  end
  return #key + math.max(0, #text - (isIndexed(text) and 1 + NUMBER_SIZE or 1))
end

-- The entries of so many operations are read together with the record.
local READ_AHEAD = 100

-- A change is what a delta makes of the stored entries, before anything of it is
-- written: of each key that it touches, the text before and after, false for
-- none.

local function newChange(r, ops)
  local change = { name = r.name, size = r.size, before = {}, after = {}, keys = {}, replaced = NONE, stored = false }
  for i = 1, math.min(#ops, READ_AHEAD) do
    change.before[ops[i].key] = r.fields[OWN_FIELDS + i]
  end
  return change
end

local function before(change, key)
  local text = change.before[key]
  if text == nil then
    text = redis.call('HGET', change.name, key)
    change.before[key] = text
  end
  return text
end

local function after(change, key)
  local text = change.after[key]
  if text ~= nil then
    return text
  end
  return before(change, key)
end

local function put(change, key, text)
  before(change, key)
  if change.after[key] == nil then
    change.keys[#change.keys + 1] = key
  end
  change.after[key] = text
end

-- storedKeys returns the keys of all stored entries.
local function storedKeys(change)
  if not change.stored then
    local keys = {}
    for _, field in ipairs(redis.call('HKEYS', change.name)) do
      if field:sub(1, 1) ~= '.' then
        keys[#keys + 1] = field
      end
    end
    change.stored = keys
  end
  return change.stored
end

local function fieldOf(key)
  return key:match('^[^:]*')
end

local function clear(change, field)
  for _, key in ipairs(storedKeys(change)) do
    if fieldOf(key) == field then
      put(change, key, false)
    end
  end
  for _, key in ipairs(change.keys) do
    if fieldOf(key) == field then
      change.after[key] = false
    end
  end
end

-- countElements returns how many elements a field has before and after.
local function countElements(change, field)
  local start = field .. ':'
  local function isElement(key)
    return key:sub(1, #start) == start
  end
  local n, grown = 0, 0
  for _, key in ipairs(storedKeys(change)) do
    n = n + (isElement(key) and 1 or 0)
  end
  for _, key in ipairs(change.keys) do
    if isElement(key) then
      grown = grown + (change.after[key] and 1 or 0) - (change.before[key] and 1 or 0)
    end
  end
  return n, n + grown
end

local function add(change, op)
  local old, sum = after(change, op.key), op.text:sub(2)
  if isCounter(old) then
    sum = addCounts(old:sub(2), sum)
    if not sum then
      return OVERFLOW, fieldOf(op.key)
    end
  elseif old then
    change.replaced = with(change.replaced, op.key)
  end
  put(change, op.key, (not op.dropZero or sum ~= '0') and '+' .. sum)
  return OK
end

local function holds(change, op)
  if op.absent then
    return not before(change, op.key)
  end
  local text = before(change, op.key)
  if op.count then
    return text == op.count
  end
  if not op.value then
    return true
  end
  return text and not isCounter(text) and valueOf(text) == op.value
end

-- apply lets one operation change the entries.
local function apply(change, op)
  if op.what == 's' then
    put(change, op.key, op.text)
  elseif op.what == 'a' then
    return add(change, op)
  elseif op.what == 'c' then
    clear(change, op.key)
  else
    put(change, op.key, false)
  end
  return OK
end

-- checkLimits binds only a delta that lets the record grow.
local function checkLimits(change, d)
  for _, limit in ipairs(d.limits) do
    local old, new = countElements(change, limit.field)
    if new > limit.max and new > old then
      return TOO_LARGE, limit.field, limit.max
    end
  end
  local grown = 0
  for _, key in ipairs(change.keys) do
    grown = grown + sizeOf(key, change.after[key]) - sizeOf(key, change.before[key])
  end
  change.size = math.max(0, change.size + grown)
  if d.maxBytes > 0 and grown > 0 and change.size > d.maxBytes then
    return TOO_LARGE, '', d.maxBytes
  end
  return OK
end

local function getWithEntries(name, ops)
  local list = get(name)
  for i = 1, math.min(#ops, READ_AHEAD) do
    list[#list + 1] = ops[i].key
  end
  return list
end

-- planChange works out what the delta makes of the entries, and whether it may.
local function planChange(change, d)
  for _, op in ipairs(d.ops) do
    if not holds(change, op) then
      return CONFLICT
    end
  end
  for _, op in ipairs(d.ops) do
    local verdict, field = apply(change, op)
    if verdict ~= OK then
      return verdict, field
    end
  end
  return checkLimits(change, d)
end

-- fieldsOf returns the fields to set, with their texts in turns, and those to
-- remove.
local function fieldsToSave(change)
  local set, gone = {}, {}
  for _, key in ipairs(change.keys) do
    local text = change.after[key]
    if text then
      set[#set + 1] = key
      set[#set + 1] = text
    elseif change.before[key] then
      gone[#gone + 1] = key
    end
  end
  return set, gone
end
