-- Entries, and what a delta makes of them. An entry is the hash field of its
-- key. The first letter of its text tells the kind: '=' plain, '@' indexed, '+'
-- counter.

-- counting makes the functions that work on counts. A count is more than a
-- double holds, so it has two parts of one sign: the last nine digits, and those
-- before them.
local function counting()
  local BILLION = 1000000000

  local function inRange(high, low)
    if high == 9223372036 then
      return low <= 854775807
    end
    if high == -9223372036 then
      return low >= -854775808
    end
    return math.abs(high) < 9223372036
  end

  -- parse returns nil for what is no int64.
  local function parse(text)
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
    return { high = high, low = low }
  end

  -- add returns nil for what leaves the range of int64.
  local function add(a, b)
    local high, low = a.high + b.high, a.low + b.low
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
    return { high = high, low = low }
  end

  local function text(c)
    if c.high == 0 and c.low == 0 then
      return '0'
    end
    local sign = (c.high < 0 or c.low < 0) and '-' or ''
    if c.high == 0 then
      return sign .. string.format('%.0f', math.abs(c.low))
    end
    return sign .. string.format('%.0f%09.0f', math.abs(c.high), math.abs(c.low))
  end

  return { parse = parse, add = add, text = text }
end

-- An entry here is its text and, of a counter, the count. A counter that cannot
-- be read is taken for a plain entry.
local function newEntry(text)
  return { text = text, count = text:sub(1, 1) == '+' and counting().parse(text:sub(2)) or nil }
end

local function valueOf(e)
  local sign = e.text:sub(1, 1)
  if sign == '@' then
    return e.text:sub(2 + NUMBER_SIZE)
  end
  return e.text:sub(2)
end

local function sizeOf(key, e)
  if not e then
    return 0
  end
  if e.count then
    return #key + 8
  end
  return #key + #valueOf(e)
end

-- A change is what a delta makes of the stored entries, before anything of it is
-- written: of each key that it touches, the entry before and after.

-- before returns the stored entry, false for none.
local function before(change, key)
  local e = change.before[key]
  if e == nil then
    local text = redis.call('HGET', change.name, key)
    e = text and newEntry(text)
    change.before[key] = e
  end
  return e
end

local function after(change, key)
  local e = change.after[key]
  if e ~= nil then
    return e
  end
  return before(change, key)
end

local function put(change, key, e)
  before(change, key)
  if change.after[key] == nil then
    change.keys[#change.keys + 1] = key
  end
  change.after[key] = e
end

-- fields makes the functions that work on whole fields.
local function fields(change)
  local stored = {}
  for _, field in ipairs(redis.call('HKEYS', change.name)) do
    if field:sub(1, 1) ~= '.' then
      stored[#stored + 1] = field
    end
  end

  local function clear(field)
    local function belongs(key)
      return key:match('^[^:]*') == field
    end
    for _, key in ipairs(stored) do
      if belongs(key) then
        put(change, key, false)
      end
    end
    for _, key in ipairs(change.keys) do
      if belongs(key) then
        change.after[key] = false
      end
    end
  end

  -- count returns how many elements a field has before and after.
  local function count(field)
    local function isElement(key)
      return key:sub(1, #field + 1) == field .. ':'
    end
    local n, grown = 0, 0
    for _, key in ipairs(stored) do
      n = n + (isElement(key) and 1 or 0)
    end
    for _, key in ipairs(change.keys) do
      if isElement(key) then
        grown = grown + (change.after[key] and 1 or 0) - (change.before[key] and 1 or 0)
      end
    end
    return n, n + grown
  end

  return { clear = clear, count = count }
end

local function add(change, op)
  local counts = counting()
  local old, sum = after(change, op.key), counts.parse(op.text)
  if old and old.count then
    sum = counts.add(old.count, sum)
    if not sum then
      return OVERFLOW, op.key:match('^[^:]*')
    end
  elseif old then
    change.replaced[#change.replaced + 1] = op.key
  end
  if op.dropZero and sum.high == 0 and sum.low == 0 then
    put(change, op.key, false)
  else
    put(change, op.key, newEntry('+' .. counts.text(sum)))
  end
  return OK
end

local function holds(change, op)
  if not op.absent and not op.value then
    return true
  end
  local e = before(change, op.key)
  if op.absent then
    return not e
  end
  return e and not e.count and valueOf(e) == op.value
end

-- apply lets one operation change the entries.
local function apply(change, op)
  if op.what == 'a' then
    return add(change, op)
  end
  if op.what == 'c' then
    fields(change).clear(op.key)
  else
    put(change, op.key, op.what == 's' and newEntry(op.text))
  end
  return OK
end

-- checkLimits binds only a delta that lets the record grow.
local function checkLimits(change, d)
  for _, limit in ipairs(d.limits) do
    local old, new = fields(change).count(limit.field)
    if new > limit.max and new > old then
      return TOO_LARGE, limit.field, limit.max
    end
  end
  local grown = 0
  for _, key in ipairs(change.keys) do
    grown = grown + sizeOf(key, change.after[key]) - sizeOf(key, change.before[key])
  end
  change.grown = grown
  change.size = math.max(0, change.size + grown)
  if d.maxBytes and grown > 0 and change.size > d.maxBytes then
    return TOO_LARGE, '', d.maxBytes
  end
  return OK
end

-- The entries of so many operations are read together with the record.
local READ_AHEAD = 100

local function keysOf(ops)
  local list = {}
  for i = 1, math.min(#ops, READ_AHEAD) do
    list[i] = ops[i].key
  end
  return list
end

-- planChange works out what the delta makes of the entries, and whether it may.
local function planChange(r, d)
  local change = { name = r.name, size = r.size, before = {}, after = {}, keys = {}, replaced = {} }
  if #d.ops == 0 then
    return OK, nil, nil, change
  end
  for i = 1, math.min(#d.ops, READ_AHEAD) do
    local text = r.fields[OWN_FIELDS + i]
    change.before[d.ops[i].key] = text and newEntry(text)
  end
  for _, op in ipairs(d.ops) do
    if not holds(change, op) then
      return CONFLICT, nil, nil, change
    end
  end
  for _, op in ipairs(d.ops) do
    local verdict, field = apply(change, op)
    if verdict ~= OK then
      return verdict, field, 0, change
    end
  end
  local verdict, field, limit = checkLimits(change, d)
  return verdict, field, limit, change
end

local function saveChange(change)
  if #change.keys == 0 then
    return
  end
  local set, gone = {}, {}
  if change.grown ~= 0 then
    set = { '.z', string.format('%.0f', change.size) }
  end
  for _, key in ipairs(change.keys) do
    local new = change.after[key]
    if new then
      set[#set + 1] = key
      set[#set + 1] = new.text
    elseif change.before[key] then
      gone[#gone + 1] = key
    end
  end
  removeFields(change.name, gone)
  setFields(change.name, set)
end
