-- The channel's head, found or begun.

local channel, batch, epoch = require('channel'), require('batch'), require('epoch')
local COLLECTIONS_MAX = 255

local packed = redis.call('GET', channel.head)
local head = channel.decodeHead(packed)
head.before = packed
-- Whether there may be a key of the channel that has no expiry yet.
head.isFresh = false

if not packed then
  head.base = channel.forgottenBy(epoch.forgotten, epoch.fading)
  if batch.hasOperations or batch.pinMs > 0 then
    local parts = { channel.values, channel.order, channel.pieces, channel.accounts }
    for number = 0, 3 do parts[#parts + 1] = channel.listOf({ number = number }) end
    -- an operator has deleted the head alone
    if redis.call('EXISTS', unpack(parts)) > 0 then
      redis.call('UNLINK', unpack(parts))
      head.base = epoch.top
    end
  end
  head.top = head.base
end

-- A new collection; nil when there are too many.
function head.beginCollection(name, kind)
  if #head.list >= COLLECTIONS_MAX then return nil end
  local collection = { number = #head.list, name = name, kind = kind, floor = 0, count = 0, bytes = 0, oldestAt = -1,
    untilMs = 0, first = 0, removals = 0, oldestRemovalAt = -1, forgottenVersion = 0, growing = 0 }
  head.list[#head.list + 1], head.named[name] = collection, collection
  return collection
end

function head.encode()
  local parts = { struct.pack('>dddddddB', head.top, head.base, head.keptUntil, head.pinnedUntil,
    head.idempotencyKeysKeptUntil, head.answersKeptUntil, head.firstExpiry, #head.list) }
  for _, collection in ipairs(head.list) do
    parts[#parts + 1] = struct.pack('>BI2c0ddddd', collection.kind, #collection.name, collection.name, collection.floor,
      collection.count, collection.bytes, collection.oldestAt, collection.untilMs)
    parts[#parts + 1] = collection.kind == channel.FACTS and struct.pack('>d', collection.first)
      or struct.pack('>dddd', collection.removals, collection.oldestRemovalAt, collection.forgottenVersion, collection.growing)
  end
  return table.concat(parts)
end

-- Keeps the head. Only a channel that has an end, or had one, needs more.
function head.keep()
  local untilMs = 0
  for _, collection in ipairs(head.list) do untilMs = math.max(untilMs, collection.untilMs) end
  if untilMs < math.huge or head.keptUntil > 0 then return require('expiry').keepHead(untilMs) end
  redis.call('SET', channel.head, head.encode())
end

-- Whether no entry, value or removal is left.
function head.isEmpty()
  for _, collection in ipairs(head.list) do
    if collection.count > 0 or collection.kind == channel.KEYED and collection.removals > 0 then return false end
  end
  return true
end

-- Notes by when all of a collection has outlived its time.
function head.settleEnd(collection, retention, at)
  local values = collection.count > 0 and retention.forMs or 0
  local removals = collection.kind == channel.KEYED and collection.removals > 0 and retention.removalsForMs or 0
  if values == 0 and removals == 0 then
    collection.untilMs = 0
    return
  end
  local before = collection.untilMs < math.huge and collection.untilMs or 0
  collection.untilMs = math.max(before, at + math.max(values, removals))
end

return head
