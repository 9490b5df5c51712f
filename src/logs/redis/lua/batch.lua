-- What the node has packed (see packing.ts): numbers, collections with what they retain, operations.

local LATEST, VERSION, LAPSED, QUIET, REMEMBERED, OWNED, KEYLESS, LEASED = 1, 2, 4, 8, 16, 32, 64, 128

local packed = ARGV[5]
local knownGeneration, knownTop, number, now, pinMs, keysMax, tombstonesMax, idempotencyKeysMax, isSynced, node, named, position =
  struct.unpack('>dddddddddc8B', packed)

local batch = {
  knownGeneration = knownGeneration, knownTop = knownTop, number = number, now = now, pinMs = pinMs, keysMax = keysMax,
  tombstonesMax = tombstonesMax, idempotencyKeysMax = idempotencyKeysMax, isSynced = isSynced, node = node, retentions = {},
  -- whether something has changed without an entry
  isTouched = false,
}

for index = 1, named do
  local name, entries, forMs, bytes, removalsForMs
  name, entries, forMs, bytes, removalsForMs, position = struct.unpack('>I2c0dddd', packed, position)
  batch.retentions[index] =
    { name = name, entries = entries, forMs = forMs, bytes = bytes, removalsForMs = removalsForMs }
end

-- Without operations a channel is trimmed, or only its epoch is checked.
batch.hasOperations = position <= #packed

-- The next operation; nil behind the last.
function batch.next()
  if position > #packed then return nil end
  local kind, flags, place, at, holder, key, body
  kind, flags, place, at, holder, key, body, position = struct.unpack('>BI2BdI2c0I4c0I4c0', packed, position)
  local retention = batch.retentions[place + 1]
  local operation = { kind = kind, at = at, holder = holder, key = key, body = body, account = '', retention = retention,
    collection = retention.name }
  if flags == 0 then return operation end
  operation.isLapsed, operation.isQuiet = bit.band(flags, LAPSED) ~= 0, bit.band(flags, QUIET) ~= 0
  operation.isKeyless = bit.band(flags, KEYLESS) ~= 0
  if bit.band(flags, LATEST) ~= 0 then operation.latest, position = struct.unpack('>d', packed, position) end
  if bit.band(flags, VERSION) ~= 0 then operation.version, position = struct.unpack('>d', packed, position) end
  if bit.band(flags, LEASED) ~= 0 then operation.leaseMs, position = struct.unpack('>d', packed, position) end
  if bit.band(flags, REMEMBERED) ~= 0 then
    operation.idempotencyKey, operation.fingerprint, operation.windowMs, position =
      struct.unpack('>c16c8d', packed, position)
  end
  if bit.band(flags, OWNED) ~= 0 then
    operation.account, operation.keysMax, operation.idempotencyKeysMax, position =
      struct.unpack('>c16dd', packed, position)
  end
  return operation
end

return batch
