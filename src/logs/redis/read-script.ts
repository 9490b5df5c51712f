/**
 * Reads one channel. Changes nothing, so a full Redis can be read.
 *
 * KEYS: as of the write script. ARGV: format, what (`head`, `last`, `all` or `fold`), then `after` (of `last`: how many
 * events), `through`, how many entries at most, how many bytes at most.
 *
 * Answers {0, epoch, generation, the partition's top, the channel's top, its floor, next, entries},
 * or {1, the format that is there}, or {2} when the partition has no epoch yet.
 */
export const READ_SCRIPT = `#!lua flags=no-writes
local stored = redis.call('HMGET', KEYS[1], 'format', 'epoch', 'top', 'generation')
if not stored[1] then
  if redis.call('EXISTS', KEYS[1]) == 1 then return {1, ''} end
  return {2}
end
if stored[1] ~= ARGV[1] then return {1, stored[1]} end
if not stored[2] then return {2} end
local headTop, floor, events = 0, 0, 0
local packed = redis.call('GET', KEYS[2])
if packed then headTop, floor, events = struct.unpack('>ddd', packed) end

local what, after, through = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local entriesMax, bytesMax = tonumber(ARGV[5]), tonumber(ARGV[6])
local function answer(next, entries)
  return {0, stored[2], tonumber(stored[4]), tonumber(stored[3]), headTop, floor, next, entries}
end
local function text(number) return string.format('%.0f', number) end

if what == 'head' then return answer(0, '') end

if what == 'last' then
  local count = after
  if count <= 0 then return answer(headTop, '') end
  if count >= events then return answer(floor, '') end
  return answer(math.max(floor, struct.unpack('>d', redis.call('LINDEX', KEYS[3], -count)) - 1), '')
end

local limit = math.min(through, headTop)
if after >= limit then return answer(after, '') end

-- Three lists in the order of offsets, each read in portions of elements: offset, the record's length, the record.
local function list(fetch)
  return { fetch = fetch, from = after, at = 1, size = 0, portion = 4, isDone = false }
end

local count, bytes = 0, 0

-- As many as will likely fit: a portion is copied into the script's memory, and bodies may be large.
local function portionOf(source)
  source.portion = math.min(source.portion * 2, 128, entriesMax + 1)
  if count == 0 or bytes == 0 then return source.portion end
  return math.min(source.portion, math.max(1, math.ceil((bytesMax - bytes) * count / bytes) + 1))
end

local function peek(source)
  if source.at <= source.size then return source.offsets[source.at] end
  if source.isDone then return nil end
  source.offsets, source.elements, source.at = {}, {}, 1
  source.fetch(source, portionOf(source))
  source.size = #source.offsets
  if source.size == 0 then source.isDone = true return nil end
  source.from = source.offsets[source.size]
  return source.offsets[1]
end

-- The index of the first event behind \`after\`. Most who read are near the end, so it is looked for from there.
local function firstEvent()
  local function isBehind(index) return struct.unpack('>d', redis.call('LINDEX', KEYS[3], index)) > after end
  local low, high, step = events, events, 1
  while low > 0 do
    low = math.max(0, high - step)
    if not isBehind(low) then low = low + 1 break end
    high, step = low, step * 2
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBehind(middle) then high = middle else low = middle + 1 end
  end
  return low
end

local function fetchEvents(source, portion)
  source.index = source.index or firstEvent()
  for i, element in ipairs(redis.call('LRANGE', KEYS[3], source.index, source.index + portion - 1)) do
    local offset = struct.unpack('>d', element)
    if offset > limit then break end
    source.offsets[i], source.elements[i] = offset, element
    source.index = source.index + 1
  end
end

local function fetchKeyed(key)
  return function(source, portion)
    local found = redis.call('ZRANGE', key, '(' .. text(source.from), text(limit), 'BYSCORE', 'LIMIT', 0, portion, 'WITHSCORES')
    for i = 1, #found, 2 do
      local identity, record = found[i], redis.call('HGET', KEYS[4], found[i])
      local at, offset = #source.offsets + 1, tonumber(found[i + 1])
      local head = struct.pack('>dI4', offset, #record + 3 + #identity) .. string.sub(record, 1, 9)
      source.offsets[at] = offset
      source.elements[at] = head .. struct.pack('>I4', #identity - 1) .. string.sub(identity, 2) .. string.sub(record, 10)
    end
  end
end

local lists = { list(fetchKeyed(KEYS[5])) }
if what == 'all' then
  lists[2] = list(fetchEvents)
  lists[3] = list(fetchKeyed(KEYS[6]))
end

local parts, last = {}, after
while true do
  local lowest, source
  for _, each in ipairs(lists) do
    local offset = peek(each)
    if offset and (not lowest or offset < lowest) then lowest, source = offset, each end
  end
  if not source then return answer(limit, table.concat(parts)) end
  local element = source.elements[source.at]
  bytes = bytes + #element - 25 - struct.unpack('>I4', element, 22)
  if count > 0 and (count >= entriesMax or bytes > bytesMax) then return answer(last, table.concat(parts)) end
  count, last, source.at = count + 1, lowest, source.at + 1
  parts[count] = element
end
`
