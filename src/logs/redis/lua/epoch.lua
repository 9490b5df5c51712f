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

local channel, batch = require('channel'), require('batch')

-- Of about a hundred generations. A number that is cut off is too small, which is on the safe side.
local BASES_LENGTH_MAX = 1000

local replication = redis.call('INFO', 'replication')
local server = string.match(replication, 'master_replid:(%x+)')
local stored = redis.call('HMGET', channel.partition, 'format', 'epoch', 'top', 'generation', 'bases', 'server', 'synced',
  'forgotten', 'fading')

local epoch = {
  name = ARGV[2], top = 0, generation = 1,
  -- see expiry.lua
  forgotten = tonumber(stored[8] or 0), fading = stored[9] or '',
  synced = string.find(replication, 'repl_backlog_active:1', 1, true) and 0 or batch.isSynced,
}
local bases, isChanged = '0', true

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

if stored[1] then
  if stored[1] ~= ARGV[1] then return { refusal = { 1, stored[1] } } end
  epoch.name, epoch.top, epoch.generation, bases =
    stored[2] or ARGV[2], tonumber(stored[3]), tonumber(stored[4]), stored[5]
  isChanged = not stored[2]
  if stored[6] ~= server then
    local before = string.match(replication, 'master_replid2:(%x+)')
    local wasPromoted = before and string.find(before, '[^0]')
    local hasFile = string.find(redis.call('INFO', 'persistence'), 'aof_enabled:1', 1, true)
    if wasPromoted or not hasFile or batch.isSynced == 0 or stored[7] ~= '1' then epoch.name = ARGV[2] end
    epoch.generation, isChanged = epoch.generation + 1, true
    bases = string.sub(channel.text(epoch.top) .. ',' .. bases, 1, BASES_LENGTH_MAX)
  end
  if ARGV[3] == epoch.name then
    local since = epoch.generation - batch.knownGeneration
    local isContradicted = since ~= 0 and not hasOutlived(since, batch.knownTop)
    if batch.knownTop > epoch.top or isContradicted then epoch.name, isChanged = ARGV[2], true end
  end
elseif redis.call('EXISTS', channel.partition) == 1 then
  return { refusal = { 1, '' } }
end

-- Keeps what has changed before anything else is.
function epoch.begin()
  if not isChanged then return end
  -- a full Redis lets a script go on that has begun with a command that adds nothing
  if not batch.hasOperations then redis.call('HDEL', channel.partition, 'server') end
  redis.call('HSET', channel.partition, 'format', ARGV[1], 'epoch', epoch.name, 'top', channel.text(epoch.top),
    'generation', epoch.generation, 'bases', bases, 'server', server, 'synced', epoch.synced)
end

return epoch
