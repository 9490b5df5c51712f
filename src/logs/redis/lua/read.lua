-- Reads one channel. Changes nothing, so a full Redis can be read.
--
-- Answers {0, epoch, generation, the partition's top, the channel's top, its base, whether it has a head, its collections,
-- next, entries}, or {1, the format that is there}, or {2} when the partition has no epoch yet.
--
-- **Cost.** Each kind of reading costs a logarithm of what is there, and its page. No more than a page is copied: of keys, a
-- source yields offsets, and the value is looked up when its turn has come.

local channel, request = require('channel'), require('request')
if request.refusal then return request.refusal end
local collection = request.chosen[1]

-- The offset behind which the last facts stand.
local function offsetOfLast(count)
  local top, base = request.head.top, request.head.base
  if count <= 0 or not collection then return top end
  local floor = math.max(base, collection.floor)
  if collection.kind == channel.KEYED then return floor end
  if collection.count == 0 then return top end
  local index = collection.first + collection.count - math.min(count, collection.count)
  return math.max(floor, struct.unpack('>d', require('search').factAt(collection, index)) - 1)
end

local function find(key)
  if not collection or collection.kind ~= channel.KEYED then return {} end
  local value = require('value')
  local record = value.find(collection, key)
  if not record then return {} end
  local operation = record.hasValue and channel.PUT or channel.REMOVE
  return { value.encodeChange(operation, collection, key, record, value.whole(record)) }
end

if request.what == 'head' then return request.answer(0) end
if request.what == 'last' then return request.answer(offsetOfLast(request.after)) end
if request.what == 'find' then return request.answer(0, find(request.key)) end
if request.what == 'back' then
  if not collection then return request.answer(0) end
  local before = require('backward')(collection)
  return request.answer(before, require('page').entries)
end
local found = require('forward')
return request.answer(found.next, found.entries)
