-- Finds the channel's head, or begins one.
--
-- **Forgetting.** A channel in which nothing is left has no keys. The partition remembers the highest offset of all that were
-- forgotten, and that is top and base of each of its channels without a head, so a cursor from before finds that it has missed
-- something. This is more than is known of a single channel: one that was never used gets a base, too, when another is
-- forgotten. So a channel that a node follows keeps its head, also without entries: the node's `trim` pins it for `pinMs`.
--
-- **Expiry.** Nodes trim what they follow. What no node follows expires by itself: where all collections have an end, the
-- channel's keys get one, all at the same moment, a minute at least behind that of the last entry. Nothing can be noted when it
-- comes, so it is noted before: with each append to such a channel, the partition notes until when nothing up to this offset
-- can have expired (`fading`).

local SLACK_MS = 60000
local TTL_MS_MAX = 1e15
local COLLECTIONS_MAX = 255

local headBefore = redis.call('GET', HEAD)
local head = decodeHead(headBefore)

-- Whether there may be a key of the channel that has no expiry yet.
local isFresh = false
local isTouched = false
-- Of what was added: by when the last idempotency key expires, and the time of the latest operation.
local dedupeUntil, changedAt = 0, -math.huge
-- Whether fields of the partition have changed that are kept at the end.
local isFadingChanged = false

if not headBefore then
  head.base = forgottenBy(forgotten, fading)
  local lists = PARTITION .. ':e'
  local parts = { VALUES, ORDER, PIECES, ACCOUNTS, lists .. '0' .. CHANNEL, lists .. '1' .. CHANNEL, lists .. '2' .. CHANNEL,
    lists .. '3' .. CHANNEL }
  -- an operator has deleted the head alone
  if (hasOperations or pinMs > 0) and redis.call('EXISTS', unpack(parts)) > 0 then
    redis.call('UNLINK', unpack(parts))
    head.base = top
  end
  head.top = head.base
end

local function beginCollection(name, kind)
  local collection = { number = #head.list, name = name, kind = kind, floor = 0, count = 0, bytes = 0, oldestAt = -1,
    untilMs = 0, first = 0, removals = 0, oldestRemovalAt = -1, forgottenVersion = 0,
    growing = 0 }
  head.list[#head.list + 1], head.named[name] = collection, collection
  return collection
end

local function encodeHead()
  local parts = { struct.pack('>dddddddB', head.top, head.base, head.keptUntil, head.pinnedUntil, head.dedupeKeptUntil,
    head.answersKeptUntil, head.dedupeFirst, #head.list) }
  for _, collection in ipairs(head.list) do
    parts[#parts + 1] = struct.pack('>BI2c0ddddd', collection.kind, #collection.name, collection.name, collection.floor,
      collection.count, collection.bytes, collection.oldestAt, collection.untilMs)
    parts[#parts + 1] = collection.kind == FACTS and struct.pack('>d', collection.first)
      or struct.pack('>dddd', collection.removals, collection.oldestRemovalAt, collection.forgottenVersion, collection.growing)
  end
  return table.concat(parts)
end

local function eachKey(visit)
  for _, key in ipairs({ HEAD, VALUES, ORDER, PIECES, ACCOUNTS }) do visit(key) end
  for _, collection in ipairs(head.list) do
    if collection.kind == FACTS and collection.count > 0 then
      local last = collection.first + collection.count - 1
      for number = math.floor(collection.first / SEGMENT), math.floor(last / SEGMENT) do
        visit(segmentOf(collection, number * SEGMENT))
      end
    end
  end
end

-- Notes until when nothing up to the top can have expired. Notes that are near to each other are merged into the earlier.
local function fade(untilMs)
  local kept, last = '', untilMs - math.max(1000, (untilMs - clock()) / 16)
  for at = 1, #fading, 16 do
    local before, offset = struct.unpack('>dd', fading, at)
    if before <= clock() then forgotten = math.max(forgotten, offset)
    elseif before <= last then kept = kept .. string.sub(fading, at, at + 15)
    else untilMs = math.min(untilMs, before) end
  end
  fading, isFadingChanged = kept .. struct.pack('>dd', untilMs, head.top), true
end

-- Keeps the head, and lets the channel expire if it has an end.
local function keepHead()
  local untilMs = math.max(head.pinnedUntil, now)
  for _, collection in ipairs(head.list) do untilMs = math.max(untilMs, collection.untilMs) end
  local isExpiring = untilMs < math.huge and untilMs - now < TTL_MS_MAX
  local isDue = isExpiring and (isFresh or head.keptUntil < untilMs + SLACK_MS)
  local isPersisting = not isExpiring and head.keptUntil > 0
  if isPersisting then head.keptUntil = 0 end
  if isDue then head.keptUntil = untilMs + SLACK_MS + math.max(SLACK_MS, (untilMs - now) / 2) end
  local encoded = encodeHead()
  if encoded ~= headBefore then redis.call('SET', HEAD, encoded, 'KEEPTTL') end
  if isPersisting then eachKey(function(key) redis.call('PERSIST', key) end) end
  if not isExpiring then return end
  local behindMs = clock() - math.min(now, clock())
  if isDue then
    local expiresAt = text(head.keptUntil + behindMs)
    eachKey(function(key) redis.call('PEXPIREAT', key, expiresAt) end)
  end
  fade(math.min(untilMs + behindMs, head.keptUntil))
end

-- Leaves nothing of the channel but what the partition remembers.
local function forget()
  redis.call('UNLINK', HEAD, VALUES, ORDER, PIECES, ACCOUNTS, DEDUPE, EXPIRY)
  forgotten, isFadingChanged = math.max(forgotten, head.top), true
end

local function keepFading()
  if isFadingChanged then redis.call('HSET', PARTITION, 'forgotten', text(forgotten), 'fading', fading) end
end
