-- What is asked for, and the head of the channel that is asked about.
--
-- ARGV: the format, what (`head`, `last`, `all`, `fold`, `back` or `find`), a key, and packed: `after`, `through`, how many
-- entries and how many bytes at most, and the names of the collections; none are all. `last`: `after` is how many facts.
-- `back`: the page ends before `through`.

local channel = require('channel')
local request = { what = ARGV[2], key = ARGV[3] }

local stored = redis.call('HMGET', channel.partition, 'format', 'epoch', 'top', 'generation', 'forgotten', 'fading')
if not stored[1] then
  return { refusal = redis.call('EXISTS', channel.partition) == 1 and { 1, '' } or { 2 } }
end
if stored[1] ~= ARGV[1] then return { refusal = { 1, stored[1] } } end
if not stored[2] then return { refusal = { 2 } } end

local packedHead = redis.call('GET', channel.head)
local head = channel.decodeHead(packedHead)
request.head = head
if not packedHead then
  head.top = channel.forgottenBy(tonumber(stored[5] or 0), stored[6] or '')
  head.base = head.top
end

local position
request.after, request.through, request.entriesMax, request.bytesMax, position = struct.unpack('>dddd', ARGV[4])
request.chosen = head.list
if position <= #ARGV[4] then
  request.chosen = {}
  while position <= #ARGV[4] do
    local name
    name, position = struct.unpack('>I2c0', ARGV[4], position)
    if head.named[name] then request.chosen[#request.chosen + 1] = head.named[name] end
  end
end

function request.answer(next, entries)
  local collections = {}
  for index, collection in ipairs(head.list) do
    collections[index] = struct.pack('>BdI2c0', collection.number, collection.floor, #collection.name, collection.name)
  end
  return { 0, stored[2], tonumber(stored[4]), tonumber(stored[3]), head.top, head.base, packedHead and 1 or 0,
    table.concat(collections), next, table.concat(entries or {}) }
end

return request
