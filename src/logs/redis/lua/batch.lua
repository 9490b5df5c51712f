-- What the node has packed (see packing.ts): numbers, collections with what they retain, operations.
--
-- Codes of outcomes: see outcomes.ts.

local LATEST, VERSION, LAPSED, QUIET, REMEMBERED, OWNED, KEYLESS, LEASED = 1, 2, 4, 8, 16, 32, 64, 128

local batch = {
  APPENDED = 0, UNCHANGED = 1, DUPLICATE = 2, REFUSED = 3, OUTDATED = 4, CONFLICT = 5,
  KEYS_OF_ACCOUNT = 6, KEYS_OF_COLLECTION = 7, IDEMPOTENCY_KEYS_OF_ACCOUNT = 8, IDEMPOTENCY_KEYS_OF_CHANNEL = 9,
  COLLECTIONS_OF_CHANNEL = 10, OTHER_KIND = 11,
  retentions = {},
  -- whether something has changed without an entry
  isTouched = false,
}

local packed, named, position = ARGV[5]
batch.knownGeneration, batch.knownTop, batch.number, batch.now, batch.pinMs, batch.keysMax, batch.tombstonesMax,
  batch.idempotencyKeysMax, batch.isSynced, batch.node, named, position = struct.unpack('>dddddddddc8B', packed)

for index = 1, named do
  local retention = {}
  retention.name, retention.entries, retention.forMs, retention.bytes, retention.removalsForMs, position =
    struct.unpack('>I2c0dddd', packed, position)
  batch.retentions[index] = retention
end

-- Without operations a channel is trimmed, or only its epoch is checked.
batch.hasOperations = position <= #packed

-- The next operation; nil behind the last.
function batch.next()
  if position > #packed then return nil end
  local operation, flags, place = { account = '' }
  operation.kind, flags, place, operation.at, operation.holder, operation.key, operation.body, position =
    struct.unpack('>BI2BdI2c0I4c0I4c0', packed, position)
  operation.retention = batch.retentions[place + 1]
  operation.collection = operation.retention.name
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
