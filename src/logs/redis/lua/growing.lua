-- Values that grow, on a forward page: what a page has of one depends on where the page ends.

local channel, request, value = require('channel'), require('request'), require('value')
local growing = {}

-- What a page that ends at an offset has of a key: where, from which length of the value to which, and as what.
function growing.partAt(record, at)
  local offset, to = value.changeAt(record, at)
  if not record.hasValue then return offset, 0, to, channel.REMOVE end
  if request.what == 'fold' or record.putOffset > request.after then return offset, 0, to, channel.PUT end
  local _, from = value.changeAt(record, request.after)
  return offset, from, to, channel.EXTEND
end

function growing.encode(key, offset, from, to, operation)
  local body = value.between(key.record, from, to)
  return value.encodeChange(operation, key.collection, key.name, key.record, body, offset)
end

-- The keys of a collection whose value was put up to an offset and extended behind it, with changes behind `after`.
function growing.across(collection, at)
  local prefix, class, found = value.orderPrefix('g', collection), 0, {}
  while collection.growing > 0 do
    local first = redis.call('ZRANGE', channel.order, '[' .. prefix .. string.char(class), '(' .. prefix .. '\255', 'BYLEX',
      'LIMIT', 0, 1)[1]
    if not first then break end
    class = string.byte(first, 3)
    local start, from = prefix .. string.char(class), math.max(0, at - 2 ^ class + 1)
    local members = redis.call('ZRANGE', channel.order, '[' .. start .. struct.pack('>d', from),
      '(' .. start .. struct.pack('>d', at + 1), 'BYLEX')
    for _, member in ipairs(members) do
      local key = { collection = collection, name = string.sub(member, 12) }
      key.record = value.find(collection, key.name)
      if key.record.offset > at then
        key.offset = value.changeAt(key.record, at)
        if key.offset > request.after then found[#found + 1] = key end
      end
    end
    class = class + 1
  end
  return found
end

-- Makes room for keys that grow across the end of a page, if need be by ending it earlier. `fixed`: offset, size and entry of
-- the others. Where it ends is found by halves. Answers where, and the entries.
function growing.fit(fixed, keys, last)
  local function hasRoom(at)
    local count, bytes = 0, 0
    for _, one in ipairs(fixed) do
      if one.offset <= at then count, bytes = count + 1, bytes + one.size end
    end
    for _, key in ipairs(keys) do
      if key.record.putOffset <= at then
        local offset, from, to = growing.partAt(key.record, at)
        if offset > request.after then count, bytes = count + 1, bytes + to - from end
      end
    end
    return count <= 1 or (count <= request.entriesMax and bytes <= request.bytesMax)
  end

  local low, high = request.after, last + 1
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if hasRoom(middle) then low = middle else high = middle end
  end

  local found, entries = {}, {}
  for _, one in ipairs(fixed) do if one.offset <= low then found[#found + 1] = one end end
  for _, key in ipairs(keys) do
    if key.record.putOffset <= low then
      local offset, from, to, operation = growing.partAt(key.record, low)
      if offset > request.after then
        found[#found + 1] = { offset = offset, entry = growing.encode(key, offset, from, to, operation) }
      end
    end
  end
  table.sort(found, function(one, other) return one.offset < other.offset end)
  for index, one in ipairs(found) do entries[index] = one.entry end
  return found[#found].offset, entries
end

return growing
