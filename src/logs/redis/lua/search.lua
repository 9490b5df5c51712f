-- Finds facts by offset. An element of a list is found in few steps, as lists are short; which list, by halving.

local channel = require('channel')
local search = {}

function search.factAt(collection, index)
  local start = math.floor(index / channel.SEGMENT) * channel.SEGMENT
  return redis.call('LINDEX', channel.segmentOf(collection, index), index - math.max(start, collection.first))
end

-- The index of the first fact behind an offset. Most readers are near the end, so the search begins there.
function search.firstBehind(collection, offset)
  local first, last = collection.first, collection.first + collection.count
  local function isBehind(index) return struct.unpack('>d', search.factAt(collection, index)) > offset end
  local low, high, step = last, last, 1
  while low > first do
    low = math.max(first, high - step)
    if not isBehind(low) then
      low = low + 1
      break
    end
    high, step = low, step * 2
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBehind(middle) then high = middle else low = middle + 1 end
  end
  return low
end

-- The facts from one index to another, which are in one list.
function search.factsFrom(collection, from, to)
  local start = math.max(math.floor(from / channel.SEGMENT) * channel.SEGMENT, collection.first)
  return redis.call('LRANGE', channel.segmentOf(collection, from), from - start, to - start)
end

return search
