-- Collections of facts: what is appended, and trimmed from the front.

local channel, batch, head = require('channel'), require('batch'), require('head')
local facts = {}

-- A fact as it is kept, and on its way: offset, length of the rest, operation, collection, time, key and body.
local function encode(collection, offset, operation)
  local key, body = operation.key, operation.body
  return struct.pack('>dI4BBdI4', offset, 14 + #key + #body, channel.APPEND, collection.number, operation.at, #key) .. key .. body
end

-- Answers the entry.
function facts.append(collection, operation, offset)
  local index = collection.first + collection.count
  if index % channel.SEGMENT == 0 and collection.count > 0 then
    redis.call('RENAME', channel.listOf(collection), channel.listOf(collection, channel.text(index / channel.SEGMENT - 1)))
  end
  local entry = encode(collection, offset, operation)
  if redis.call('RPUSH', channel.listOf(collection), entry) == 1 then head.isFresh = true end
  collection.count, collection.bytes = collection.count + 1, collection.bytes + #operation.body
  if collection.count == 1 then collection.oldestAt = operation.at end
  return entry
end

local function oldestAt(collection)
  if collection.oldestAt < 0 then
    local first = redis.call('LINDEX', channel.segmentOf(collection, collection.first), 0)
    collection.oldestAt = struct.unpack('>d', first, 15)
  end
  return collection.oldestAt
end

function facts.trim(collection, retention, at)
  while collection.count > 0 do
    if collection.count <= retention.entries and collection.bytes <= retention.bytes then
      if retention.forMs == math.huge or oldestAt(collection) >= at - retention.forMs then return end
    end
    local portion = math.max(1, math.min(collection.count - retention.entries, 64))
    for _, entry in ipairs(redis.call('LPOP', channel.segmentOf(collection, collection.first), portion)) do
      local offset, _, _, _, _, keyBytes = struct.unpack('>dI4BBdI4', entry)
      collection.first, collection.count = collection.first + 1, collection.count - 1
      collection.bytes = collection.bytes - (#entry - 26 - keyBytes)
      collection.floor = math.max(collection.floor, offset)
    end
    collection.oldestAt, batch.isTouched = -1, true
  end
end

return facts
