-- Draws offsets, and notices when one might be given twice. Offsets are drawn per partition, not per channel, so a channel
-- that was deleted by hand goes on above its old ones.
--
-- An offset must not be given again after a tail was lost, so it has to be noticed that one may be:
-- - The partition's key is gone (an empty Redis): it is made anew, with a new epoch.
-- - `master_replid` is another than at the last append: another process serves, or this one in another role. Redis replicates
--   asynchronously, so a promoted replica (its `master_replid2` is set) may lack a tail: a new epoch. One that has started
--   without an append-only file has the state of its last snapshot: a new epoch. One whose append-only file is synced now and
--   then (`appendfsync everysec`) may lack the last second or two, even if only the process was killed, for Redis answers
--   before it has written when a sync is slow: a new epoch. Only a file that is synced for each write (`appendfsync always`)
--   has all that was acknowledged, if it was so when the last entry was appended, which is noted with the top: the epoch goes
--   on, in a new generation that notes the top that it began with, its base. A server that has had a replica of late is none
--   of these: what starts next may be that replica, which was promoted meanwhile, and nothing says so.
-- - A node knows better: it has seen an offset above the top, or above the base of a generation that came since, as when a
--   copy of the file was put back; or it has been away for more generations than bases are kept of. A new epoch.
-- - An operator has deleted the partition's `epoch`, to say so. A new epoch.
-- The check is made in the script because nothing else is sure to speak of the server that the script runs on: a client
-- library may redirect or repeat a command on its own.

-- Of about a hundred generations. A number that is cut off is too small, which is on the safe side.
local BASES_LENGTH_MAX = 1000

local replication = redis.call('INFO', 'replication')
local server = string.match(replication, 'master_replid:(%x+)')
local synced = string.find(replication, 'repl_backlog_active:1', 1, true) and 0 or isSynced
local stored = redis.call('HMGET', PARTITION, 'format', 'epoch', 'top', 'generation', 'bases', 'server', 'synced',
  'forgotten', 'fading')
local epoch, top, generation, bases = ARGV[2], 0, 1, '0'
local forgotten, fading = tonumber(stored[8] or 0), stored[9] or ''

-- Whether what a node has seen was still there when each of the generations began that came since. The latest stands first.
local function hasOutlived(count, seen)
  if count < 1 then return false end
  for base in string.gmatch(bases, '%d+') do
    if tonumber(base) < seen then return false end
    count = count - 1
    if count == 0 then return true end
  end
  return false
end

local isPartitionChanged = true
if stored[1] then
  if stored[1] ~= ARGV[1] then return { 1, stored[1] } end
  epoch, top, generation, bases = stored[2] or ARGV[2], tonumber(stored[3]), tonumber(stored[4]), stored[5]
  isPartitionChanged = not stored[2]
  if stored[6] ~= server then
    local before = string.match(replication, 'master_replid2:(%x+)')
    local wasPromoted = before and string.find(before, '[^0]')
    local hasFile = string.find(redis.call('INFO', 'persistence'), 'aof_enabled:1', 1, true)
    if wasPromoted or not hasFile or isSynced == 0 or stored[7] ~= '1' then epoch = ARGV[2] end
    generation, isPartitionChanged = generation + 1, true
    bases = string.sub(text(top) .. ',' .. bases, 1, BASES_LENGTH_MAX)
  end
  if ARGV[3] == epoch then
    local isContradicted = knownGeneration ~= generation and not hasOutlived(generation - knownGeneration, knownTop)
    if knownTop > top or isContradicted then epoch, isPartitionChanged = ARGV[2], true end
  end
elseif redis.call('EXISTS', PARTITION) == 1 then
  return { 1, '' }
end
