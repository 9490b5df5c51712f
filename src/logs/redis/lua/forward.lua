-- A page of entries in the order of their offsets, merged from sources. Answers where the next page begins, and the entries.

local channel, request, page = require('channel'), require('request'), require('page')
local after, head = request.after, request.head
local limit = math.min(request.through, head.top)
if after >= limit then return { next = after, entries = {} } end

-- Of the entries of the page: their offsets, sizes, and which are keys that grow.
local offsets, sizes, keys = {}, {}, {}

local function add(entry, offset, size)
  page.add(entry, size)
  offsets[page.count], sizes[page.count] = offset, size
end

-- A source has the offset of what it stands at, and takes that onto the page if there is room.
local function sourceOfFacts(collection)
  local search = require('search')
  local index, last = search.firstBehind(collection, after), collection.first + collection.count - 1
  local entries, at, portion = {}, 0, 4
  local source = {}
  function source.advance()
    at = at + 1
    if at > #entries then
      if index > last then
        source.offset = nil
        return
      end
      portion = page.portionAfter(portion)
      local to = math.min(index + portion - 1, last, (math.floor(index / channel.SEGMENT) + 1) * channel.SEGMENT - 1)
      entries, at = search.factsFrom(collection, index, to), 1
      index = to + 1
    end
    source.offset = struct.unpack('>d', entries[at])
  end
  function source.take()
    local size = page.sizeOfFact(entries[at])
    if page.isFull(size) then return false end
    add(entries[at], source.offset, size)
    return true
  end
  return source
end

local function takeKey(key)
  local growing = require('growing')
  local offset, from, to, operation = growing.partAt(key.record, limit)
  if page.isFull(to - from) then return false end
  add(growing.encode(key, offset, from, to, operation), offset, to - from)
  if key.record.form == require('value').GROWING then keys[page.count] = key end
  return true
end

local function sourceOfKeys(purpose, collection)
  local value = require('value')
  local prefix = value.orderPrefix(purpose, collection)
  local members, at, from, portion, name = {}, 0, after, 4
  local source = {}
  function source.advance()
    at = at + 1
    if at > #members then
      portion = math.min(portion * 2, 128)
      members = redis.call('ZRANGE', channel.order, '[' .. prefix .. struct.pack('>d', from + 1),
        '(' .. prefix .. struct.pack('>d', limit + 1), 'BYLEX', 'LIMIT', 0, portion)
      at = 1
      if #members == 0 then
        source.offset = nil
        return
      end
    end
    source.offset, name = value.orderParts(members[at])
    from = source.offset
  end
  function source.take()
    return takeKey({ collection = collection, name = name, record = value.find(collection, name) })
  end
  return source
end

local function sourceOfGrowing(collection)
  local found, at, source = require('growing').across(collection, limit), 0, {}
  table.sort(found, function(one, other) return one.offset < other.offset end)
  function source.advance()
    at = at + 1
    source.offset = found[at] and found[at].offset
  end
  function source.take() return takeKey(found[at]) end
  return source
end

local sources = {}
for _, collection in ipairs(request.chosen) do
  if collection.kind == channel.KEYED then
    if collection.count > 0 then sources[#sources + 1] = sourceOfKeys('v', collection) end
    if collection.growing > 0 and limit < head.top then sources[#sources + 1] = sourceOfGrowing(collection) end
    if collection.removals > 0 and request.what == 'all' then sources[#sources + 1] = sourceOfKeys('t', collection) end
  elseif collection.count > 0 and request.what == 'all' then
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

if fill() then return { next = limit, entries = page.entries } end
local last = offsets[page.count]
if request.what == 'fold' then return { next = last, entries = page.entries } end

-- The page ends early, perhaps while values grew: they are in it, too, with what they were there.
local across = {}
for _, collection in ipairs(request.chosen) do
  if collection.kind == channel.KEYED and collection.growing > 0 then
    for _, key in ipairs(require('growing').across(collection, last)) do across[#across + 1] = key end
  end
end
if #across == 0 then return { next = last, entries = page.entries } end
local fixed = {}
for index = 1, page.count do
  local key = keys[index]
  if not key then fixed[#fixed + 1] = { offset = offsets[index], size = sizes[index], entry = page.entries[index] }
  elseif key.record.offset <= last then across[#across + 1] = key end
end
local next, entries = require('growing').fit(fixed, across, last)
return { next = next, entries = entries }
