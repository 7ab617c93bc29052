-- The functions judge by the server's clock, unless the key says that the
-- program's counts. A program sends its times as it takes the server's clock to be.

-- NONE is a list that nobody changes.
local NONE = {}

local function toMillisecond(time)
  return math.floor(time / 1000) * 1000
end

local function serverTime()
  local parts = redis.call('TIME')
  return parts[1] * 1000000 + parts[2]
end

-- readClock returns the time to judge by, when the request arrived, and by how much
-- the other times that the program sends are to be moved. What the server is behind
-- or ahead by less than LEEWAY is the way of the call. What it differs by more comes
-- of a clock that the program does not know yet: then its times are relative to what
-- it takes for now.
local function readClock(now, arrived, byProgram)
  if byProgram then
    return now, arrived, 0
  end
  local server = serverTime()
  local late = server - now
  if math.abs(late) >= LEEWAY then
    return server, arrived + late, toMillisecond(late)
  end
  return server, arrived + math.min(0, late), 0
end

-- moveFields moves the times among the own fields of a new record.
local TIMES = { ['.h'] = { 1, 7 }, ['.t'] = { 34, 1 } } -- where they begin, and how many
for i = 1, MAX_EARLIER do
  TIMES['.' .. i] = { 34, 2 }
end

local function moveFields(fields, by)
  for i = 1, by ~= 0 and #fields or 0, 2 do
    local at, count = unpack(TIMES[fields[i]] or NONE)
    for _ = 1, count or 0 do
      local text = fields[i + 1]
      local time = struct.unpack('>i8', text, at)
      if time ~= 0 then
        fields[i + 1] = text:sub(1, at - 1) .. struct.pack('>i8', time + by) .. text:sub(at + 8)
      end
      at = at + 8
    end
  end
end
