-- A page of one collection, the entry created last first. Answers where the next page begins; 0 if there is none.

local channel, request, page = require('channel'), require('request'), require('page')

local function readFacts(collection)
  local search = require('search')
  local portion, before = 4, 0
  local index = search.firstBehind(collection, request.through - 1) - 1
  while index >= collection.first do
    portion = page.portionAfter(portion)
    local from = math.max(index - portion + 1, collection.first, math.floor(index / channel.SEGMENT) * channel.SEGMENT)
    local entries = search.factsFrom(collection, from, index)
    for at = #entries, 1, -1 do
      local size = page.sizeOfFact(entries[at])
      if page.isFull(size) then return before end
      page.add(entries[at], size)
      before = struct.unpack('>d', entries[at])
    end
    index = from - 1
  end
  return 0
end

local function readKeys(collection)
  local value = require('value')
  local prefix, limit, before = value.orderPrefix('c', collection), request.through, 0
  while true do
    local members = redis.call('ZRANGE', channel.order, '(' .. prefix .. struct.pack('>d', limit), '[' .. prefix, 'BYLEX',
      'REV', 'LIMIT', 0, math.min(request.entriesMax + 1, 128))
    if #members == 0 then return 0 end
    for _, member in ipairs(members) do
      local created, key = value.orderParts(member)
      local record = value.find(collection, key)
      if page.isFull(record.bytes) then return before end
      page.add(value.encodeChange(channel.PUT, collection, key, record, value.whole(record)), record.bytes)
      before, limit = created, created
    end
  end
end

return function(collection)
  if collection.kind == channel.FACTS then return readFacts(collection) end
  return readKeys(collection)
end
