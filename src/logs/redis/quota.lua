-- Idempotency keys, and what accounts have.
--
-- An idempotency key is remembered for its window, by the time of the operations, and never forgotten before: a channel that
-- has too many, or an account, refuses the next. What has expired is not counted: when a count is at its limit, expired keys
-- are dropped first. Otherwise they are dropped a minute later, as the clocks of nodes differ, and some with each batch. They
-- expire by themselves when nobody appends any more.
--
-- DEDUPE has fingerprint, offset, time of expiry and account by key, and the number of keys by `n` and account; EXPIRY the keys
-- by that time. ACCOUNTS has the number of keys with a value by collection and account.

local GRACE_MS = 60000
local SWEPT_MAX = 1000

-- Counts, looked up once and kept at the end.
local function tallyOf(key)
  local counts, changed, tally = {}, {}, {}
  function tally.of(field)
    counts[field] = counts[field] or tonumber(redis.call('HGET', key, field) or 0)
    return counts[field]
  end
  function tally.add(field, count)
    counts[field], changed[field] = tally.of(field) + count, true
  end
  function tally.keep()
    for field in pairs(changed) do
      if counts[field] <= 0 then redis.call('HDEL', key, field)
      elseif redis.call('HSET', key, field, text(counts[field])) == 1 then isFresh = true end
    end
  end
  return tally
end

local keysOf, idempotencyKeysOf = tallyOf(ACCOUNTS), tallyOf(DEDUPE)

-- What this batch has added: the values, by idempotency key.
local added, addedCount, dedupeTotal = {}, 0

local function dedupeCount()
  dedupeTotal = dedupeTotal or redis.call('ZCARD', EXPIRY)
  return dedupeTotal
end

local function isExpired(known, at) return select(2, struct.unpack('>dd', known, 9)) <= at end

-- What is remembered of a key, expired or not.
local function recall(key) return added[key] or redis.call('HGET', DEDUPE, key) end

local function uncount(known)
  local account = string.sub(known, 25)
  if account ~= '' then idempotencyKeysOf.add('n' .. account, -1) end
  dedupeTotal = dedupeCount() - 1
end

-- Drops keys that have expired, so many at most.
local function sweep(at, most)
  dedupeCount()
  local expired = redis.call('ZRANGE', EXPIRY, '-inf', exact(at), 'BYSCORE', 'LIMIT', 0, most)
  local gone = {}
  for _, key in ipairs(expired) do if not added[key] then gone[#gone + 1] = key end end
  if #gone == 0 then return end
  for _, known in ipairs(redis.call('HMGET', DEDUPE, unpack(gone))) do
    if known then uncount(known) end
  end
  redis.call('HDEL', DEDUPE, unpack(gone))
  redis.call('ZREM', EXPIRY, unpack(gone))
end

-- Why there is no room for another idempotency key: a code, or nil.
local function lackOfIdempotencyKeys(operation)
  if not operation.idempotencyKey then return nil end
  local function lack()
    if operation.account ~= '' and idempotencyKeysOf.of('n' .. operation.account) >= operation.idempotencyKeysMax then
      return IDEMPOTENCY_KEYS_OF_ACCOUNT
    end
    if dedupeCount() >= idempotencyKeysMax then return IDEMPOTENCY_KEYS_OF_CHANNEL end
  end
  if not lack() then return nil end
  sweep(operation.at, SWEPT_MAX)
  return lack()
end

local function remember(operation, offset)
  local before = recall(operation.idempotencyKey)
  if before then uncount(before) end
  local expiresAt = operation.at + operation.windowMs
  added[operation.idempotencyKey] = operation.fingerprint .. struct.pack('>dd', offset, expiresAt) .. operation.account
  addedCount, dedupeTotal = addedCount + 1, dedupeCount() + 1
  if operation.account ~= '' then idempotencyKeysOf.add('n' .. operation.account, 1) end
  head.dedupeFirst = math.min(head.dedupeFirst, expiresAt)
  dedupeUntil = math.max(dedupeUntil, expiresAt)
end

-- Lets a key expire no earlier than at a time by the clock of the nodes. That of this node may be ahead of the others'.
local function expireBy(key, untilMs)
  local ttl = math.min(untilMs - math.min(now, clock()), TTL_MS_MAX)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, text(ttl)) end
end

local function keepIdempotencyKeys()
  if addedCount > 0 then
    local values, scores = {}, {}
    for key, known in pairs(added) do
      values[#values + 1], values[#values + 2] = key, known
      scores[#scores + 1], scores[#scores + 2] = exact(select(2, struct.unpack('>dd', known, 9))), key
    end
    redis.call('HSET', DEDUPE, unpack(values))
    redis.call('ZADD', EXPIRY, unpack(scores))
    if dedupeUntil + GRACE_MS > head.dedupeKeptUntil or dedupeTotal <= addedCount then
      head.dedupeKeptUntil = dedupeUntil + 3 * GRACE_MS
      expireBy(DEDUPE, head.dedupeKeptUntil)
      expireBy(EXPIRY, head.dedupeKeptUntil)
    end
    added, addedCount = {}, 0
    if head.dedupeFirst <= now - GRACE_MS then
      sweep(now - GRACE_MS, 256)
      local first = redis.call('ZRANGE', EXPIRY, 0, 0, 'WITHSCORES')
      head.dedupeFirst = tonumber(first[2] or math.huge)
    end
  end
  idempotencyKeysOf.keep()
end
