-- What is kept of a key.
--
-- **Record**, in `values`: numbers and names, then what its form says.
--   REMOVED   the body of the removal
--   WHOLE     the value
--   GROWING   the offset of the last put, the bytes and the number of blocks of a value that was extended
--
-- **Blocks**, in `pieces`. A value that was extended lies in blocks of about a kilobyte: how many pieces, how many bytes of the
-- value stand before them, of each piece its offset and its end, then their bytes. So adding costs no more than a block, however
-- long the value is, and what was added between any two offsets can be told. The first piece is the put.
--
-- **Order**. Members with one score, so they are sorted by their bytes: a letter, the collection, an offset, the key.
--   v   keys with a value, by their latest offset
--   c   the same, by the offset of their creation
--   t   removals
--   g   keys whose value was extended, by a class and the offset of the put: see `growthMember`

local channel = require('channel')
local value = { REMOVED = 0, WHOLE = 1, GROWING = 2 }
local RECORD = '>BddddddI2c0Bc0'

function value.identityOf(collection, key) return string.char(collection.number) .. key end

function value.orderPrefix(purpose, collection) return purpose .. string.char(collection.number) end

function value.orderMember(purpose, collection, offset, key)
  return purpose .. string.char(collection.number) .. struct.pack('>d', offset) .. key
end

-- The offset and the key in a member.
function value.orderParts(member) return struct.unpack('>d', member, 3), string.sub(member, 11) end

-- An entry on its way: offset, length of the rest, operation, collection, time, creation, version and holder, key and body.
function value.encodeChange(operation, collection, key, record, body, offset)
  local size = 32 + #record.holder + #key + #body
  return struct.pack('>dI4BBdddI2c0I4', offset or record.offset, size, operation, collection.number, record.at, record.created,
    record.version, #record.holder, record.holder, #key) .. key .. body
end

function value.encode(record)
  local rest = record.body
  if record.form == value.GROWING then rest = struct.pack('>ddd', record.putOffset, record.bytes, record.blocks) end
  return struct.pack(RECORD, record.form, record.at, record.offset, record.created, record.createdAt, record.version,
    record.lapsesAt, #record.holder, record.holder, #record.account, record.account) .. rest
end

function value.find(collection, key)
  local packed = redis.call('HGET', channel.values, value.identityOf(collection, key))
  if not packed then return nil end
  local record, at = {}
  record.form, record.at, record.offset, record.created, record.createdAt, record.version, record.lapsesAt, record.holder,
    record.account, at = struct.unpack(RECORD, packed)
  record.hasValue = record.form ~= value.REMOVED
  if record.form == value.GROWING then
    record.putOffset, record.bytes, record.blocks = struct.unpack('>ddd', packed, at)
  else
    record.body = string.sub(packed, at)
    record.bytes, record.putOffset = #record.body, record.offset
  end
  return record
end

function value.blockField(record, index) return struct.pack('>dI4', record.putOffset, index) end

-- A block: count and start, then offset and end of each piece in 12 bytes, from the 7th byte on.
local function blockOf(record, index)
  record.found = record.found or {}
  record.found[index] = record.found[index] or redis.call('HGET', channel.pieces, value.blockField(record, index))
  return record.found[index]
end

-- The last index from `low` to `high` that `isUpTo` holds for; it holds for the first.
local function lastIndex(low, high, isUpTo)
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if isUpTo(middle) then low = middle else high = middle - 1 end
  end
  return low
end

-- The last change up to an offset, which is that of the put or later: its offset, and how long the value was behind it.
function value.changeAt(record, through)
  if through >= record.offset then return record.offset, record.bytes end
  local block = blockOf(record, lastIndex(0, record.blocks - 1, function(index)
    return struct.unpack('>d', blockOf(record, index), 7) <= through
  end))
  local piece = lastIndex(0, struct.unpack('>I2', block) - 1, function(index)
    return struct.unpack('>d', block, 7 + 12 * index) <= through
  end)
  local offset, length = struct.unpack('>dI4', block, 7 + 12 * piece)
  return offset, length
end

-- The value from one length on, up to another.
function value.between(record, from, to)
  if record.body then return record.body end
  local function startOf(index) return select(2, struct.unpack('>I2I4', blockOf(record, index))) end
  local first = lastIndex(0, record.blocks - 1, function(index) return startOf(index) <= from end)
  local start, parts = startOf(first), {}
  for index = first, record.blocks - 1 do
    local block = blockOf(record, index)
    if startOf(index) >= to then break end
    parts[#parts + 1] = string.sub(block, 7 + 12 * struct.unpack('>I2', block))
  end
  return string.sub(table.concat(parts), from - start + 1, to - start)
end

function value.whole(record) return value.between(record, 0, record.bytes) end

-- Growing values are found by how far they reach: those whose last change is at most 2^n offsets behind the put have the class n.
-- So the ones that grow across an offset lie within 2^n before it, by their put.
function value.growthMember(collection, record, key)
  local mantissa, exponent = math.frexp(record.offset - record.putOffset)
  local class = mantissa == 0.5 and exponent - 1 or exponent
  return value.orderPrefix('g', collection) .. string.char(class) .. struct.pack('>d', record.putOffset) .. key
end

return value
