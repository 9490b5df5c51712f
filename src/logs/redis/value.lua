-- What is kept of a key: numbers and names, then what its form says.
--
-- REMOVED   the body of the removal
-- WHOLE     the value
-- GROWING   the offset of the last put, the bytes and the number of blocks of a value that was extended
--
-- A value that was extended lies in `pieces`, in blocks of about a kilobyte: how many pieces, of each its offset and length,
-- then their bytes. So a piece costs no more than a block, however long the value is, and what was added behind any offset
-- can be told. The first piece is the put.

local REMOVED, WHOLE, GROWING = 0, 1, 2
local BLOCK_BYTES = 1024
local RECORD = '>BddddddI2c0Bc0'

local function decodeRecord(packed)
  local record, at = {}
  record.form, record.at, record.offset, record.created, record.createdAt, record.version, record.lapsesAt, record.holder,
    record.account, at = struct.unpack(RECORD, packed)
  record.hasValue = record.form ~= REMOVED
  if record.form == GROWING then
    record.putOffset, record.bytes, record.blocks = struct.unpack('>ddd', packed, at)
  else
    record.body = string.sub(packed, at)
    record.bytes, record.putOffset = #record.body, record.offset
  end
  return record
end

local function encodeRecord(record)
  local rest = record.form == GROWING and struct.pack('>ddd', record.putOffset, record.bytes, record.blocks) or record.body
  return struct.pack(RECORD, record.form, record.at, record.offset, record.created, record.createdAt, record.version,
    record.lapsesAt, #record.holder, record.holder, #record.account, record.account) .. rest
end

local function findRecord(collection, key)
  local packed = redis.call('HGET', VALUES, identityOf(collection, key))
  return packed and decodeRecord(packed)
end

local function blockField(record, index) return struct.pack('>dI4', record.putOffset, index) end

local function blockOf(record, index) return redis.call('HGET', PIECES, blockField(record, index)) end

-- The bytes of the pieces behind an offset, in one block.
local function bytesBehind(block, after)
  local count, at, skipped = struct.unpack('>I2', block), 3, 0
  for _ = 1, count do
    local offset, bytes = struct.unpack('>dI4', block, at)
    if offset > after then break end
    at, skipped = at + 12, skipped + bytes
  end
  return string.sub(block, 3 + 12 * count + skipped)
end

local function valueBehind(record, after, first)
  local parts = { bytesBehind(blockOf(record, first), after) }
  for index = first + 1, record.blocks - 1 do
    parts[#parts + 1] = bytesBehind(blockOf(record, index), -1)
  end
  return table.concat(parts)
end

local function wholeValue(record) return record.body or valueBehind(record, -1, 0) end

-- What was added behind an offset, which is that of the last put or a later one.
local function suffixOf(record, after)
  local low, high = 0, record.blocks - 1
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if struct.unpack('>d', blockOf(record, middle), 3) <= after then low = middle else high = middle - 1 end
  end
  return valueBehind(record, after, low)
end
