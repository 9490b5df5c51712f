-- Keeps the head, and lets what is not needed any more go.
--
-- **Forgetting.** A channel in which nothing is left has no keys. The partition remembers the highest offset of all that were
-- forgotten, and that is top and base of each of its channels without a head, so a cursor from before finds that it has missed
-- something. This is more than is known of a single channel: one that was never used gets a base, too, when another is
-- forgotten. So a channel that a node follows keeps its head, also without entries: the node's `trim` pins it for `pinMs`.
--
-- **Expiry.** Nodes trim what they follow. What no node follows expires by itself: where all collections have an end, the
-- channel's keys get one, all at the same moment, a minute at least behind that of the last entry, as the clocks of nodes differ.
-- A node that follows it puts the moment off, again by `trim`. Nothing can be noted when the moment comes, so it is noted before:
-- with each append to such a channel, the partition notes until when nothing up to this offset can have expired (`fading`).

local channel, batch, epoch, head = require('channel'), require('batch'), require('epoch'), require('head')
local expiry = {}
local SLACK_MS = 60000
local TTL_MS_MAX = 1e15

local function eachKey(visit)
  for _, key in ipairs({ channel.head, channel.values, channel.order, channel.pieces, channel.accounts }) do visit(key) end
  for _, collection in ipairs(head.list) do
    if collection.kind == channel.FACTS and collection.count > 0 then
      local last = collection.first + collection.count - 1
      for number = math.floor(collection.first / channel.SEGMENT), math.floor(last / channel.SEGMENT) do
        visit(channel.segmentOf(collection, number * channel.SEGMENT))
      end
    end
  end
end

-- Notes until when nothing up to the top can have expired. Notes that are near to each other are merged into the earlier.
local function fade(untilMs)
  local kept, last = '', untilMs - math.max(1000, (untilMs - channel.clock()) / 16)
  for at = 1, #epoch.fading, 16 do
    local before, offset = struct.unpack('>dd', epoch.fading, at)
    if before <= channel.clock() then epoch.forgotten = math.max(epoch.forgotten, offset)
    elseif before <= last then kept = kept .. string.sub(epoch.fading, at, at + 15)
    else untilMs = math.min(untilMs, before) end
  end
  epoch.fading, expiry.isNoted = kept .. struct.pack('>dd', untilMs, head.top), true
end

-- Keeps the head, and lets the channel expire if it has an end. `untilMs`: by when its entries have outlived their time.
function expiry.keepHead(untilMs)
  local now = batch.now
  untilMs = math.max(untilMs, head.pinnedUntil, now)
  if untilMs - now > TTL_MS_MAX then
    head.keptUntil = 0
    redis.call('SET', channel.head, head.encode())
    eachKey(function(key) redis.call('PERSIST', key) end)
    return
  end
  local isDue = head.isFresh or head.keptUntil < untilMs + SLACK_MS
  if isDue then head.keptUntil = untilMs + SLACK_MS + math.max(SLACK_MS, (untilMs - now) / 2) end
  local encoded = head.encode()
  if encoded ~= head.before then redis.call('SET', channel.head, encoded, 'KEEPTTL') end
  local behindMs = channel.clock() - math.min(now, channel.clock())
  if isDue then
    local expiresAt = channel.text(head.keptUntil + behindMs)
    eachKey(function(key) redis.call('PEXPIREAT', key, expiresAt) end)
  end
  fade(math.min(untilMs + behindMs, head.keptUntil))
end

-- Lets a key expire no earlier than at a time by the clock of the nodes. That of this node may be ahead of the others'.
function expiry.expireBy(key, untilMs)
  local ttl = math.min(untilMs - math.min(batch.now, channel.clock()), TTL_MS_MAX)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, channel.text(ttl)) end
end

-- Leaves nothing of the channel but what the partition remembers.
function expiry.forget()
  redis.call('UNLINK', channel.head, channel.values, channel.order, channel.pieces, channel.accounts,
    channel.idempotencyKeys, channel.expiry)
  epoch.forgotten, expiry.isNoted = math.max(epoch.forgotten, head.top), true
end

-- Keeps what the partition remembers.
function expiry.keepNotes()
  if expiry.isNoted then
    redis.call('HSET', channel.partition, 'forgotten', channel.text(epoch.forgotten), 'fading', epoch.fading)
  end
end

return expiry
