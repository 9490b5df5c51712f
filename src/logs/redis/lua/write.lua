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
--
-- **Cost.** Only what a batch needs is loaded: the rest of the files costs next to nothing.

local channel, batch = require('channel'), require('batch')
local ANSWER_MS = 60000
-- see code.lua
local APPENDED, UNCHANGED = 0, 1

-- It is the last command, so without this it would be refused when all the others have been carried out.
if batch.hasOperations and not redis.acl_check_cmd('SPUBLISH', ARGV[4], '') then
  return redis.error_reply('NOPERM This user may not publish to the channel ' .. ARGV[4])
end

local epoch = require('epoch')
if epoch.refusal then return epoch.refusal end
local head = require('head')
epoch.begin()

local function answer(outcomes)
  return { 0, epoch.name, epoch.generation, epoch.top, head.top, head.base, outcomes }
end

if not batch.hasOperations then
  if batch.now > 0 and (head.before or batch.pinMs > 0) then require('maintenance')() end
  return answer('')
end

local mark = redis.call('HGET', channel.answers, batch.node)
if mark and struct.unpack('>d', mark) >= batch.number then return answer(string.sub(mark, 17)) end

local offset = math.max(epoch.top, head.top)

-- Answers a code, an offset, and the new entry, or, of a refused version, the lowest that is accepted.
local function perform(operation)
  local isRemembered = operation.idempotencyKey ~= nil
  if isRemembered then
    local code, at = require('idempotency').find(operation)
    if code then return code, at end
  end
  local collection = head.named[operation.collection]
  local kind = operation.kind == channel.APPEND and channel.FACTS or channel.KEYED
  if collection and collection.kind ~= kind then return require('code').OTHER_KIND, 0 end
  if kind == channel.KEYED then return require('keyed').change(operation, collection, offset + 1) end
  local lack = isRemembered and require('idempotency').lackOfRoom(operation)
  if lack then return lack, 0 end
  collection = collection or head.beginCollection(operation.collection, kind)
  if not collection then return require('code').COLLECTIONS_OF_CHANNEL, 0 end
  return APPENDED, offset + 1, require('facts').append(collection, operation, offset + 1)
end

local told, outcomes, changed = {}, {}, {}
local hasKeys, hasIdempotencyKeys = false, false
for operation in batch.next do
  local code, at, entry = perform(operation)
  outcomes[#outcomes + 1] = struct.pack('>Bdd', code, at, type(entry) == 'number' and entry or 0)
  hasIdempotencyKeys = hasIdempotencyKeys or operation.idempotencyKey ~= nil
  -- what is refused for lack of room may have trimmed keys before
  hasKeys = hasKeys or operation.kind ~= channel.APPEND
  if code <= UNCHANGED then
    local retention = operation.retention
    if operation.idempotencyKey then require('idempotency').add(operation, at) end
    if code == APPENDED then offset, told[#told + 1] = at, entry end
    changed[retention] = math.max(changed[retention] or -math.huge, operation.at)
    -- no condition is about facts, so all of a batch are trimmed together
    if operation.kind ~= channel.APPEND then
      require('retention').trim(head.named[retention.name], retention, operation.at)
    end
  end
end
outcomes = table.concat(outcomes)

if #told == 0 and not batch.isTouched then
  -- expired keys may have been dropped to make room
  if hasIdempotencyKeys then require('idempotency').keep() end
  return answer(outcomes)
end

local names = {}
for retention, at in pairs(changed) do
  local collection = head.named[retention.name]
  if collection.kind == channel.FACTS then require('facts').trim(collection, retention, at) end
  head.settleEnd(collection, retention, at)
  names[#names + 1] = struct.pack('>BI2c0', collection.number, #collection.name, collection.name)
end
local after = head.top
if #told > 0 then head.top = offset end
if hasKeys then require('retention').keepAccounts() end
if hasIdempotencyKeys then require('idempotency').keep() end

-- No batch is repeated for longer than `ANSWER_MS`. Nodes that have ended leave their answers behind.
local answered = struct.pack('>dd', batch.number, batch.now) .. outcomes
if redis.call('HSET', channel.answers, batch.node, answered) == 1 then
  head.answersKeptUntil = 0
  local answers = redis.call('HGETALL', channel.answers)
  for index = 1, #answers, 2 do
    local _, answeredAt = struct.unpack('>dd', answers[index + 1])
    if answeredAt < batch.now - 10 * ANSWER_MS then redis.call('HDEL', channel.answers, answers[index]) end
  end
end
if head.answersKeptUntil < batch.now + ANSWER_MS then
  head.answersKeptUntil = batch.now + 2 * ANSWER_MS
  require('expiry').expireBy(channel.answers, head.answersKeptUntil)
end

head.keep()
if #told > 0 then
  epoch.top = offset
  redis.call('HSET', channel.partition, 'top', channel.text(offset), 'synced', epoch.synced)
end
if head.keptUntil > 0 then require('expiry').keepNotes() end

if #told > 0 then
  redis.call('SPUBLISH', ARGV[4], struct.pack('>ddBc0B', epoch.generation, after, #epoch.name, epoch.name, #names)
    .. table.concat(names) .. table.concat(told))
end
return answer(outcomes)
