-- Carries out one operation. Answers a code, an offset, and of a refused version the lowest that is accepted.

local told, toldCollections = {}, {}
local offset = math.max(top, head.top)

local function tell(collection, element)
  told[#told + 1] = element
  toldCollections[collection.number] = collection.name
end

local function append(operation)
  local collection = head.named[operation.collection]
  if collection and collection.kind ~= FACTS then return OTHER_KIND, 0 end
  local lack = lackOfIdempotencyKeys(operation)
  if lack then return lack, 0 end
  if not collection then
    if #head.list >= COLLECTIONS_MAX then return COLLECTIONS_OF_CHANNEL, 0 end
    collection = beginCollection(operation.collection, FACTS)
  end
  local index = collection.first + collection.count
  if index % SEGMENT == 0 and collection.count > 0 then
    local list = segmentOf(collection, index - 1)
    redis.call('RENAME', list, PARTITION .. ':e' .. collection.number .. '.' .. text(index / SEGMENT - 1) .. CHANNEL)
  end
  offset = offset + 1
  local element = encodeFact(collection, offset, operation.at, operation.key, operation.body)
  collection.count = collection.count + 1
  if redis.call('RPUSH', segmentOf(collection, index), element) == 1 then isFresh = true end
  collection.bytes = collection.bytes + #operation.body
  if collection.count == 1 then collection.oldestAt = operation.at end
  tell(collection, element)
  return APPENDED, offset
end

-- Why there is no room for another key with a value: a code, or nil.
local function lackOfKeys(operation, collection)
  local number = collection and collection.number or #head.list
  if operation.account ~= '' and keysOf.of(string.char(number) .. operation.account) >= operation.keysMax then
    return KEYS_OF_ACCOUNT
  end
  if collection and collection.count >= keysMax or keysMax == 0 then return KEYS_OF_COLLECTION end
end

local function encodeRecord(record)
  local rest = record.form == GROWING and struct.pack('>ddd', record.putOffset, record.bytes, record.blocks) or record.body
  return struct.pack(RECORD, record.form, record.at, record.offset, record.created, record.createdAt, record.version,
    record.lapsesAt, #record.holder, record.holder, #record.account, record.account) .. rest
end

local function save(collection, key, record)
  if redis.call('HSET', VALUES, identityOf(collection, key), encodeRecord(record)) == 1 then isFresh = true end
end

local function put(operation, collection, before)
  local isNew = not (before and before.hasValue)
  offset = offset + 1
  local key = operation.isKeyless and text(offset) or operation.key
  local record = {
    form = WHOLE, body = operation.body, bytes = #operation.body, at = operation.at, offset = offset,
    created = isNew and offset or before.created, createdAt = isNew and operation.at or before.createdAt,
    version = operation.version or before and before.version or 0, holder = operation.holder,
    lapsesAt = operation.leaseMs and clock() + operation.leaseMs or math.huge,
    account = isNew and operation.account or before.account,
  }
  save(collection, key, record)
  if isNew then
    redis.call('ZADD', ORDER, 0, orderMember('v', collection, offset, key), 0, orderMember('c', collection, offset, key))
    if before then
      redis.call('ZREM', ORDER, orderMember('t', collection, before.offset, key))
      collection.removals, collection.oldestRemovalAt = collection.removals - 1, -1
    end
    collection.count = collection.count + 1
    if collection.count == 1 then collection.oldestAt = record.createdAt end
    if record.account ~= '' then keysOf.add(string.char(collection.number) .. record.account, 1) end
  else
    redis.call('ZADD', ORDER, 0, orderMember('v', collection, offset, key))
    redis.call('ZREM', ORDER, orderMember('v', collection, before.offset, key))
    dropGrowth(collection, key, before)
    collection.bytes = collection.bytes - before.bytes
  end
  collection.bytes = collection.bytes + record.bytes
  tell(collection, encodeChange(PUT, collection, key, record, record.body))
end

local function encodeBlock(start, pieceOffset, piece)
  return struct.pack('>I2I4dI4', 1, start, pieceOffset, start + #piece) .. piece
end

-- Adds to the last block, or begins another when it has grown large.
local function addPiece(record, piece)
  local last = blockField(record, record.blocks - 1)
  if redis.call('HSTRLEN', PIECES, last) + 12 + #piece > BLOCK_BYTES then
    redis.call('HSET', PIECES, blockField(record, record.blocks), encodeBlock(record.bytes, offset, piece))
    record.blocks = record.blocks + 1
    return
  end
  local block = redis.call('HGET', PIECES, last)
  local count = struct.unpack('>I2', block)
  local indexEnd = 6 + 12 * count
  redis.call('HSET', PIECES, last, struct.pack('>I2', count + 1) .. string.sub(block, 3, indexEnd)
    .. struct.pack('>dI4', offset, record.bytes + #piece) .. string.sub(block, indexEnd + 1) .. piece)
end

local function extend(operation, collection, record)
  local key = operation.key
  offset = offset + 1
  local memberBefore
  if record.form == WHOLE then
    redis.call('HSET', PIECES, blockField(record, 0), encodeBlock(0, record.offset, record.body))
    record.form, record.blocks, record.body, isFresh = GROWING, 1, nil, true
    collection.growing = collection.growing + 1
  else
    memberBefore = growthMember(collection, record, key)
  end
  addPiece(record, operation.body)
  redis.call('ZREM', ORDER, orderMember('v', collection, record.offset, key))
  redis.call('ZADD', ORDER, 0, orderMember('v', collection, offset, key))
  record.offset, record.at, record.bytes = offset, operation.at, record.bytes + #operation.body
  local member = growthMember(collection, record, key)
  if member ~= memberBefore then
    if memberBefore then redis.call('ZREM', ORDER, memberBefore) end
    redis.call('ZADD', ORDER, 0, member)
  end
  record.version = operation.version or record.version
  collection.bytes = collection.bytes + #operation.body
  save(collection, key, record)
  tell(collection, encodeChange(EXTEND, collection, key, record, operation.body))
end

local function remove(operation, collection, before)
  offset = offset + 1
  local record = {
    form = REMOVED, body = operation.body, bytes = #operation.body, at = operation.at, offset = offset,
    created = before and before.created or offset, createdAt = before and before.createdAt or operation.at,
    version = operation.version or before and before.version or 0, holder = '', lapsesAt = math.huge, account = '',
  }
  save(collection, operation.key, record)
  redis.call('ZADD', ORDER, 0, orderMember('t', collection, offset, operation.key))
  if before and before.hasValue then
    uncountKey(collection, operation.key, before)
  elseif before then
    redis.call('ZREM', ORDER, orderMember('t', collection, before.offset, operation.key))
    collection.removals, collection.oldestRemovalAt = collection.removals - 1, -1
  end
  collection.removals = collection.removals + 1
  if collection.removals == 1 then collection.oldestRemovalAt = record.at end
  tell(collection, encodeChange(REMOVE, collection, operation.key, record, record.body))
end

-- Changes what is not told in an entry.
local function touch(operation, collection, record)
  record.version = operation.version or record.version
  if operation.kind == PUT then
    record.holder = operation.holder
    record.lapsesAt = operation.leaseMs and clock() + operation.leaseMs or math.huge
  end
  save(collection, operation.key, record)
  isTouched = true
end

local function change(operation)
  local collection = head.named[operation.collection]
  if collection and collection.kind ~= KEYED then return OTHER_KIND, 0 end
  local record = collection and not operation.isKeyless and findRecord(collection, operation.key) or nil
  local verdict, lowest = judge(operation, record, collection and collection.forgottenVersion or 0)
  if verdict == 'refuse' then return lowest and OUTDATED or REFUSED, record and record.offset or 0, lowest end
  if verdict == 'touch' then
    local lack = lackOfIdempotencyKeys(operation)
    if lack then return lack, 0 end
    touch(operation, collection, record)
    return UNCHANGED, record.offset
  end
  local lack = operation.kind == PUT and not (record and record.hasValue) and lackOfKeys(operation, collection)
    or lackOfIdempotencyKeys(operation)
  if lack then return lack, 0 end
  if not collection then
    if #head.list >= COLLECTIONS_MAX then return COLLECTIONS_OF_CHANNEL, 0 end
    collection = beginCollection(operation.collection, KEYED)
  end
  if operation.kind == PUT then put(operation, collection, record)
  elseif operation.kind == EXTEND then extend(operation, collection, record)
  else remove(operation, collection, record) end
  return APPENDED, offset
end
