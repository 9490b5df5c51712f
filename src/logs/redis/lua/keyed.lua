-- Collections of keys: what changes them.

local channel, batch, head, value = require('channel'), require('batch'), require('head'), require('value')
local judge, retaining, code = require('condition'), require('retention'), require('code')
local keyed = {}
local BLOCK_BYTES = 1024

-- Why there is no room for another key with a value: a code, or nil.
local function lack(operation, collection)
  if operation.account ~= '' then
    local number = collection and collection.number or #head.list
    if retaining.accounts().of(string.char(number) .. operation.account) >= operation.keysMax then
      return code.KEYS_OF_ACCOUNT
    end
  end
  local count, bytes, limits = collection and collection.count or 0, collection and collection.bytes or 0, operation.retention
  -- if the new key pushes another one out, their number does not grow
  local isPushing = count >= limits.entries or bytes + #operation.body > limits.bytes
  if count >= batch.keysMax and not isPushing then return code.KEYS_OF_COLLECTION end
end

-- The same when what is beyond the retention is trimmed.
local function lackOfKeys(operation, collection)
  local before = lack(operation, collection)
  if not before or not collection then return before end
  retaining.trimKeys(collection, operation.retention, operation.at)
  return lack(operation, collection)
end

local function save(collection, key, record)
  if redis.call('HSET', channel.values, value.identityOf(collection, key), value.encode(record)) == 1 then
    head.isFresh = true
  end
end

local function endOfLease(operation) return operation.leaseMs and channel.clock() + operation.leaseMs or math.huge end

-- A key gets a value that had none.
local function list(collection, key, record, before)
  redis.call('ZADD', channel.order, 0, value.orderMember('v', collection, record.offset, key), 0,
    value.orderMember('c', collection, record.created, key))
  if before then retaining.uncountRemoval(collection, key, before) end
  collection.count = collection.count + 1
  if collection.count == 1 then collection.oldestAt = record.createdAt end
  if record.account ~= '' then retaining.accounts().add(string.char(collection.number) .. record.account, 1) end
end

-- It gets another.
local function relist(collection, key, record, before)
  redis.call('ZADD', channel.order, 0, value.orderMember('v', collection, record.offset, key))
  redis.call('ZREM', channel.order, value.orderMember('v', collection, before.offset, key))
  retaining.dropGrowth(collection, key, before)
  collection.bytes = collection.bytes - before.bytes
end

local function put(operation, collection, before, offset)
  local had = before and before.hasValue
  local key = operation.isKeyless and channel.text(offset) or operation.key
  local record = {
    form = value.WHOLE, body = operation.body, bytes = #operation.body, at = operation.at, offset = offset,
    created = had and before.created or offset, createdAt = had and before.createdAt or operation.at,
    version = operation.version or before and before.version or 0, holder = operation.holder,
    lapsesAt = endOfLease(operation), account = had and before.account or operation.account,
  }
  save(collection, key, record)
  if had then relist(collection, key, record, before) else list(collection, key, record, before) end
  collection.bytes = collection.bytes + record.bytes
  return value.encodeChange(channel.PUT, collection, key, record, record.body)
end

local function encodeBlock(start, offset, piece)
  return struct.pack('>I2I4dI4', 1, start, offset, start + #piece) .. piece
end

-- Adds to the last block, or begins another when it has grown large.
local function addPiece(record, piece, offset)
  local last = value.blockField(record, record.blocks - 1)
  if redis.call('HSTRLEN', channel.pieces, last) + 12 + #piece > BLOCK_BYTES then
    redis.call('HSET', channel.pieces, value.blockField(record, record.blocks), encodeBlock(record.bytes, offset, piece))
    record.blocks = record.blocks + 1
    return
  end
  local block = redis.call('HGET', channel.pieces, last)
  local count = struct.unpack('>I2', block)
  local indexEnd = 6 + 12 * count
  redis.call('HSET', channel.pieces, last, struct.pack('>I2', count + 1) .. string.sub(block, 3, indexEnd)
    .. struct.pack('>dI4', offset, record.bytes + #piece) .. string.sub(block, indexEnd + 1) .. piece)
end

-- A value that was whole lies in blocks from now on.
local function beginGrowth(collection, record)
  redis.call('HSET', channel.pieces, value.blockField(record, 0), encodeBlock(0, record.offset, record.body))
  record.form, record.blocks, record.body, head.isFresh = value.GROWING, 1, nil, true
  collection.growing = collection.growing + 1
end

local function extend(operation, collection, record, offset)
  local key, before = operation.key
  if record.form == value.GROWING then before = value.growthMember(collection, record, key)
  else beginGrowth(collection, record) end
  addPiece(record, operation.body, offset)
  redis.call('ZREM', channel.order, value.orderMember('v', collection, record.offset, key))
  redis.call('ZADD', channel.order, 0, value.orderMember('v', collection, offset, key))
  record.offset, record.at, record.bytes = offset, operation.at, record.bytes + #operation.body
  record.version = operation.version or record.version
  local member = value.growthMember(collection, record, key)
  if member ~= before then
    if before then redis.call('ZREM', channel.order, before) end
    redis.call('ZADD', channel.order, 0, member)
  end
  collection.bytes = collection.bytes + #operation.body
  save(collection, key, record)
  return value.encodeChange(channel.EXTEND, collection, key, record, operation.body)
end

local function remove(operation, collection, before, offset)
  local key = operation.key
  local record = {
    form = value.REMOVED, body = operation.body, bytes = #operation.body, at = operation.at, offset = offset,
    created = before and before.created or offset, createdAt = before and before.createdAt or operation.at,
    version = operation.version or before and before.version or 0, holder = '', lapsesAt = math.huge, account = '',
  }
  save(collection, key, record)
  redis.call('ZADD', channel.order, 0, value.orderMember('t', collection, offset, key))
  if before and before.hasValue then retaining.uncountKey(collection, key, before)
  elseif before then retaining.uncountRemoval(collection, key, before) end
  collection.removals = collection.removals + 1
  if collection.removals == 1 then collection.oldestRemovalAt = record.at end
  return value.encodeChange(channel.REMOVE, collection, key, record, record.body)
end

-- Changes what is not told in an entry.
local function touch(operation, collection, record)
  record.version = operation.version or record.version
  if operation.kind == channel.PUT then record.holder, record.lapsesAt = operation.holder, endOfLease(operation) end
  save(collection, operation.key, record)
  batch.isTouched = true
end

local changes = { [channel.PUT] = put, [channel.EXTEND] = extend, [channel.REMOVE] = remove }

-- Answers a code and the offset of the key's latest entry; of a refused version the lowest that is accepted, otherwise the new entry.
function keyed.change(operation, collection, offset)
  local record = collection and not operation.isKeyless and value.find(collection, operation.key) or nil
  local verdict, lowest = judge(operation, record, collection and collection.forgottenVersion or 0)
  local latest = record and record.offset or 0
  if verdict == 'refuse' then return lowest and code.OUTDATED or code.REFUSED, latest, lowest end
  local addsKey = operation.kind == channel.PUT and not (record and record.hasValue)
  local lack = addsKey and lackOfKeys(operation, collection)
    or operation.idempotencyKey and require('idempotency').lackOfRoom(operation)
  if lack then return lack, 0 end
  if verdict == 'touch' then
    touch(operation, collection, record)
    return code.UNCHANGED, latest
  end
  collection = collection or head.beginCollection(operation.collection, channel.KEYED)
  if not collection then return code.COLLECTIONS_OF_CHANNEL, 0 end
  return code.APPENDED, offset, changes[operation.kind](operation, collection, record, offset)
end

return keyed
