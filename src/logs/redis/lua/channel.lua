-- What a channel is made of.
--
-- KEYS: the partition (a hash), then of the channel: head (a string), values (a hash), order (a sorted set), pieces (a hash),
-- accounts (a hash), idempotency keys (a hash), their expiry (a sorted set), answers (a hash); last, a key that is never there:
-- while a cluster moves a slot, Redis begins a script only if all its keys are at one place, so this one keeps scripts from
-- beginning until the slot has moved. The lists of facts are not named: their number depends on the head. They have the same
-- hash tag, so they are in the same slot.
--
-- head    numbers of the channel, then of each collection. A collection is known by its number from then on.
-- facts   a list for each 2,048 appended entries of a collection, so that an element is found in few steps at any depth, and
--         memory is that of one list. The newest list has no number in its name.
-- values  by collection and key: the latest put, or the removal that is remembered. See value.lua.
-- order   of keys. See value.lua.

local channel = {
  FACTS = 0, KEYED = 1,
  APPEND = 0, PUT = 1, EXTEND = 2, REMOVE = 3,
  SEGMENT = 2048,
  partition = KEYS[1], head = KEYS[2], values = KEYS[3], order = KEYS[4], pieces = KEYS[5], accounts = KEYS[6],
  idempotencyKeys = KEYS[7], expiry = KEYS[8], answers = KEYS[9], absent = KEYS[10],
  -- what all its keys end with
  name = string.sub(KEYS[2], #KEYS[1] + 3),
}

function channel.text(number) return string.format('%.0f', number) end

-- In ms, by the clock of this Redis. It stands still while a script runs.
function channel.clock()
  if not channel.now then
    local time = redis.call('TIME')
    channel.now = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return channel.now
end

-- The highest offset of the partition's channels that are forgotten: of those that were found empty, and of those whose keys may
-- have expired by now (`fading`: pairs of a time and an offset).
function channel.forgottenBy(forgotten, fading)
  for at = 1, #fading, 16 do
    local untilMs, offset = struct.unpack('>dd', fading, at)
    if untilMs <= channel.clock() then forgotten = math.max(forgotten, offset) end
  end
  return forgotten
end

function channel.decodeHead(packed)
  if not packed then
    return { list = {}, named = {}, top = 0, base = 0, keptUntil = 0, pinnedUntil = 0, idempotencyKeysKeptUntil = 0,
      answersKeptUntil = 0, firstExpiry = 0 }
  end
  local list, named = {}, {}
  local top, base, keptUntil, pinnedUntil, idempotencyKeysKeptUntil, answersKeptUntil, firstExpiry, count, at =
    struct.unpack('>dddddddB', packed)
  for number = 0, count - 1 do
    local kind, name, floor, entries, bytes, oldestAt, untilMs, collection
    kind, name, floor, entries, bytes, oldestAt, untilMs, at = struct.unpack('>BI2c0ddddd', packed, at)
    if kind == channel.FACTS then
      local first
      first, at = struct.unpack('>d', packed, at)
      collection = { number = number, kind = kind, name = name, floor = floor, count = entries, bytes = bytes,
        oldestAt = oldestAt, untilMs = untilMs, first = first }
    else
      local removals, oldestRemovalAt, forgottenVersion, growing
      removals, oldestRemovalAt, forgottenVersion, growing, at = struct.unpack('>dddd', packed, at)
      collection = { number = number, kind = kind, name = name, floor = floor, count = entries, bytes = bytes,
        oldestAt = oldestAt, untilMs = untilMs, removals = removals, oldestRemovalAt = oldestRemovalAt,
        forgottenVersion = forgottenVersion, growing = growing }
    end
    list[number + 1], named[name] = collection, collection
  end
  return { list = list, named = named, top = top, base = base, keptUntil = keptUntil, pinnedUntil = pinnedUntil,
    idempotencyKeysKeptUntil = idempotencyKeysKeptUntil, answersKeptUntil = answersKeptUntil, firstExpiry = firstExpiry }
end

-- The list of facts with a number; without one, the newest.
function channel.listOf(collection, number)
  return channel.partition .. ':e' .. collection.number .. (number and '.' .. number or '') .. channel.name
end

-- The list that has the fact with this index, counted from the collection's first one ever.
function channel.segmentOf(collection, index)
  local number = math.floor(index / channel.SEGMENT)
  local newest = math.floor((collection.first + collection.count - 1) / channel.SEGMENT)
  return channel.listOf(collection, number ~= newest and channel.text(number) or nil)
end

return channel
