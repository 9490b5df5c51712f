-- Reads what the node has packed (see packing.ts): numbers, collections with what they retain, operations.

-- What becomes of an operation (see outcomes.ts).
local APPENDED, UNCHANGED, DUPLICATE, REFUSED, OUTDATED, CONFLICT, KEYS_OF_ACCOUNT, KEYS_OF_COLLECTION,
  IDEMPOTENCY_KEYS_OF_ACCOUNT, IDEMPOTENCY_KEYS_OF_CHANNEL, COLLECTIONS_OF_CHANNEL, OTHER_KIND = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local LATEST, VERSION, LAPSED, QUIET, REMEMBERED, OWNED, KEYLESS, LEASED = 1, 2, 4, 8, 16, 32, 64, 128

local packed = ARGV[5]
local knownGeneration, knownTop, number, now, pinMs, keysMax, tombstonesMax, idempotencyKeysMax, isSynced, node, named, position =
  struct.unpack('>dddddddddc8B', packed)

local retentions = {}
for index = 1, named do
  local retention = {}
  retention.name, retention.entries, retention.forMs, retention.bytes, retention.removalsForMs, position =
    struct.unpack('>I2c0dddd', packed, position)
  retentions[index] = retention
end

-- Without operations a channel is trimmed, or only its epoch is checked.
local hasOperations = position <= #packed

-- It is the last command, so without this it would be refused when all the others have been carried out.
if hasOperations and not redis.acl_check_cmd('SPUBLISH', ARGV[4], '') then
  return redis.error_reply('NOPERM This user may not publish to the channel ' .. ARGV[4])
end

local function nextOperation()
  local operation, flags, place, size = {}
  operation.kind, flags, place, operation.at, operation.holder, operation.key, operation.body, position =
    struct.unpack('>BI2BdI2c0I4c0I4c0', packed, position)
  operation.retention = retentions[place + 1]
  local function has(flag) return bit.band(flags, flag) ~= 0 end
  operation.isLapsed, operation.isQuiet, operation.isKeyless = has(LAPSED), has(QUIET), has(KEYLESS)
  if has(LATEST) then operation.latest, position = struct.unpack('>d', packed, position) end
  if has(VERSION) then operation.version, position = struct.unpack('>d', packed, position) end
  if has(LEASED) then operation.leaseMs, position = struct.unpack('>d', packed, position) end
  if has(REMEMBERED) then
    operation.idempotencyKey, operation.fingerprint, operation.windowMs, position =
      struct.unpack('>c16c8d', packed, position)
  end
  operation.account = ''
  if has(OWNED) then
    operation.account, operation.keysMax, operation.idempotencyKeysMax, position =
      struct.unpack('>c16dd', packed, position)
  end
  return operation
end
