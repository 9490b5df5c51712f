-- Whether an operation on a key may be carried out: the rules of src/log/condition.ts, line by line.

local channel, value = require('channel'), require('value')

local function isSameBody(operation, record)
  return record.bytes == #operation.body and value.whole(record) == operation.body
end

-- Last writer wins; of equal versions a removal does.
local function judgeVersion(operation, record, forgottenVersion)
  local known = record and record.version or forgottenVersion
  if operation.version > known then
    if operation.kind == channel.REMOVE and record and not record.hasValue then return 'touch' end
    return 'apply'
  end
  if operation.version == known and record and record.hasValue then
    if operation.kind == channel.REMOVE then return 'apply' end
    local isRepeated = operation.kind == channel.PUT and operation.holder == record.holder
    if isRepeated and isSameBody(operation, record) then return 'touch' end
  end
  return 'refuse', known + 1
end

-- Answers `apply`, `touch` or `refuse`, and with that the lowest version that is accepted now, if it was about versions.
return function(operation, record, forgottenVersion)
  local hasValue = record and record.hasValue
  if operation.kind == channel.EXTEND and not hasValue then return 'refuse' end
  if operation.latest and operation.latest ~= (record and record.offset or 0) then return 'refuse' end
  if operation.isLapsed and not (hasValue and record.lapsesAt <= channel.clock()) then return 'refuse' end
  if operation.version then
    local verdict, lowest = judgeVersion(operation, record, forgottenVersion)
    if verdict ~= 'apply' then return verdict, lowest end
  end
  if operation.isQuiet and hasValue and isSameBody(operation, record) then return 'touch' end
  return 'apply'
end
