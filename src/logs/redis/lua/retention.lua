-- Collections of keys: what is taken away. A floor rises only with what is lost: a value that was replaced is not.

local channel, batch, value = require('channel'), require('batch'), require('value')
local retention = {}

-- How many keys with a value each account has, by collection and account.
local accounts
function retention.accounts()
  accounts = accounts or require('tally')(channel.accounts)
  return accounts
end

function retention.keepAccounts()
  if accounts then accounts.keep() end
end

-- Drops what a growing value has beside its record.
function retention.dropGrowth(collection, key, record)
  if record.form ~= value.GROWING then return end
  redis.call('ZREM', channel.order, value.growthMember(collection, record, key))
  collection.growing = collection.growing - 1
  for from = 0, record.blocks - 1, 500 do
    local fields = {}
    for index = from, math.min(from + 500, record.blocks) - 1 do
      fields[#fields + 1] = value.blockField(record, index)
    end
    redis.call('HDEL', channel.pieces, unpack(fields))
  end
end

-- A key has no value any more.
function retention.uncountKey(collection, key, record)
  redis.call('ZREM', channel.order, value.orderMember('v', collection, record.offset, key),
    value.orderMember('c', collection, record.created, key))
  retention.dropGrowth(collection, key, record)
  collection.count, collection.bytes, collection.oldestAt = collection.count - 1, collection.bytes - record.bytes, -1
  if record.account ~= '' then retention.accounts().add(string.char(collection.number) .. record.account, -1) end
end

-- A removal is not remembered any more.
function retention.uncountRemoval(collection, key, record)
  redis.call('ZREM', channel.order, value.orderMember('t', collection, record.offset, key))
  collection.removals, collection.oldestRemovalAt = collection.removals - 1, -1
end

local function lose(collection, key, record)
  redis.call('HDEL', channel.values, value.identityOf(collection, key))
  collection.floor = math.max(collection.floor, record.offset)
  collection.forgottenVersion = math.max(collection.forgottenVersion, record.version)
  batch.isTouched = true
end

local function oldest(purpose, collection)
  local prefix = value.orderPrefix(purpose, collection)
  local first = redis.call('ZRANGE', channel.order, '[' .. prefix, '(' .. prefix .. '\255', 'BYLEX', 'LIMIT', 0, 1)[1]
  local _, key = value.orderParts(first)
  return key, value.find(collection, key)
end

function retention.trimKeys(collection, limits, at)
  while collection.count > 0 do
    local isBeyond = collection.count > limits.entries or collection.bytes > limits.bytes
    if not isBeyond and limits.forMs == math.huge then return end
    if not isBeyond and collection.oldestAt >= at - limits.forMs then return end
    local key, record = oldest('c', collection)
    collection.oldestAt = record.createdAt
    if not isBeyond and collection.oldestAt >= at - limits.forMs then return end
    retention.uncountKey(collection, key, record)
    lose(collection, key, record)
  end
end

local function trimRemovals(collection, limits, at)
  while collection.removals > 0 do
    local isBeyond = collection.removals > math.max(batch.tombstonesMax, collection.count)
    if not isBeyond and limits.removalsForMs == math.huge then return end
    if not isBeyond and collection.oldestRemovalAt >= at - limits.removalsForMs then return end
    local key, record = oldest('t', collection)
    collection.oldestRemovalAt = record.at
    if not isBeyond and collection.oldestRemovalAt >= at - limits.removalsForMs then return end
    retention.uncountRemoval(collection, key, record)
    lose(collection, key, record)
  end
end

function retention.trim(collection, limits, at)
  retention.trimKeys(collection, limits, at)
  trimRemovals(collection, limits, at)
end

return retention
