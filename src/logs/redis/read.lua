-- Reads one channel. Changes nothing, so a full Redis can be read.
--
-- ARGV: the format, what (`head`, `last`, `all`, `fold`, `back` or `find`), a key, and packed: `after`, `through`, how many
-- entries and how many bytes at most, and the names of the collections; none are all. `last`: `after` is how many facts.
-- `back`: the page ends before `through`.
--
-- Answers {0, epoch, generation, the partition's top, the channel's top, its base, whether it has a head, its collections,
-- next, entries}, or {1, the format that is there}, or {2} when the partition has no epoch yet.
--
-- **Cost.** Each kind of reading costs a logarithm of what is there, and its page. No more than a page is copied: of keys, a
-- source yields offsets, and the value is looked up when its turn has come.

local stored = redis.call('HMGET', PARTITION, 'format', 'epoch', 'top', 'generation', 'forgotten', 'fading')
if not stored[1] then
  if redis.call('EXISTS', PARTITION) == 1 then return { 1, '' } end
  return { 2 }
end
if stored[1] ~= ARGV[1] then return { 1, stored[1] } end
if not stored[2] then return { 2 } end

local packedHead = redis.call('GET', HEAD)
local head = decodeHead(packedHead)
if not packedHead then
  head.top = forgottenBy(tonumber(stored[5] or 0), stored[6] or '')
  head.base = head.top
end

