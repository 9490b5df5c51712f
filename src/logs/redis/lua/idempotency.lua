-- Idempotency keys: in one hash fingerprint, offset, time of expiry and account by key, and the number of keys by `n` and account;
-- in a sorted set the keys by their time of expiry.
--
-- A key is remembered for its window, by the time of the operations, and never forgotten before: a channel that has too many, or an
-- account, refuses the next. What has expired is not counted: when a count is at its limit, expired keys are dropped first.
-- Otherwise they are dropped a minute later, as the clocks of nodes differ, some with each batch. All expire by themselves
-- when no more appends come.

local channel, batch, head, code = require('channel'), require('batch'), require('head'), require('code')
local idempotency = {}
local GRACE_MS = 60000
local SWEPT_MAX = 1000

local countOf = require('tally')(channel.idempotencyKeys)
-- What this batch has added, by key, how many these are, and by when the last of them expires.
local added, addedCount, addedUntil = {}, 0, 0
local total

local function count()
  total = total or redis.call('ZCARD', channel.expiry)
  return total
end

local function exact(number) return string.format('%.17g', number) end

local function expiryOf(known) return select(2, struct.unpack('>dd', known, 9)) end

local function recall(key) return added[key] or redis.call('HGET', channel.idempotencyKeys, key) end

local function uncount(known)
  local account = string.sub(known, 25)
  if account ~= '' then countOf.add('n' .. account, -1) end
  total = count() - 1
end

-- Drops keys that have expired, so many at most.
local function sweep(at, most)
  local gone = {}
  for _, key in ipairs(redis.call('ZRANGE', channel.expiry, '-inf', exact(at), 'BYSCORE', 'LIMIT', 0, most)) do
    if not added[key] then gone[#gone + 1] = key end
  end
  if #gone == 0 then return end
  for _, known in ipairs(redis.call('HMGET', channel.idempotencyKeys, unpack(gone))) do
    if known then uncount(known) end
  end
  redis.call('HDEL', channel.idempotencyKeys, unpack(gone))
  redis.call('ZREM', channel.expiry, unpack(gone))
end

local function sweepDue(at, most)
  if head.firstExpiry > at then return end
  sweep(at, most)
  local first = redis.call('ZRANGE', channel.expiry, 0, 0, 'WITHSCORES')
  head.firstExpiry = tonumber(first[2] or math.huge)
end

-- What became of the operation that had this key: a code and an offset, or nil.
function idempotency.find(operation)
  local known = recall(operation.idempotencyKey)
  if not known or expiryOf(known) <= operation.at then return nil end
  if string.sub(known, 1, 8) ~= operation.fingerprint then return code.CONFLICT, 0 end
  return code.DUPLICATE, (struct.unpack('>d', known, 9))
end

local function lack(operation)
  if operation.account ~= '' and countOf.of('n' .. operation.account) >= operation.idempotencyKeysMax then
    return code.IDEMPOTENCY_KEYS_OF_ACCOUNT
  end
  if count() >= batch.idempotencyKeysMax then return code.IDEMPOTENCY_KEYS_OF_CHANNEL end
end

-- Why there is no room for another key: a code, or nil.
function idempotency.lackOfRoom(operation)
  if not lack(operation) then return nil end
  sweep(operation.at, SWEPT_MAX)
  return lack(operation)
end

function idempotency.add(operation, offset)
  local before = recall(operation.idempotencyKey)
  if before then uncount(before) end
  local expiresAt = operation.at + operation.windowMs
  added[operation.idempotencyKey] = operation.fingerprint .. struct.pack('>dd', offset, expiresAt) .. operation.account
  addedCount, total = addedCount + 1, count() + 1
  if operation.account ~= '' then countOf.add('n' .. operation.account, 1) end
  head.firstExpiry, addedUntil = math.min(head.firstExpiry, expiresAt), math.max(addedUntil, expiresAt)
end

local function keepAdded()
  local values, scores = {}, {}
  for key, known in pairs(added) do
    values[#values + 1], values[#values + 2] = key, known
    scores[#scores + 1], scores[#scores + 2] = exact(expiryOf(known)), key
  end
  redis.call('HSET', channel.idempotencyKeys, unpack(values))
  redis.call('ZADD', channel.expiry, unpack(scores))
  if addedUntil + GRACE_MS > head.idempotencyKeysKeptUntil or total <= addedCount then
    head.idempotencyKeysKeptUntil = addedUntil + 3 * GRACE_MS
    require('expiry').expireBy(channel.idempotencyKeys, head.idempotencyKeysKeptUntil)
    require('expiry').expireBy(channel.expiry, head.idempotencyKeysKeptUntil)
  end
  added, addedCount = {}, 0
end

function idempotency.keep()
  if addedCount > 0 then
    keepAdded()
    sweepDue(batch.now - GRACE_MS, 256)
  end
  countOf.keep()
end

-- Drops what has expired; answers whether that was all.
function idempotency.tidy()
  sweepDue(batch.now, SWEPT_MAX)
  countOf.keep()
  return count() == 0
end

return idempotency
