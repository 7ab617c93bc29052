-- What a delta makes of the stored entries.

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
