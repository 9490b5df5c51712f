-- The page so far.

local request = require('request')
local page = { count = 0, bytes = 0, entries = {} }

-- Whether an entry has no room on it; one has in any case.
function page.isFull(size)
  return page.count > 0 and (page.count >= request.entriesMax or page.bytes + size > request.bytesMax)
end

function page.add(entry, size)
  page.count, page.bytes = page.count + 1, page.bytes + size
  page.entries[page.count] = entry
end

function page.sizeOfFact(entry) return #entry - 26 - struct.unpack('>I4', entry, 23) end

-- How many facts to look up next, after so many: as will likely fit, for they are copied, and bodies may be large.
function page.portionAfter(portion)
  local grown = math.min(portion * 2, 128, request.entriesMax + 1)
  if page.bytes == 0 then return grown end
  local most = math.ceil((request.bytesMax - page.bytes) * page.count / page.bytes) + 1
  return math.min(grown, math.max(1, most))
end

return page
