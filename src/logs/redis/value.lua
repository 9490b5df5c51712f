-- What is kept of a key: numbers and names, then what its form says.
--
-- REMOVED   the body of the removal
-- WHOLE     the value
-- GROWING   the offset of the last put, the bytes and the number of blocks of a value that was extended
--
-- A value that was extended lies in `pieces`, in blocks of about a kilobyte: how many pieces, how many bytes of the value stand
-- before them, of each piece its offset and its end, then their bytes. So adding costs no more than a block, however long the
-- value is, and what was added between any two offsets can be told. The first piece is the put.

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

local function findRecord(collection, key)
  local packed = redis.call('HGET', VALUES, identityOf(collection, key))
  return packed and decodeRecord(packed)
end

local function blockField(record, index) return struct.pack('>dI4', record.putOffset, index) end

-- A block: count and start, then offset and end of each piece in 12 bytes, from the 7th byte on.
local function blockOf(record, index)
  record.found = record.found or {}
  record.found[index] = record.found[index] or redis.call('HGET', PIECES, blockField(record, index))
  return record.found[index]
end

local function bytesOfBlock(block) return string.sub(block, 7 + 12 * struct.unpack('>I2', block)) end

-- The last change up to an offset, which is that of the put or later: its offset, and how long the value was behind it.
local function changeAt(record, through)
  if through >= record.offset then return record.offset, record.bytes end
  local low, high = 0, record.blocks - 1
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if struct.unpack('>d', blockOf(record, middle), 7) <= through then low = middle else high = middle - 1 end
  end
  local block = blockOf(record, low)
  local first, last = 0, struct.unpack('>I2', block) - 1
  while first < last do
    local middle = math.ceil((first + last) / 2)
    if struct.unpack('>d', block, 7 + 12 * middle) <= through then first = middle else last = middle - 1 end
  end
  local offset, length = struct.unpack('>dI4', block, 7 + 12 * first)
  return offset, length
end

-- The value from one length on, up to another.
local function bytesBetween(record, from, to)
  if record.body then return record.body end
  local low, high = 0, record.blocks - 1
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if select(2, struct.unpack('>I2I4', blockOf(record, middle))) <= from then low = middle else high = middle - 1 end
  end
  local _, start = struct.unpack('>I2I4', blockOf(record, low))
  local parts, reached = {}, start
  for index = low, record.blocks - 1 do
    if reached >= to then break end
    local bytes = bytesOfBlock(blockOf(record, index))
    parts[#parts + 1], reached = bytes, reached + #bytes
  end
  return string.sub(table.concat(parts), from - start + 1, to - start)
end

local function wholeValue(record) return record.body or bytesBetween(record, 0, record.bytes) end

-- Growing values are found by how far they reach: those whose last change is at most 2^n offsets behind the put have the class n.
-- So the ones that grow across an offset lie within 2^n before it, by their put.
local function growthClass(record)
  local mantissa, exponent = math.frexp(record.offset - record.putOffset)
  return mantissa == 0.5 and exponent - 1 or exponent
end

local function growthMember(collection, record, key)
  return orderPrefix('g', collection) .. string.char(growthClass(record)) .. struct.pack('>d', record.putOffset) .. key
end
