-- Carries out a batch of operations on one channel, or none, trims, and tells the watchers: one atomic step.
--
-- ARGV: the format, an epoch in case one begins, the epoch that the node knows, the live channel, and the rest packed.
-- Answers {0, epoch, generation, the partition's top, the channel's top, its base, the outcomes}, or {1, the format that is
-- there}. An outcome is a code, an offset and a version.
--
-- **Repeats.** A node has one batch of a channel under way at a time and repeats it until it is answered. The answer of its
-- last batch that changed something is kept under the node's name, so a repeated batch gets the first one's answer.
--
-- **Order of what is written.** A Redis that is full refuses the first command that adds something, when nothing has been
-- changed yet; what comes after one that may be carried out is not refused any more. So the first command of an operation is one
-- that adds. Without operations, what is added is little, and may be what has to be known before anything can be read or trimmed.

if isPartitionChanged then
  if not hasOperations then redis.call('HDEL', PARTITION, 'server') end
  redis.call('HSET', PARTITION, 'format', ARGV[1], 'epoch', epoch, 'top', text(top), 'generation', generation,
    'bases', bases, 'server', server, 'synced', synced)
end

local function answer(outcomes)
  return { 0, epoch, generation, top, head.top, head.base, outcomes }
end

local function isEmpty()
  for _, collection in ipairs(head.list) do
    if collection.count > 0 or collection.kind == KEYED and collection.removals > 0 then return false end
  end
  return true
end

-- Drops what has outlived its time. A channel in which nothing is left is forgotten, or keeps but its head, if it is pinned.
local function maintain()
  -- a full Redis lets a script go on that has begun with a command that adds nothing
  redis.call('UNLINK', ABSENT)
  for _, retention in ipairs(retentions) do
    local collection = head.named[retention.name]
    if collection then
      trim(collection, retention, now)
      if collection.untilMs == math.huge or collection.count == 0 then settleEnd(collection, retention, now) end
    end
  end
  if head.dedupeFirst <= now then
    sweep(now, SWEPT_MAX)
    local first = redis.call('ZRANGE', EXPIRY, 0, 0, 'WITHSCORES')
    head.dedupeFirst = tonumber(first[2] or math.huge)
  end
  keysOf.keep()
  idempotencyKeysOf.keep()
  if pinMs > 0 then head.pinnedUntil = now + pinMs end
  if isEmpty() and redis.call('EXISTS', EXPIRY) == 0 then
    head.base, head.list, head.named = head.top, {}, {}
    if pinMs == 0 then
      forget()
      return
    end
  end
  keepHead()
end

if not hasOperations then
  if now > 0 and (headBefore or pinMs > 0) then
    maintain()
    keepFading()
  end
  return answer('')
end

local mark = redis.call('HGET', ANSWERS, node)
if mark and struct.unpack('>d', mark) >= number then return answer(string.sub(mark, 17)) end

local function perform(operation)
  local known = operation.idempotencyKey and recall(operation.idempotencyKey)
  if known and not isExpired(known, operation.at) then
    if string.sub(known, 1, 8) ~= operation.fingerprint then return CONFLICT, 0 end
    return DUPLICATE, (struct.unpack('>d', known, 9))
  end
  local code, at, version
  if operation.kind == APPEND then code, at = append(operation) else code, at, version = change(operation) end
  if code <= UNCHANGED and operation.idempotencyKey then remember(operation, at) end
  return code, at, version
end

local after, outcomes, changed = head.top, {}, {}
while position <= #packed do
  local operation = nextOperation()
  local retention = operation.retention
  operation.collection = retention.name
  local code, at, version = perform(operation)
  outcomes[#outcomes + 1] = struct.pack('>Bdd', code, at, version or 0)
  if code <= UNCHANGED then
    local collection = head.named[retention.name]
    if operation.kind ~= APPEND then trim(collection, retention, operation.at) end
    changed[retention] = math.max(changed[retention] or -math.huge, operation.at)
  end
end
outcomes = table.concat(outcomes)
if #told == 0 and not isTouched then
  -- expired keys may have been dropped to make room
  idempotencyKeysOf.keep()
  return answer(outcomes)
end

for retention, at in pairs(changed) do
  local collection = head.named[retention.name]
  -- no condition is about facts, so all of a batch are trimmed together
  if collection.kind == FACTS then trim(collection, retention, at) end
  settleEnd(collection, retention, at)
end
if #told > 0 then head.top = offset end

keepIdempotencyKeys()
keysOf.keep()

-- No batch is repeated for longer than a minute. Nodes that have ended leave their answers behind.
if redis.call('HSET', ANSWERS, node, struct.pack('>dd', number, now) .. outcomes) == 1 then
  head.answersKeptUntil = 0
  local answers = redis.call('HGETALL', ANSWERS)
  for index = 1, #answers, 2 do
    local _, answeredAt = struct.unpack('>dd', answers[index + 1])
    if answeredAt < now - 10 * GRACE_MS then redis.call('HDEL', ANSWERS, answers[index]) end
  end
end
if head.answersKeptUntil < now + GRACE_MS then
  head.answersKeptUntil = now + 2 * GRACE_MS
  expireBy(ANSWERS, head.answersKeptUntil)
end

keepHead()
if #told > 0 then
  top = offset
  redis.call('HSET', PARTITION, 'top', text(top), 'synced', synced)
end
keepFading()

if #told > 0 then
  local names, count = {}, 0
  for collectionNumber, name in pairs(toldCollections) do
    count = count + 1
    names[count] = struct.pack('>BI2c0', collectionNumber, #name, name)
  end
  redis.call('SPUBLISH', ARGV[4], struct.pack('>ddB', generation, after, #epoch) .. epoch
    .. struct.pack('>B', count) .. table.concat(names) .. table.concat(told))
end
return answer(outcomes)
