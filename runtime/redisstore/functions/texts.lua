-- The texts of entries. An entry is the hash field of its key. The first letter of its
-- text tells the kind: '=' plain, '@' indexed, '+' counter. A counter that cannot be read
-- is taken for a plain entry.

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
