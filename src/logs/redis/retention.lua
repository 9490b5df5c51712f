-- Trims collections. A floor rises only with what is lost: a value that was replaced is not.

local function isBeyond(collection, retention)
  return collection.count > retention.entries or collection.bytes > retention.bytes
end

local function oldestFactAt(collection)
  if collection.oldestAt < 0 then
    local list = segmentOf(collection, collection.first)
    collection.oldestAt = struct.unpack('>d', redis.call('LINDEX', list, 0), 15)
  end
  return collection.oldestAt
end

local function trimFacts(collection, retention, at)
  while collection.count > 0 do
    if not isBeyond(collection, retention) then
      if retention.forMs == math.huge or oldestFactAt(collection) >= at - retention.forMs then return end
    end
    local portion = math.max(1, math.min(collection.count - retention.entries, 64))
    local list = segmentOf(collection, collection.first)
    for _, element in ipairs(redis.call('LPOP', list, portion)) do
      local offset, _, _, _, _, labelBytes = struct.unpack('>dI4BBdI4', element)
      collection.first, collection.count = collection.first + 1, collection.count - 1
      collection.bytes = collection.bytes - (#element - 26 - labelBytes)
      collection.floor = math.max(collection.floor, offset)
    end
    collection.oldestAt, isTouched = -1, true
  end
end

-- Drops what a growing value has beside its record.
local function dropGrowth(collection, key, record)
  if record.form ~= GROWING then return end
  redis.call('ZREM', ORDER, growthMember(collection, record, key))
  collection.growing = collection.growing - 1
  for from = 0, record.blocks - 1, 500 do
    local fields = {}
    for index = from, math.min(from + 500, record.blocks) - 1 do fields[#fields + 1] = blockField(record, index) end
    redis.call('HDEL', PIECES, unpack(fields))
  end
end

-- A key has no value any more.
local function uncountKey(collection, key, record)
  redis.call('ZREM', ORDER, orderMember('v', collection, record.offset, key),
    orderMember('c', collection, record.created, key))
  dropGrowth(collection, key, record)
  collection.count, collection.bytes, collection.oldestAt = collection.count - 1, collection.bytes - record.bytes, -1
  if record.account ~= '' then keysOf.add(string.char(collection.number) .. record.account, -1) end
end

local function lose(collection, key, record)
  redis.call('HDEL', VALUES, identityOf(collection, key))
  collection.floor = math.max(collection.floor, record.offset)
  collection.forgottenVersion = math.max(collection.forgottenVersion, record.version)
  isTouched = true
end

local function oldestKey(purpose, collection)
  local _, key = orderParts(firstInOrder(purpose, collection))
  return key, findRecord(collection, key)
end

local function trimKeys(collection, retention, at)
  while collection.count > 0 do
    local key, record
    if not isBeyond(collection, retention) then
      if retention.forMs == math.huge then return end
      if collection.oldestAt < 0 then
        key, record = oldestKey('c', collection)
        collection.oldestAt = record.createdAt
      end
      if collection.oldestAt >= at - retention.forMs then return end
    end
    if not key then key, record = oldestKey('c', collection) end
    uncountKey(collection, key, record)
    lose(collection, key, record)
  end
end

local function trimRemovals(collection, retention, at)
  while collection.removals > 0 do
    local isTooMany = collection.removals > math.max(tombstonesMax, collection.count)
    if not isTooMany and retention.removalsForMs == math.huge then return end
    local key, record
    if not isTooMany then
      if collection.oldestRemovalAt < 0 then
        key, record = oldestKey('t', collection)
        collection.oldestRemovalAt = record.at
      end
      if collection.oldestRemovalAt >= at - retention.removalsForMs then return end
    end
    if not key then key, record = oldestKey('t', collection) end
    redis.call('ZREM', ORDER, orderMember('t', collection, record.offset, key))
    collection.removals, collection.oldestRemovalAt = collection.removals - 1, -1
    lose(collection, key, record)
  end
end

-- By when all of the collection has outlived its time.
local function settleEnd(collection, retention, at)
  local values = collection.count > 0 and retention.forMs or 0
  local removals = collection.kind == KEYED and collection.removals > 0 and retention.removalsForMs or 0
  if values == 0 and removals == 0 then collection.untilMs = 0 return end
  local before = collection.untilMs < math.huge and collection.untilMs or 0
  collection.untilMs = math.max(before, at + math.max(values, removals))
end

local function trim(collection, retention, at)
  if collection.kind == FACTS then
    trimFacts(collection, retention, at)
  else
    trimKeys(collection, retention, at)
    trimRemovals(collection, retention, at)
  end
end
