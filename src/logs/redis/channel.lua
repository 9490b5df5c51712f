-- What a channel is made of. Both scripts begin with this file.
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
-- order   members with one score, so they are sorted by their bytes: a letter, the collection, an offset, the key.
--         v: keys with a value, by their latest offset. c: the same, by the offset of their creation. t: removals.
--         g: keys whose value was extended, by its put; see value.lua.

local PARTITION, HEAD, VALUES, ORDER, PIECES, ACCOUNTS, DEDUPE, EXPIRY, ANSWERS, ABSENT = unpack(KEYS)
local CHANNEL = string.sub(HEAD, #PARTITION + 3)
local APPEND, PUT, EXTEND, REMOVE = 0, 1, 2, 3
local FACTS, KEYED = 0, 1
local SEGMENT = 2048

local function text(number) return string.format('%.0f', number) end

local function exact(number) return string.format('%.17g', number) end

-- In ms, by the clock of this Redis. It stands still while a script runs.
local clockMs
local function clock()
  if not clockMs then
    local time = redis.call('TIME')
    clockMs = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return clockMs
end

local function decodeHead(packed)
  local head = { list = {}, named = {} }
  local count, at = 0
  head.top, head.base, head.keptUntil, head.pinnedUntil = 0, 0, 0, 0
  head.dedupeKeptUntil, head.answersKeptUntil, head.dedupeFirst = 0, 0, 0
  if packed then
    head.top, head.base, head.keptUntil, head.pinnedUntil, head.dedupeKeptUntil, head.answersKeptUntil, head.dedupeFirst,
      count, at = struct.unpack('>dddddddB', packed)
  end
  for number = 0, count - 1 do
    local collection = { number = number }
    collection.kind, collection.name, collection.floor, collection.count, collection.bytes, collection.oldestAt,
      collection.untilMs, at = struct.unpack('>BI2c0ddddd', packed, at)
    if collection.kind == FACTS then
      collection.first, at = struct.unpack('>d', packed, at)
    else
      collection.removals, collection.oldestRemovalAt, collection.forgottenVersion, collection.growing, at =
        struct.unpack('>dddd', packed, at)
    end
    head.list[number + 1], head.named[collection.name] = collection, collection
  end
  return head
end

-- The highest offset of the partition's channels that are forgotten: of those that `trim` has found empty, and of those whose
-- keys may have expired by now (`fading`: pairs of a time and an offset).
local function forgottenBy(forgotten, fading)
  for at = 1, #fading, 16 do
    local untilMs, offset = struct.unpack('>dd', fading, at)
    if untilMs <= clock() then forgotten = math.max(forgotten, offset) end
  end
  return forgotten
end

-- The list that has the fact with this index, counted from the collection's first one ever.
local function segmentOf(collection, index)
  local number = math.floor(index / SEGMENT)
  local newest = math.floor((collection.first + collection.count - 1) / SEGMENT)
  local suffix = number == newest and '' or '.' .. text(number)
  return PARTITION .. ':e' .. collection.number .. suffix .. CHANNEL
end

local function identityOf(collection, key) return string.char(collection.number) .. key end

local function orderPrefix(purpose, collection) return purpose .. string.char(collection.number) end

local function orderMember(purpose, collection, offset, key)
  return orderPrefix(purpose, collection) .. struct.pack('>d', offset) .. key
end

-- The offset and the key in a member.
local function orderParts(member) return struct.unpack('>d', member, 3), string.sub(member, 11) end

-- The first of them.
local function firstInOrder(purpose, collection)
  local prefix = orderPrefix(purpose, collection)
  return redis.call('ZRANGE', ORDER, '[' .. prefix, '(' .. prefix .. '\255', 'BYLEX', 'LIMIT', 0, 1)[1]
end

-- An entry on its way: offset, length of the rest, operation, collection, time, of a key also creation, version and holder,
-- then key and body. Facts are kept like this.
local function encodeFact(collection, offset, at, key, body)
  return struct.pack('>dI4BBdI4', offset, 14 + #key + #body, APPEND, collection.number, at, #key) .. key .. body
end

local function encodeChange(operation, collection, key, record, body, offset)
  local size = 32 + #record.holder + #key + #body
  return struct.pack('>dI4BBdddI2c0I4', offset or record.offset, size, operation, collection.number, record.at, record.created,
    record.version, #record.holder, record.holder, #key) .. key .. body
end