local what, key = ARGV[2], ARGV[3]
local after, through, entriesMax, bytesMax, position = struct.unpack('>dddd', ARGV[4])
local chosen = head.list
if position <= #ARGV[4] then
  chosen = {}
  while position <= #ARGV[4] do
    local name
    name, position = struct.unpack('>I2c0', ARGV[4], position)
    if head.named[name] then chosen[#chosen + 1] = head.named[name] end
  end
end

local function answer(next, parts)
  local collections = {}
  for index, collection in ipairs(head.list) do
    collections[index] = struct.pack('>BdI2c0', collection.number, collection.floor, #collection.name, collection.name)
  end
  return { 0, stored[2], tonumber(stored[4]), tonumber(stored[3]), head.top, head.base, packedHead and 1 or 0,
    table.concat(collections), next, table.concat(parts or {}) }
end

local function factAt(collection, index)
  local number = math.floor(index / SEGMENT)
  return redis.call('LINDEX', segmentOf(collection, index), index - math.max(number * SEGMENT, collection.first))
end

-- The index of the first fact behind an offset. Most readers are near the end, so the search begins there.
local function firstBehind(collection, offset)
  local first, last = collection.first, collection.first + collection.count
  local function isBehind(index) return struct.unpack('>d', factAt(collection, index)) > offset end
  local low, high, step = last, last, 1
  while low > first do
    low = math.max(first, high - step)
    if not isBehind(low) then low = low + 1 break end
    high, step = low, step * 2
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBehind(middle) then high = middle else low = middle + 1 end
  end
  return low
end

-- The facts from one index to another, which are in one list.
local function factsFrom(collection, from, to)
  local start = math.max(math.floor(from / SEGMENT) * SEGMENT, collection.first)
  return redis.call('LRANGE', segmentOf(collection, from), from - start, to - start)
end

local count, bytes, parts = 0, 0, {}

-- Whether an entry has room on the page; at least one has.
local function isFull(size)
  return count > 0 and (count >= entriesMax or bytes + size > bytesMax)
end

local function add(element, size)
  count, bytes = count + 1, bytes + size
  parts[count] = element
end

local function bodyOfFact(element) return #element - 26 - struct.unpack('>I4', element, 23) end

-- As many as will likely fit: a portion is copied into the script's memory, and bodies may be large.
local function portionAfter(portion)
  local grown = math.min(portion * 2, 128, entriesMax + 1)
  if count == 0 or bytes == 0 then return grown end
  return math.min(grown, math.max(1, math.ceil((bytesMax - bytes) * count / bytes) + 1))
end

-- A key with its whole value, or its removal.
local function encodeKey(collection, name, record)
  return encodeChange(record.hasValue and PUT or REMOVE, collection, name, record, wholeValue(record))
end

if what == 'head' then return answer(0) end

if what == 'last' then
  local collection = chosen[1]
  if after <= 0 or not collection or (collection.kind == FACTS and collection.count == 0) then return answer(head.top) end
  local floor = math.max(head.base, collection.floor)
  if collection.kind == KEYED then return answer(floor) end
  local index = collection.first + collection.count - math.min(after, collection.count)
  return answer(math.max(floor, struct.unpack('>d', factAt(collection, index)) - 1))
end

if what == 'find' then
  local collection = chosen[1]
  local record = collection and collection.kind == KEYED and findRecord(collection, key)
  return answer(0, record and { encodeKey(collection, key, record) })
end

if what == 'back' then
  local collection, before = chosen[1], 0
  if not collection then return answer(0) end

  local function readFactsBack()
    local portion, index = 4, firstBehind(collection, through - 1) - 1
    while index >= collection.first do
      portion = portionAfter(portion)
      local from = math.max(index - portion + 1, collection.first, math.floor(index / SEGMENT) * SEGMENT)
      local elements = factsFrom(collection, from, index)
      for at = #elements, 1, -1 do
        local size = bodyOfFact(elements[at])
        if isFull(size) then return before end
        add(elements[at], size)
        before = struct.unpack('>d', elements[at])
      end
      index = from - 1
    end
    return 0
  end

  local function readKeysBack()
    local prefix, limit = orderPrefix('c', collection), through
    while true do
      local members = redis.call('ZRANGE', ORDER, '(' .. prefix .. struct.pack('>d', limit), '[' .. prefix, 'BYLEX', 'REV',
        'LIMIT', 0, math.min(entriesMax + 1, 128))
      if #members == 0 then return 0 end
      for _, member in ipairs(members) do
        local created, name = orderParts(member)
        local record = findRecord(collection, name)
        if isFull(record.bytes) then return before end
        add(encodeKey(collection, name, record), record.bytes)
        before, limit = created, created
      end
    end
  end

  return answer(collection.kind == FACTS and readFactsBack() or readKeysBack(), parts)
end

local limit = math.min(through, head.top)
if after >= limit then return answer(after) end

-- What a page that ends at an offset has of a key: where, from which length of the value to which, and as what.
local function partAt(record, at)
  local offset, to = changeAt(record, at)
  if not record.hasValue then return offset, 0, to, REMOVE end
  if what == 'fold' or record.putOffset > after then return offset, 0, to, PUT end
  local _, from = changeAt(record, after)
  return offset, from, to, EXTEND
end

-- The page so far: offsets, sizes and elements; and of keys that grow, what they are.
local offsets, sizes, growths = {}, {}, {}

local function takeKey(key, at)
  local offset, from, to, operation = partAt(key.record, at)
  if isFull(to - from) then return false end
  local body = bytesBetween(key.record, from, to)
  add(encodeChange(operation, key.collection, key.name, key.record, body, offset), to - from)
  offsets[count], sizes[count] = offset, to - from
  if key.record.form == GROWING then growths[count] = key end
  return true
end

-- Each source yields offsets in their order, and takes what stands there.
local function sourceOfFacts(collection)
  local index, last = firstBehind(collection, after), collection.first + collection.count - 1
  local elements, at, portion = {}, 0, 4
  local source = {}
  function source.advance()
    at = at + 1
    if at > #elements then
      if index > last then source.offset = nil return end
      portion = portionAfter(portion)
      local to = math.min(index + portion - 1, last, (math.floor(index / SEGMENT) + 1) * SEGMENT - 1)
      elements, at = factsFrom(collection, index, to), 1
      index = to + 1
    end
    source.offset = struct.unpack('>d', elements[at])
  end
  function source.take()
    local size = bodyOfFact(elements[at])
    if isFull(size) then return false end
    add(elements[at], size)
    offsets[count], sizes[count] = source.offset, size
    return true
  end
  return source
end

local function sourceOfKeys(purpose, collection)
  local prefix = orderPrefix(purpose, collection)
  local members, at, from, portion, name = {}, 0, after, 4
  local source = {}
  function source.advance()
    at = at + 1
    if at > #members then
      portion = math.min(portion * 2, 128)
      members = redis.call('ZRANGE', ORDER, '[' .. prefix .. struct.pack('>d', from + 1),
        '(' .. prefix .. struct.pack('>d', limit + 1), 'BYLEX', 'LIMIT', 0, portion)
      at = 1
      if #members == 0 then source.offset = nil return end
    end
    source.offset, name = orderParts(members[at])
    from = source.offset
  end
  function source.take()
    return takeKey({ collection = collection, name = name, record = findRecord(collection, name) }, limit)
  end
  return source
end

-- The keys of a collection whose value was put up to an offset and extended behind it, with changes behind `after`.
local function growingAcross(collection, at)
  local prefix, class, found = orderPrefix('g', collection), 0, {}
  while collection.growing > 0 do
    local first = redis.call('ZRANGE', ORDER, '[' .. prefix .. string.char(class), '(' .. prefix .. '\255', 'BYLEX',
      'LIMIT', 0, 1)[1]
    if not first then break end
    class = string.byte(first, 3)
    local of = prefix .. string.char(class)
    local from = math.max(0, at - 2 ^ class + 1)
    for _, member in ipairs(redis.call('ZRANGE', ORDER, '[' .. of .. struct.pack('>d', from),
      '(' .. of .. struct.pack('>d', at + 1), 'BYLEX')) do
      local name = string.sub(member, 12)
      local record = findRecord(collection, name)
      if record.offset > at and changeAt(record, at) > after then
        found[#found + 1] = { collection = collection, name = name, record = record }
      end
    end
    class = class + 1
  end
  return found
end

local function sourceOfGrowing(collection)
  local keys, at, source = growingAcross(collection, limit), 0, {}
  for _, key in ipairs(keys) do key.offset = changeAt(key.record, limit) end
  table.sort(keys, function(one, other) return one.offset < other.offset end)
  function source.advance()
    at = at + 1
    source.offset = keys[at] and keys[at].offset
  end
  function source.take() return takeKey(keys[at], limit) end
  return source
end

local sources = {}
for _, collection in ipairs(chosen) do
  if collection.kind == KEYED then
    if collection.count > 0 then sources[#sources + 1] = sourceOfKeys('v', collection) end
    if collection.growing > 0 and limit < head.top then sources[#sources + 1] = sourceOfGrowing(collection) end
    if collection.removals > 0 and what == 'all' then sources[#sources + 1] = sourceOfKeys('t', collection) end
  elseif collection.count > 0 and what == 'all' then
    sources[#sources + 1] = sourceOfFacts(collection)
  end
end
for _, source in ipairs(sources) do source.advance() end

-- Takes what has room. Answers whether that is all.
local function fill()
  while true do
    local lowest
    for _, source in ipairs(sources) do
      if source.offset and (not lowest or source.offset < lowest.offset) then lowest = source end
    end
    if not lowest or lowest.offset > limit then return true end
    if not lowest.take() then return false end
    lowest.advance()
  end
end

if fill() then return answer(limit, parts) end
if what == 'fold' then return answer(offsets[count], parts) end

-- The page ends early, perhaps while values grew: they are in it, too, with what they were there. That needs room, so it may have
-- to end even earlier. How much they need depends on where it ends, so that is found by halves.
local last, growing = offsets[count], {}
for _, collection in ipairs(chosen) do
  if collection.kind == KEYED then
    for _, key in ipairs(growingAcross(collection, last)) do growing[#growing + 1] = key end
  end
end
if #growing == 0 then return answer(last, parts) end
for index, key in pairs(growths) do
  if key.record.offset <= last then growing[#growing + 1] = key end
  sizes[index] = nil
end

local function hasRoom(at)
  local entries, size = 0, 0
  for index = 1, count do
    if sizes[index] and offsets[index] <= at then entries, size = entries + 1, size + sizes[index] end
  end
  for _, key in ipairs(growing) do
    if key.record.putOffset <= at then
      local offset, from, to = partAt(key.record, at)
      if offset > after then entries, size = entries + 1, size + to - from end
    end
  end
  return entries <= 1 or (entries <= entriesMax and size <= bytesMax)
end

local low, high = after, last + 1
while high - low > 1 do
  local middle = math.floor((low + high) / 2)
  if hasRoom(middle) then low = middle else high = middle end
end

local page = {}
for index = 1, count do
  if sizes[index] and offsets[index] <= low then page[#page + 1] = { offset = offsets[index], element = parts[index] } end
end
for _, key in ipairs(growing) do
  if key.record.putOffset <= low then
    local offset, from, to, operation = partAt(key.record, low)
    if offset > after then
      local body = bytesBetween(key.record, from, to)
      page[#page + 1] =
        { offset = offset, element = encodeChange(operation, key.collection, key.name, key.record, body, offset) }
    end
  end
end
table.sort(page, function(one, other) return one.offset < other.offset end)
for index, entry in ipairs(page) do parts[index] = entry.element end
for index = #page + 1, count do parts[index] = nil end
return answer(page[#page].offset, parts)
